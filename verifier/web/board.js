// board: each feed, what came of it, and what this browser found when it
// verified that. Items are verified one after the other, in the order in which
// they came: the first one on a document establishes it for the others.
import { sha256, toHex } from "./bytes.js";
import { COSIGNATURES_MAX } from "./envelope.js";
import { DocumentCache } from "./established.js";
import { nextInSequence } from "./sequence.js";
import { verifyItem } from "./verify.js";

const FEEDS_MAX = 256, DOCUMENTS_MAX = 32;
const WAITING_MAX = 20000; // items; a server's ring holds 4096
const NAME = /^[-./0-9:A-Z_a-z]{1,31}$/;
const POINTS_MAX = 600; // of a chart: ten minutes of a feed that ticks a second
// An item that is genuine, but came too late to be used: after a connection
// was cut, or from a server that keeps things back.
const LATE = ["item_expired", "item_too_old"];
// In an item, and in each of its co-signatures; not in its content, where the
// quotes are escaped.
const REFERENCE = /"attestation_sha256":"([0-9a-f]{64})"/g;

class Feed {
  constructor(name) {
    this.name = name;
    this.order = null; // sequence.js's state
    this.last = null; // the newest judged: { state, verdict, checks, ... }
    this.good = null; // the newest that verified, late or not
    this.points = [];
    this.counts = { verified: 0, late: 0, refused: 0, missing: 0, doubled: 0 };
  }

  draw({ content }, missing) {
    const has = content.status === "ok";
    if (this.points.at(-1)?.atMs === content.published_ms) this.points.pop();
    this.points.push({
      atMs: content.published_ms, missing,
      price: has ? Number(content.price) : null,
      confidence: has ? Number(content.confidence) : null,
    });
    if (this.points.length > POINTS_MAX) this.points.shift();
  }
}

// What a check of ours looks like beside those of verify.js.
function orderChecks(before, item, { verdict, missing }) {
  const known = before !== null && before.bootId === item.bootId;
  const next = known && item.sequence === before.sequence + 1;
  const forked = verdict === "sequence_fork";
  return [{
    check: "sequence", passed: verdict === "valid" || (forked && next),
    wanted: known ? String(before.sequence + 1) : "the first that we see",
    found: missing > 0 ? `${item.sequence}, ${missing} missing`
      : `${item.sequence}${verdict === "valid" ? "" : `: ${verdict}`}`,
  }, {
    check: "previous_sha256", passed: !forked,
    wanted: next ? before.sha256 : "nothing to compare with",
    found: item.previous,
  }];
}

export class Board {
  // on: { changed(feed), event(kind, text), item(feed, judged) }
  constructor(policy, on) {
    this.policy = policy;
    this.on = on;
    this.cache = new DocumentCache();
    this.feeds = new Map();
    this.documents = new Map(); // their bytes, by SHA-256
    this.fetchDocument = async () => null;
    this.tail = Promise.resolve();
    this.waiting = 0;
    this.nowMs = () => Date.now();
  }

  // What has no room, or no name, is shown together as "(other)".
  feed(name) {
    const known = NAME.test(name) &&
      (this.feeds.has(name) || this.feeds.size < FEEDS_MAX);
    const key = known ? name : "(other)";
    if (!this.feeds.has(key)) this.feeds.set(key, new Feed(key));
    return this.feeds.get(key);
  }

  addDocument(hash, bytes) {
    this.documents.set(hash, bytes);
    if (this.documents.size > DOCUMENTS_MAX) {
      this.documents.delete(this.documents.keys().next().value);
    }
  }

  // The same feeds, judged by another policy from now on: their newest items
  // at once, as if they had come just now.
  setPolicy(policy) {
    this.policy = policy;
    this.cache = new DocumentCache();
    for (const feed of this.feeds.values()) {
      const text = feed.last?.text;
      feed.last = feed.good = feed.order = null;
      if (text !== undefined) this.take(text, feed.name, true);
    }
  }

  // One thing after the other.
  queue(run) {
    if (this.waiting >= WAITING_MAX) {
      this.on.event("bad", "more comes than can be judged; some is dropped");
      return this.tail;
    }
    this.waiting++;
    this.tail = this.tail.then(run)
      .catch((error) => this.on.event("bad", `our own fault: ${error}`))
      .then(() => this.waiting--);
    return this.tail;
  }

