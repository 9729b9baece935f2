// item: the signed content, one text for one value (README, "The item"). What
// JSON.parse() read is written again in the one order and form there is; if
// that is not the text that came, byte for byte, it is no content. Then the
// value must make sense, by the same rules as in feeds/item_check.c.
import { need, reading } from "./refused.js";

const CONTENT_MAX = 32767;
const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
const NAME = /^[-./0-9:A-Z_a-z]{1,31}$/;
const DECIMAL = /^(?:0|[1-9][0-9]*)(?:\.[0-9]{1,36})?$/;
const MANTISSA_MAX = 9223372036854775807n;
const TEXT_MAX = 64, DECIMALS_MAX = 12, SOURCES_MAX = 32;
const STATES = ["used", "stale", "frozen", "outlier", "failed", "check"];
const REASONS = ["insufficient_sources", "clock_uncertain", "price_jump"];
const ERRORS = ["ok", "unknown_symbol", "rate_limited", "banned",
  "geo_blocked", "blocked", "maintenance", "server_error", "http_error",
  "bad_request", "bad_body", "no_price", "auth", "timeout", "redirect",
  "connect_failed", "tls_failed", "bad_http", "too_large", "no_rate",
  "not_polled", "no_key"];

// ---- the one text ----

function formatSource(s) {
  const out = { exchange: s.exchange, symbol: s.symbol, last: s.last,
    bid: s.bid, ask: s.ask, price: s.price };
  if (Object.hasOwn(s, "via")) Object.assign(out, { via: s.via, rate: s.rate });
  Object.assign(out, { exchange_ms: s.exchange_ms, received_ms: s.received_ms,
    body_sha256: s.body_sha256, tls_spki_sha256: s.tls_spki_sha256,
    state: s.state });
  if (s.state === "failed") out.error = s.error;
  return out;
}

function format(c) {
  const out = { format: c.format, feed: c.feed, boot_id: c.boot_id,
    sequence: c.sequence, status: c.status };
  if (c.status === "unavailable") out.reason = c.reason;
  Object.assign(out, { price: c.price, confidence: c.confidence,
    published_ms: c.published_ms, expires_ms: c.expires_ms,
    sources: c.sources.map(formatSource), aggregation: c.aggregation,
    min_sources: c.min_sources, config_sha256: c.config_sha256,
    previous_sha256: c.previous_sha256 });
  return JSON.stringify(out);
}

// ---- does it make sense? ----

export function isInteger(value) {
  return Number.isInteger(value) && value >= 0 && value <= INTEGER_MAX;
}

export function isHash(value, digits = 64) {
  return typeof value === "string" && value.length === digits &&
    /^[0-9a-f]*$/.test(value);
}

export function isName(value) {
  return typeof value === "string" && NAME.test(value);
}

// A decimal as it is written, not below zero: a 64-bit mantissa, and zeros.
function isDecimal(value) {
  if (typeof value !== "string" || !DECIMAL.test(value)) return false;
  const digits = value.includes(".") ? value.replace(".", "")
    : value.replace(/0{1,36}$/, "");
  return value.length < TEXT_MAX && BigInt(digits) <= MANTISSA_MAX;
}

export function isPositive(value) {
  return isDecimal(value) && /[1-9]/.test(value);
}

export function decimalsOf(text) {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}

// All prices of an item have the feed's number of decimals.
class Decimals {
  count = -1;

  same(text) {
    if (this.count < 0) this.count = decimalsOf(text);
    return decimalsOf(text) === this.count && this.count <= DECIMALS_MAX &&
      BigInt(text.replace(".", "")) <= MANTISSA_MAX;
  }
}

function orNull(value, test) {
  return value === null || test(value);
}

function checkAnswer(s) {
  const answered = s.received_ms !== null;
  need(orNull(s.received_ms, isInteger), "received_ms");
  need(answered ? isHash(s.body_sha256) && isHash(s.tls_spki_sha256)
    : s.body_sha256 === null && s.tls_spki_sha256 === null, "hashes");
  const quoted = [s.last, s.bid, s.ask, s.exchange_ms].some((v) => v !== null);
  need(answered || !(quoted || s.state !== "failed"), "no answer");
}

function checkSource(s, decimals) {
  const failed = s.state === "failed", converted = Object.hasOwn(s, "via");
  need(isName(s.exchange) && isName(s.symbol), "name of a source");
  for (const key of ["last", "bid", "ask", "price"]) {
    need(orNull(s[key], isPositive), key);
  }
  need(orNull(s.exchange_ms, isInteger), "exchange_ms");
  need(STATES.includes(s.state), "state");
  need(!failed || (ERRORS.includes(s.error) && s.error !== "ok"), "error");
  need(failed === (s.price === null), "price or failure");
  need(s.price === null || decimals.same(s.price), "decimals");
  checkAnswer(s);
  if (!converted) return;
  need(isName(s.via) && orNull(s.rate, isPositive), "via");
  need(failed || s.rate !== null, "rate");
}

function inOrder(a, b) {
  if (a.exchange !== b.exchange) return a.exchange < b.exchange;
  return a.symbol < b.symbol;
}

function checkResult(c, used, decimals) {
  if (c.status === "unavailable") {
    need(REASONS.includes(c.reason), "reason");
    need(c.price === null && c.confidence === null, "a price all the same");
    need(c.reason !== "insufficient_sources" || used < c.min_sources,
      "enough sources");
    need(c.reason !== "price_jump" || used >= c.min_sources, "no jump");
    return;
  }
  need(c.status === "ok", "status");
  need(isPositive(c.price) && isDecimal(c.confidence), "price");
  need(decimals.same(c.price) && decimals.same(c.confidence), "decimals");
  need(used >= c.min_sources, "too few sources");
}

function checkSources(c, decimals) {
  need(c.sources.length <= SOURCES_MAX, "too many sources");
  c.sources.forEach((source, i) => {
    checkSource(source, decimals);
    need(i === 0 || inOrder(c.sources[i - 1], source), "sources out of order");
  });
}

function check(c) {
  const decimals = new Decimals();
  need(c.format === "hallmark/1" && c.aggregation === "median", "format");
  need(isName(c.feed) && isHash(c.boot_id, 32), "feed");
  need(isInteger(c.sequence) && isInteger(c.published_ms) &&
    isInteger(c.expires_ms) && c.expires_ms >= c.published_ms, "numbers");
  need(isInteger(c.min_sources) && c.min_sources >= 1 &&
    c.min_sources <= SOURCES_MAX, "min_sources");
  need(isHash(c.config_sha256) && isHash(c.previous_sha256), "hashes");
  checkSources(c, decimals);
  const used = c.sources.filter((source) => source.state === "used").length;
  checkResult(c, used, decimals);
}

function readContent(text) {
  need(text.length > 0 && text.length <= CONTENT_MAX, "length");
  need(/^[\x20-\x7e]*$/.test(text), "a character that does not belong");
  const content = JSON.parse(text);
  need(typeof content === "object" && content !== null &&
    Array.isArray(content.sources), "not an item");
  need(content.sources.every((s) => typeof s === "object" && s !== null),
    "not a source");
  need(format(content) === text, "not in the one form there is");
  check(content);
  return content;
}

// What the text says; or Refused content_malformed.
export function parseContent(text) {
  return reading("content_malformed", () => readContent(text));
}
