// The small parts that the verdicts of documents and items do not show whole.
import "./setup.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64, fromHex, isWellFormed }
  from "../../../verifier/web/bytes.js";
import { Cursor } from "../../../verifier/web/cbor.js";
import { checkDer } from "../../../verifier/web/der.js";
import { parseJson } from "../../../verifier/web/json.js";
import { fromAsn1, fromRfc3339 } from "../../../verifier/web/moment.js";
import { nextInSequence } from "../../../verifier/web/sequence.js";

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

test("CBOR heads: shortest only, and nothing behind the end", () => {
  const uint = (hex) => {
    const cursor = new Cursor(bytes(hex)), value = cursor.uint();
    cursor.end();
    return value;
  };
  assert.equal(uint("17"), 23);
  assert.equal(uint("1818"), 24);
  assert.equal(uint("190100"), 256);
  assert.equal(uint("1a00010000"), 65536);
  assert.equal(uint("1b001fffffffffffff"), Number.MAX_SAFE_INTEGER);
  for (const wrong of ["", "18", "1817", "1900ff", "1a0000ffff",
    "1b00000000ffffffff", "1b0020000000000000", "1c", "1f", "20", "f6",
    "1700", "f93c00", "fb3ff0000000000000"]) {
    assert.throws(() => uint(wrong), wrong);
  }
});

test("CBOR strings and maps", () => {
  assert.equal(new Cursor(bytes("6161")).text(1, 1), "a");
  assert.throws(() => new Cursor(bytes("6161")).text(2, 3));
  assert.throws(() => new Cursor(bytes("6261")).text(1, 3));
  assert.throws(() => new Cursor(bytes("7f616100ff")).text(1, 3));
  assert.throws(() => new Cursor(bytes("5bffffffffffffffff")).byteString(0, 9));
  assert.throws(() => new Cursor(bytes("bfff")).map());
  const cursor = new Cursor(bytes("bf0102ff")), map = cursor.map(true);
  assert.ok(cursor.mapNext(map));
  assert.deepEqual([cursor.uint(), cursor.uint()], [1, 2]);
  assert.ok(!cursor.mapNext(map));
  cursor.end();
  for (const scalar of ["01", "4101", "6161", "f6"]) {
    const each = new Cursor(bytes(scalar));
    each.skipScalar();
    each.end();
  }
  for (const wrong of ["80", "a0", "f5", "20", "c001"]) {
    assert.throws(() => new Cursor(bytes(wrong)).skipScalar(), wrong);
  }
});

test("DER", () => {
  for (const right of ["0500", "0101ff", "020100", "02020080", "0202ff7f",
    "03020780", "060100", "3000", "30030101ff", "a000", "0400"]) {
    checkDer(bytes(right));
  }
  for (const wrong of ["", "05", "0501", "050000", "01010f", "010100",
    "0102ffff", "0200", "02020001", "0202ffff", "0300", "030108", "030101", "03020181",
    "0600", "060180", "06028001", "3080", "10020500", "2403040100",
    "04810100", "0482000100", `04820080${"00".repeat(128)}`, "050100",
    "06028180", "04020000ff", "040200", "30810100", "3082000100", "1f0100",
    "308300000100", "30"]) {
    assert.throws(() => checkDer(bytes(wrong)), undefined, wrong);
  }
  const deep = (n) => n === 0 ? "" : (() => {
    const inner = deep(n - 1);
    return `30${(inner.length / 2).toString(16).padStart(2, "0")}${inner}`;
  })();
  checkDer(bytes(deep(17)));
  assert.throws(() => checkDer(bytes(deep(18))));
});

test("JSON: no member twice, nothing behind the value", () => {
  assert.deepEqual(parseJson(' { "a" : [ 1 , "x\\n" , null ] } '),
    { a: [1, "x\n", null] });
  assert.deepEqual(Object.keys(parseJson('{"__proto__":{"x":1}}')),
    ["__proto__"]);
  for (const wrong of ["", "{", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', "1 2",
    "[1,]", "{a:1}", "'a'", '"a', "01", "NaN", "[", '{"a":1,}', '"\n"',
    "[".repeat(99) + "]".repeat(99)]) {
    assert.throws(() => parseJson(wrong), undefined, wrong);
  }
});

test("times", () => {
  assert.equal(fromRfc3339("1970-01-01T00:00:00Z"), 0);
  assert.equal(fromRfc3339("2026-11-21T00:00:00.5Z"), 1795219200500);
  assert.equal(fromRfc3339("2024-02-29T23:59:59.999Z"), 1709251199999);
  for (const wrong of ["2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z", "2026-01-01", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00.Z", "2026-01-01t00:00:00Z"]) {
    assert.throws(() => fromRfc3339(wrong), undefined, wrong);
  }
  const asn1 = (tag, text) => fromAsn1(tag, Buffer.from(text));
  assert.equal(asn1(0x17, "491028142805Z"), Date.UTC(2049, 9, 28, 14, 28, 5));
  assert.equal(asn1(0x17, "500101000000Z"), Date.UTC(1950, 0, 1));
  assert.equal(asn1(0x18, "20500101000000Z"), Date.UTC(2050, 0, 1));
  assert.throws(() => asn1(0x18, "20490101000000Z"));
  assert.throws(() => asn1(0x17, "4910281428Z"));
  assert.throws(() => asn1(0x17, "491328142805Z"));
});

test("spellings of bytes", () => {
  assert.deepEqual(fromHex("00fF"), bytes("00ff"));
  assert.equal(fromHex("0"), null);
  assert.equal(fromHex("0g"), null);
  assert.deepEqual(fromBase64("AP8="), bytes("00ff"));
  for (const wrong of ["AP8", "AP9=", " AP8=", "AP8=\n", "A-8=", "=AP8"]) {
    assert.equal(fromBase64(wrong), null, wrong);
  }
  assert.ok(isWellFormed("\ufeffa\u{1f600}"));
  assert.ok(!isWellFormed("\ud83d"));
});

const ZEROS = "0".repeat(64);
const item = (sequence, more = {}) => ({ bootId: "a", sequence,
  previous: `h${sequence - 1}`, sha256: `h${sequence}`, publishedMs: sequence,
  ...more });

test("the order of items", () => {
  const state = item(7);
  const of = (next, before = state) => nextInSequence(before, next).verdict;
  assert.equal(of(item(5), null), "valid");
  assert.equal(of(item(8)), "valid");
  assert.equal(of(item(8, { previous: "else" })), "sequence_fork");
  assert.equal(of(item(8, { publishedMs: 6 })), "time_regression");
  assert.equal(of(item(7)), "sequence_replay");
  assert.equal(of(item(7, { sha256: "else" })), "sequence_fork");
  assert.equal(of(item(6)), "sequence_replay");
  assert.equal(of(item(10)), "sequence_gap");
  assert.equal(nextInSequence(state, item(10)).missing, 2);
  assert.equal(nextInSequence(state, item(10)).state.sequence, 10);
  assert.equal(nextInSequence(state, item(6)).state, state);
  const boot = { bootId: "b", publishedMs: 9 };
  assert.equal(of(item(3, boot)), "valid");
  assert.equal(of(item(0, { ...boot, previous: ZEROS })), "valid");
  assert.equal(of(item(0, boot)), "sequence_fork");
  assert.equal(of(item(3, { bootId: "b", publishedMs: 6 })),
    "time_regression");
});
