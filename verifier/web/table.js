// table: one row for each feed.
import { Chart, chartLabel } from "./chart.js";
import { duration, grouped, h, keepRows, setAttribute, setText }
  from "./dom.js";

const SPARK_POINTS = 120; // of a row's small chart: there may be 256 rows

// state: [icon, word]
const STATES = {
  waiting: ["\u2026", "waiting"], verified: ["\u2713", "verified"],
  unavailable: ["\u25cb", "no price"], late: ["\u25f7", "too late"],
  stale: ["\u25f7", "stale"], refused: ["\u2717", "refused"],
};

// What may be said of a feed now: a price that was good is stale after its
// expiry.
export function stateOf(feed, nowMs) {
  const { last } = feed;
  if (last === null) return "waiting";
  if (last.state === "refused" || last.state === "late") return last.state;
  if (nowMs > last.content.expires_ms) return "stale";
  return last.content.status === "ok" ? "verified" : "unavailable";
}

function describe(feed, state) {
  if (state === "refused") return feed.last.failed;
  if (state === "unavailable") return feed.last.content.reason;
  return "";
}

function cell(className, props = {}) {
  return h("td", { class: className, ...props });
}

export class Table {
  constructor(body, select) {
    this.body = body;
    this.select = select;
    this.rows = new Map();
    this.selected = null;
    body.addEventListener("keydown", (event) => this.key(event));
  }

  // Arrows, Home and End walk from feed to feed; Tab does as well.
  key(event) {
    const buttons = [...this.body.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0,
      End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined || buttons[to] === undefined) return;
    event.preventDefault();
    buttons[to].focus();
  }

  makeRow(name) {
    const button = h("button", { type: "button", text: name,
      onclick: () => this.select(name) });
    const chart = new Chart("spark", 60);
    const row = { button, chart, price: cell("price"),
      confidence: cell("confidence"), sources: cell("sources"),
      age: cell("age"), sequence: cell("sequence"),
      missing: cell("missing"), icon: h("span", { class: "badge",
        "aria-hidden": "true" }), word: h("span", { class: "word" }),
      why: h("code") };
    row.element = h("tr", { "data-feed": name },
      h("th", { scope: "row" }, button),
      h("td", { class: "state" }, row.icon, row.word, " ", row.why),
      row.price, row.confidence,
      h("td", { class: "chart" }, chart.element), row.sources, row.age,
      row.sequence, row.missing);
    return row;
  }

  show(feeds, nowMs) {
    const names = [...feeds.keys()].sort();
    keepRows(this.body, this.rows, names, (name) => this.makeRow(name));
    for (const name of names) this.showRow(feeds.get(name), nowMs);
  }

  showRow(feed, nowMs) {
    const row = this.rows.get(feed.name), state = stateOf(feed, nowMs);
    const [icon, word] = STATES[state];
    setAttribute(row.element, "data-state", state);
    setAttribute(row.button, "aria-pressed", feed.name === this.selected);
    setText(row.icon, icon);
    setText(row.word, word);
    setText(row.why, describe(feed, state));
    if (feed.good !== null) this.showGood(row, feed, state, nowMs);
    setText(row.missing, String(feed.counts.missing));
  }

  showGood(row, feed, state, nowMs) {
    const { content } = feed.good;
    const has = content.status === "ok" && state !== "refused";
    const used = content.sources.filter((s) => s.state === "used").length;
    setText(row.price, has ? grouped(content.price) : "\u2013");
    setText(row.confidence, has ? `\u00b1 ${grouped(content.confidence)}` : "");
    setText(row.sources, `${used}/${content.sources.length}`);
    setText(row.age, duration(nowMs - content.published_ms));
    setText(row.sequence, String(content.sequence));
    setAttribute(row.element, "data-sequence", content.sequence);
    if (row.drawn === feed.good) return;
    row.drawn = feed.good;
    row.chart.show(feed.points.slice(-SPARK_POINTS), chartLabel(feed));
  }
}
