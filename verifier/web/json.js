// json: JSON.parse() takes the last of two members of one name; here that is
// an error, so that a text has one reading. Otherwise RFC 8259 as JSON.parse()
// has it, with a bound on the depth.
import { need } from "./refused.js";

const DEPTH_MAX = 16;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[-+.\w]+/y;
const BLANKS = /[ \t\n\r]*/y;

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at += found[0].length;
    return found[0];
  }

  // Steps over blanks and, if it is next, this character.
  accept(character) {
    this.take(BLANKS);
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  string() {
    this.take(BLANKS);
    const token = this.take(STRING);
    need(token !== null, "a string is missing");
    return JSON.parse(token);
  }

  members(depth) {
    const out = {};
    if (this.accept("}")) return out;
    do {
      const key = this.string();
      need(!Object.hasOwn(out, key), `"${key}" comes twice`);
      need(this.accept(":"), `"${key}" has no value`);
      Object.defineProperty(out, key, { // "__proto__" is a key like others
        value: this.value(depth), enumerable: true,
        configurable: true, writable: true,
      });
    } while (this.accept(","));
    need(this.accept("}"), "an object does not end");
    return out;
  }

  elements(depth) {
    const out = [];
    if (this.accept("]")) return out;
    do out.push(this.value(depth));
    while (this.accept(","));
    need(this.accept("]"), "an array does not end");
    return out;
  }

  value(depth) {
    need(depth < DEPTH_MAX, "nested too deeply");
    if (this.accept("{")) return this.members(depth + 1);
    if (this.accept("[")) return this.elements(depth + 1);
    if (this.text[this.at] === '"') return this.string();
    const token = this.take(SCALAR);
    need(token !== null, "a value is missing");
    return JSON.parse(token);
  }
}

// The value, or an Error that says what is wrong.
export function parseJson(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.take(BLANKS);
  need(reader.at === text.length, "something follows the value");
  return value;
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Throws if `value` is not an object with all of `mandatory`, some of
// `optional` and no other members.
export function needMembers(value, mandatory, optional, where) {
  need(isObject(value), `${where}: not an object`);
  for (const key of mandatory) {
    need(Object.hasOwn(value, key), `${where}: "${key}" is missing`);
  }
  for (const key of Object.keys(value)) {
    need(mandatory.includes(key) || optional.includes(key),
      `${where}: unknown key "${key}"`);
  }
}
