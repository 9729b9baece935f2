// journal: what happened, newest first, in words: refusals, gaps, broken
// connections. A screen reader is told politely. Prices are not news.
import { byId, h } from "./dom.js";

const LINES_MAX = 100;

export function note(kind, text) {
  const list = byId("journal");
  const time = new Date().toLocaleTimeString();
  byId("journal-empty").hidden = true;
  list.prepend(h("li", { "data-kind": kind },
    h("time", { text: time }), " ", h("span", { text })));
  while (list.children.length > LINES_MAX) list.lastChild.remove();
}
