// dom: elements without HTML texts, so that nothing that a server sends can
// become markup. What is shown is changed in place and only where it differs:
// the focus and a screen reader's place stay where they are.

// props: "class", "text", attributes, and listeners as functions ("onclick").
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(key.slice(2), value);
    } else if (key === "text") element.textContent = value;
    else setAttribute(element, key, value);
  }
  element.append(...children);
  return element;
}

// null takes it away.
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const NS = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// Makes `parent` hold exactly these rows, one for each key, in this order;
// make(key) makes a row that is new.
export function keepRows(parent, rows, keys, make) {
  const wanted = new Set(keys);
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.element.remove();
    rows.delete(key);
  }
  keys.forEach((key, i) => {
    if (!rows.has(key)) rows.set(key, make(key));
    const { element } = rows.get(key);
    if (parent.children[i] !== element) {
      parent.insertBefore(element, parent.children[i] ?? null);
    }
  });
}

export function byId(id) {
  return document.getElementById(id);
}

// ---- words ----

// "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) {
    return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  }
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// "84036.12000000" as people read it: digits in groups. The text is exact and
// is never made a number.
export function grouped(text) {
  const [whole, rest] = text.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return rest === undefined ? groups : `${groups}.${rest}`;
}
