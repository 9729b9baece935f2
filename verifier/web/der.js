// der: reads DER strictly. checkDer() looks at the encoding only (X.690, 10
// and 11): definite shortest lengths, BOOLEAN FF, shortest INTEGERs, sound BIT
// STRINGs and OBJECT IDENTIFIERs, bounded depth. Der walks what has passed it.
// Both throw an Error for anything else than what was asked for.
import { need } from "./refused.js";

export const BOOLEAN = 0x01, INTEGER = 0x02, BIT_STRING = 0x03,
  OCTET_STRING = 0x04, NULL = 0x05, OBJECT_ID = 0x06, SEQUENCE = 0x30,
  SET = 0x31;

const DEPTH_MAX = 16; // nested elements; a certificate has 7 or so
const CONSTRUCTED = 0x20, NUMBER = 0x1f, CLASS = 0xc0;

export class Der {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get more() {
    return this.at < this.bytes.length;
  }

  peek() {
    return this.more ? this.bytes[this.at] : -1;
  }

  byte() {
    need(this.more, "cut short");
    return this.bytes[this.at++];
  }

  // 10.1: the definite form, in as few bytes as can be.
  length() {
    const first = this.byte();
    if (first < 0x80) return first;
    need(first === 0x81 || first === 0x82, "a length of no such form");
    let len = this.byte();
    if (first === 0x82) len = len << 8 | this.byte();
    need(len >= (first === 0x81 ? 0x80 : 0x100), "a length that is too long");
    return len;
  }

  // { tag, value, whole }: views of the next element.
  element() {
    const start = this.at, tag = this.byte();
    need((tag & NUMBER) !== NUMBER, "a tag of several bytes");
    const len = this.length();
    need(this.bytes.length - this.at >= len, "cut short");
    const value = this.bytes.subarray(this.at, this.at + len);
    this.at += len;
    return { tag, value, whole: this.bytes.subarray(start, this.at) };
  }

  // The value of the next element, which has this tag.
  take(tag) {
    need(this.peek() === tag, "not the element that belongs here");
    return this.element().value;
  }

  enter(tag) {
    return new Der(this.take(tag));
  }

  end() {
    need(!this.more, "something follows");
  }
}

function checkInteger(value) {
  need(value.length > 0, "an empty INTEGER");
  if (value.length === 1) return;
  const top = value[1] & 0x80; // 8.3.2: the first nine bits differ
  need(!(value[0] === 0x00 && top === 0) && !(value[0] === 0xff && top !== 0),
    "an INTEGER that is too long");
}

function checkBitString(value) {
  need(value.length > 0 && value[0] <= 7, "a BIT STRING of no such form");
  if (value.length === 1) {
    need(value[0] === 0, "unused bits of nothing");
    return;
  }
  const last = value[value.length - 1]; // 11.2.1: unused bits are zero
  need((last & ((1 << value[0]) - 1)) === 0, "unused bits that are set");
}

function checkObjectId(value) {
  let first = true; // of a subidentifier
  need(value.length > 0, "an empty OBJECT IDENTIFIER");
  for (const byte of value) {
    need(!(first && byte === 0x80), "an OBJECT IDENTIFIER that is too long");
    first = (byte & 0x80) === 0;
  }
  need(first, "an OBJECT IDENTIFIER that does not end");
}

function checkPrimitive(tag, value) {
  if ((tag & CLASS) !== 0) return;
  switch (tag) {
  case BOOLEAN:
    // 11.5: all of a certificate's are FALSE by default, which is not written
    need(value.length === 1 && value[0] === 0xff, "a BOOLEAN of no such form");
    break;
  case INTEGER:
    checkInteger(value);
    break;
  case BIT_STRING:
    checkBitString(value);
    break;
  case NULL:
    need(value.length === 0, "a NULL that is something");
    break;
  case OBJECT_ID:
    checkObjectId(value);
    break;
  case SEQUENCE & NUMBER:
  case SET & NUMBER:
    need(false, "a SEQUENCE or SET that is primitive");
  }
}

function checkElement(reader, depth) {
  need(depth <= DEPTH_MAX, "nested too deeply");
  const { tag, value } = reader.element();
  if ((tag & CONSTRUCTED) === 0) {
    checkPrimitive(tag, value);
    return;
  }
  // 10.2: strings are primitive.
  need((tag & CLASS) !== 0 || tag === SEQUENCE || tag === SET,
    "a string in parts");
  for (const inner = new Der(value); inner.more;) {
    checkElement(inner, depth + 1);
  }
}

// Is this one element, and nothing behind it?
export function checkDer(bytes) {
  const reader = new Der(bytes);
  checkElement(reader, 0);
  reader.end();
}
