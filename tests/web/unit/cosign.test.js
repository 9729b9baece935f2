// A co-signature's content: one value, one text. The fixed text is that of the
// C library's test; a change here is a change of what has been signed.
import "./setup.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCosign } from "../../../verifier/web/cosign.js";

const C = "c0".repeat(32), D = "d0".repeat(32), E = "e0".repeat(32);
const FIXED = '{"format":"hallmark-cosign/1",' +
  `"boot_id":"000102030405060708090a0b0c0d0eff","config_sha256":"${C}",` +
  '"feed":"BTC-USD","item_boot_id":"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",' +
  `"sequence":7,"content_sha256":"${D}","published_ms":1763715600123,` +
  `"price":"84036.10","own_content_sha256":"${E}",` +
  '"own_published_ms":1763715599000}';

function reads(text) {
  try {
    return parseCosign(text) !== null;
  } catch (error) {
    assert.equal(error.verdict, "content_malformed", error.stack);
    return false;
  }
}

test("the fixed text, and one without a price", () => {
  const content = parseCosign(FIXED);
  assert.equal(content.boot_id, "000102030405060708090a0b0c0d0eff");
  assert.equal(content.sequence, 7);
  assert.equal(content.price, "84036.10");
  assert.equal(content.own_published_ms, 1763715599000);
  const none = parseCosign(FIXED.replace('"84036.10"', "null"));
  assert.equal(none.price, null);
});

const BAD = [
  ["hallmark-cosign/1", "hallmark-cosign/2"],
  ["hallmark-cosign/1", "hallmark/1"],
  ['"boot_id":"00', '"boot_id":"'], ['"boot_id":"00', '"boot_id":"0000'],
  ["0d0eff", "0d0eFF"], ['"BTC-USD"', '""'], ['"BTC-USD"', '"BTC USD"'],
  ['"BTC-USD"', `"${"B".repeat(32)}"`], ['"BTC-USD"', "null"],
  [":7,", ":-7,"], [":7,", ":7.0,"], [":7,", ':"7",'], [":7,", ":-0,"],
  [":7,", ":9007199254740992,"], [":1763715600123", ":-1"],
  [":1763715600123", ":253402300800000"],
  [":1763715600123", ":1763715600123.0"], [":1763715600123", ":null"],
  [":1763715599000", ":-1"], [":1763715599000", ":253402300800000"],
  ['"84036.10"', "84036.10"], ['"84036.10"', '""'],
  ['"84036.10"', '"-84036.10"'], ['"84036.10"', '"0.00"'],
  ['"84036.10"', '"8e4"'], ['"84036.10"', '"084036.10"'],
  ['"84036.10"', '"x"'], ['"84036.10"', "[]"], ['"84036.10"', "false"],
  ['"84036.10"', '"9223372036854775808"'],
  ['{"format"', '{ "format"'], ['{"format"', '[{"format"'],
  [',"sequence":7', ""], [',"sequence":7', ',"sequence":7,"sequence":7'],
  [',"sequence":7', ',"sequence":7,"more":7'], ["9000}", "9000} "],
  ["9000}", "9000}}"], ["9000}", "9000"], [D, `${C}c0`], [E, "e0"],
  [`"config_sha256":"${C}"`, '"config_sha256":null'],
];

test("what is not written so is refused", () => {
  for (const [from, to] of BAD) {
    assert.ok(FIXED.includes(from), from);
    assert.ok(!reads(FIXED.replace(from, to)), `${to} for ${from}`);
  }
  for (const text of ["", "null", "[]", "7", '""', " ".repeat(4096),
    "[".repeat(1023)]) assert.ok(!reads(text), text);
});

test("any of its ends and any byte that is another", () => {
  for (let i = 0; i < FIXED.length; i++) {
    assert.ok(!reads(FIXED.slice(0, i)));
    assert.ok(!reads(`${FIXED.slice(0, i)}\0${FIXED.slice(i + 1)}`));
  }
});
