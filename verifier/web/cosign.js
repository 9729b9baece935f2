// cosign: a co-signature: one enclave's word that it holds another's item and
// had, at this time, a price of its own that agrees (verifier/cosign.h). Its
// content has one text for one value, as an item's: what JSON.parse() read is
// written again in the one order and form there is.
import { teller } from "./established.js";
import { isHash, isInteger, isName, isPositive } from "./item.js";
import { MOMENT_MAX_MS } from "./moment.js";
import { Refused, need, reading } from "./refused.js";
import { judgeSigned } from "./signed.js";

const CONTENT_MAX = 1023;

function format(c) {
  return JSON.stringify({ format: c.format, boot_id: c.boot_id,
    config_sha256: c.config_sha256, feed: c.feed,
    item_boot_id: c.item_boot_id, sequence: c.sequence,
    content_sha256: c.content_sha256, published_ms: c.published_ms,
    price: c.price, own_content_sha256: c.own_content_sha256,
    own_published_ms: c.own_published_ms });
}

function isMoment(value) {
  return isInteger(value) && value <= MOMENT_MAX_MS;
}

function check(c) {
  need(c.format === "hallmark-cosign/1", "format");
  need(isHash(c.boot_id, 32) && isHash(c.item_boot_id, 32), "boot_id");
  need(isHash(c.config_sha256) && isHash(c.content_sha256) &&
    isHash(c.own_content_sha256), "hashes");
  need(isName(c.feed) && isInteger(c.sequence), "feed");
  need(isMoment(c.published_ms) && isMoment(c.own_published_ms), "times");
  need(c.price === null || isPositive(c.price), "price");
}

function readContent(text) {
  need(text.length <= CONTENT_MAX, "length");
  const content = JSON.parse(text);
  need(typeof content === "object" && content !== null, "no co-signature");
  need(format(content) === text, "not in the one form there is");
  check(content);
  return content;
}

// What the text says; or Refused content_malformed.
export function parseCosign(text) {
  return reading("content_malformed", () => readContent(text));
}

function needThat(condition, verdict, why) {
  if (!condition) throw new Refused(verdict, why);
}

// Is this item meant, by another enclave, at this time?
function judgeContent({ policy }, c, { content, sha256 }) {
  needThat(c.content_sha256 === sha256 && c.feed === content.feed &&
    c.item_boot_id === content.boot_id && c.sequence === content.sequence,
  "user_data_mismatch", "of another item");
  needThat(c.boot_id !== content.boot_id, "user_data_mismatch",
    "by the item's own enclave");
  needThat(content.status !== "ok" || c.price !== null, "content_malformed",
    "no price, beside one");
  needThat(Math.abs(c.published_ms - content.published_ms) <=
    policy.maxFutureMs, "item_too_old", "of another time");
}

// Whether the envelope is a co-signature of this item, { content, sha256 },
// which was found good: signed by an attested key under the same policy, live
// as the question is, or else as of its own time. Its content, or Refused.
export async function judgeCosign(question, envelope, item, given) {
  const { policy, cache, live, atMs } = question;
  const own = { policy, cache, live, atMs, limitAge: false,
    tell: teller(() => {}) };
  const content = parseCosign(envelope.content);
  await judgeSigned(own, envelope, content, given);
  judgeContent(own, content, item);
  return content;
}
