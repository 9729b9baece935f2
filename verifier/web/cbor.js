// cbor: reads CBOR (RFC 8949) one item at a time from bytes that somebody else
// may have written. No tree; what it gives are views of the same bytes.
//
// Refused, because nothing that we read has a use for them: heads that are not
// the shortest (4.2.1), indefinite strings and arrays, reserved additional
// information, floats, undefined, simple values but null, negative integers,
// and numbers above 2^53 - 1. Indefinite maps are read only where the caller
// says so: AWS writes a document's outer map that way since 2025. Every method
// throws an Error for anything else than what was asked for.
import { need } from "./refused.js";
import { toLatin1 } from "./bytes.js";

const UINT = 0, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7;
const INDEFINITE = 31, NULL = 22;
const SHORTEST = [24, 0x100, 0x10000, 0x100000000]; // by additional info - 24

export class Cursor {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  peek() {
    return this.at < this.bytes.length ? this.bytes[this.at] : -1;
  }

  // The number behind the first byte, in 1, 2, 4 or 8 bytes.
  longValue(info) {
    const len = 1 << (info - 24);
    let value = 0;
    need(this.bytes.length - this.at >= len, "cut short");
    for (let i = 0; i < len; i++) {
      value = value * 256 + this.bytes[this.at++];
    }
    need(Number.isSafeInteger(value), "a number above 2^53 - 1");
    need(value >= SHORTEST[info - 24], "not the shortest head");
    return value;
  }

  head() {
    need(this.at < this.bytes.length, "cut short");
    const first = this.bytes[this.at++];
    const kind = first >> 5, info = first & 31;
    if (info < 24) return { kind, value: info };
    need(kind !== SIMPLE || info === INDEFINITE, "a float or simple value");
    if (info === INDEFINITE) return { kind, value: 0, indefinite: true };
    need(info <= 27, "reserved additional information");
    return { kind, value: this.longValue(info) };
  }

  definite(kind) {
    const head = this.head();
    need(head.kind === kind && !head.indefinite, "not the type that belongs");
    return head.value;
  }

  string(kind, min, max) {
    const len = this.definite(kind);
    need(len >= min && len <= max, `${len} bytes, not ${min} to ${max}`);
    need(this.bytes.length - this.at >= len, "cut short");
    this.at += len;
    return this.bytes.subarray(this.at - len, this.at);
  }

  // ---- what others call ----

  array() {
    return this.definite(ARRAY);
  }

  // A state for mapNext().
  map(mayBeIndefinite = false) {
    const head = this.head();
    need(head.kind === MAP && (!head.indefinite || mayBeIndefinite),
      "not a map that belongs here");
    return { indefinite: head.indefinite === true, left: head.value };
  }

  // Do another key and value follow?
  mapNext(map) {
    if (!map.indefinite) return map.left-- > 0;
    if (this.peek() !== (SIMPLE << 5 | INDEFINITE)) return true;
    this.at++;
    return false;
  }

  uint() {
    return this.definite(UINT);
  }

  byteString(min, max) {
    return this.string(BYTES, min, max);
  }

  // One character for each byte: compare it, or check its characters.
  text(min, max) {
    return toLatin1(this.string(TEXT, min, max));
  }

  // If null comes next, steps over it.
  takeNull() {
    const is = this.peek() === (SIMPLE << 5 | NULL);
    if (is) this.at++;
    return is;
  }

  // If this tag (below 24) comes next, steps over it.
  takeTag(tag) {
    const is = this.peek() === (TAG << 5 | tag);
    if (is) this.at++;
    return is;
  }

  // An unsigned integer, a string of either kind or null.
  skipScalar() {
    if (this.takeNull()) return;
    const kind = this.peek() >> 5;
    need(kind === UINT || kind === BYTES || kind === TEXT, "not a scalar");
    if (kind === UINT) this.uint();
    else this.string(kind, 0, Infinity);
  }

  end() {
    need(this.at === this.bytes.length, "something follows");
  }
}