  // Has the item judged after those that came before it. fetched: it was asked
  // for, and may be one that the stream brings as well.
  take(text, name, fetched = false) {
    return this.queue(() => this.judge(text, name, fetched));
  }

  // A document, for items that refer to it by its hash.
  takeDocument(bytes) {
    return this.queue(async () =>
      this.addDocument(toHex(await sha256(bytes)), bytes));
  }

  // null if it cannot be had.
  async findDocument(hash) {
    const bytes = this.documents.get(hash) ?? await this.fetchDocument(hash);
    if (bytes !== null && !this.documents.has(hash)) {
      this.addDocument(hash, bytes);
    }
    return bytes;
  }

  // The documents that the item and its co-signatures refer to, by their hash.
  async documentsOf(text) {
    const hashes = new Set();
    for (const [, hash] of text.matchAll(REFERENCE)) {
      hashes.add(hash);
      if (hashes.size > COSIGNATURES_MAX) break;
    }
    const found = await Promise.all([...hashes].map(async (hash) =>
      [hash, await this.findDocument(hash)]));
    return new Map(found.filter(([, bytes]) => bytes !== null));
  }

  // Live, or, if it only came too late, as of when it was published.
  async verify(text, documents) {
    const args = { policy: this.policy, text, documents, cache: this.cache };
    const live = await verifyItem({ ...args, nowMs: this.nowMs() });
    if (!LATE.includes(live.verdict)) return { ...live, late: null };
    const replay = await verifyItem(args);
    return replay.verdict === "valid"
      ? { ...replay, checks: live.checks, late: live.verdict }
      : { ...live, late: null };
  }

  async judge(text, name, fetched) {
    const documents = await this.documentsOf(text);
    const judged = await this.verify(text, documents);
    const of = judged.verdict === "valid" ? judged.content.feed : name;
    // A refused item may call itself what it likes: `name` is only a hint.
    const feed = this.feed(of);
    Object.assign(judged, { text, documents, receivedMs: this.nowMs() });
    if (judged.verdict === "valid") this.accept(feed, judged, fetched);
    else this.refuse(feed, judged);
    this.on.item(feed, judged);
    this.on.changed(feed);
  }

  refuse(feed, judged, failed = judged.checks.at(-1)?.check) {
    judged.state = "refused";
    judged.failed = failed ?? "internal_error";
    feed.last = judged;
    feed.counts.refused++;
    this.on.event("bad", `${feed.name}: refused by ${judged.failed}` +
      ` (${judged.verdict}): ${judged.why ?? ""}`);
  }

  accept(feed, judged, fetched) {
    const { content } = judged;
    const item = { bootId: content.boot_id, sequence: content.sequence,
      previous: content.previous_sha256, publishedMs: content.published_ms,
      sha256: judged.sha256, fetched };
    const before = feed.order;
    const order = nextInSequence(before, item);
    judged.checks = [...judged.checks, ...orderChecks(before, item, order)];
    if (order.verdict === "sequence_replay" &&
        (fetched || item.sha256 === before.sha256)) {
      this.again(feed, judged, fetched || before.fetched);
      return;
    }
    if (order.verdict !== "valid" && order.verdict !== "sequence_gap") {
      judged.verdict = order.verdict;
      judged.why = order.verdict;
      this.refuse(feed, judged, order.verdict === "sequence_fork"
        ? "previous_sha256" : "sequence");
      return;
    }
    feed.order = order.state;
    this.keep(feed, judged, order.missing);
  }

  // We have it, and nothing changes. Once asked for and once streamed is no
  // fault of anybody.
  again(feed, judged, expected) {
    judged.state = expected ? "known" : "doubled";
    if (!expected) feed.counts.doubled++;
    feed.order.fetched = false;
  }

  keep(feed, judged, missing) {
    judged.state = judged.late === null ? "verified" : "late";
    feed.last = feed.good = judged;
    feed.counts[judged.state]++;
    feed.counts.missing += missing;
    feed.draw(judged, missing);
    if (missing > 0) {
      this.on.event("warn", `${feed.name}: ${missing} missing before ` +
        `sequence ${judged.content.sequence}`);
    }
  }
}
