// What the page does with what it hears: the board, the alterations, the
// stream, the kept policy. No browser: EventSource is one of ours.
import { NOW_MS, makeChain, makeItem, makePolicy, pinned, toPem }
  from "./builder.js";
import { byReference, cosign, makeVoice, withCosignatures, wordOf }
  from "./cosigner.js";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Board } from "../../../verifier/web/board.js";
import { plannedChecks, summarise } from "../../../verifier/web/checks.js";
import { stateOf } from "../../../verifier/web/table.js";
import { ALTERATIONS, alterationsUnder, tamper } from "../../../verifier/web/tamper.js";
import { Stream } from "../../../verifier/web/stream.js";
import { spellPolicy } from "../../../verifier/web/policy.js";
import { describeRoot, forget, fromServer, keep, parseKept, readKept,
  splitPems } from "../../../verifier/web/trust.js";
import { verifyItem } from "../../../verifier/web/verify.js";

const policy = await makePolicy();
const { document } = makeItem();
const hash = createHash("sha256").update(document).digest("hex");

const strict = await makePolicy({ quorum: 1 });
const voice = makeVoice("a1".repeat(16));

// { text, documents }: with another enclave's word beside it.
function makeCosigned(text) {
  const item = { text, document };
  return byReference(withCosignatures(item,
    [cosign(voice, wordOf(voice, item))]));
}

function makeBoard(nowMs = NOW_MS) {
  const heard = [];
  const board = new Board(policy, { changed: () => {}, item: () => {},
    event: (kind, text) => heard.push(`${kind} ${text}`) });
  board.nowMs = () => nowMs;
  board.addDocument(hash, document);
  return { board, heard };
}

// Items of one feed in order, each naming the one before.
function makeItems(count) {
  const out = [];
  let previous = "0".repeat(64);
  for (let sequence = 0; sequence < count; sequence++) {
    const { text } = makeItem({ document, content: { sequence,
      previous_sha256: previous, published_ms: NOW_MS - count + sequence } });
    previous = createHash("sha256").update(JSON.parse(text).content)
      .digest("hex");
    out.push(text);
  }
  return out;
}

test("the board: in order, with a gap, doubled, spoilt", async () => {
  const { board, heard } = makeBoard(), items = makeItems(6);
  for (const i of [0, 1, 1, 2, 5]) await board.take(items[i], "BTC-USD");
  const feed = board.feeds.get("BTC-USD");
  assert.deepEqual(feed.counts, { verified: 4, late: 0, refused: 0, missing: 2,
    doubled: 1 });
  assert.equal(stateOf(feed, NOW_MS), "verified");
  assert.equal(stateOf(feed, NOW_MS + 60000), "stale");
  assert.equal(feed.points.length, 4);
  assert.equal(feed.points.at(-1).missing, 2);
  await board.take(items[4], "BTC-USD"); // an earlier one again
  assert.equal(feed.last.failed, "sequence");
  await board.take(items[5].replace("kraken", "krakem"), "BTC-USD");
  assert.equal(feed.last.failed, "item_signature");
  assert.equal(stateOf(feed, NOW_MS), "refused");
  assert.equal(feed.good.content.sequence, 5);
  assert.deepEqual(heard.map((line) => line.split(" ")[0]),
    ["warn", "bad", "bad"]);
});

test("the board: asked for and streamed is not doubled", async () => {
  const { board, heard } = makeBoard(), items = makeItems(3);
  await board.take(items[1], "BTC-USD", true);
  await board.take(items[1], "BTC-USD"); // the stream has it, too
  await board.take(items[2], "BTC-USD");
  await board.take(items[0], "BTC-USD", true); // an answer that came late
  const { counts } = board.feeds.get("BTC-USD");
  assert.deepEqual([counts.verified, counts.doubled, counts.refused],
    [2, 0, 0]);
  await board.take(items[2], "BTC-USD");
  assert.equal(counts.doubled, 1);
  assert.deepEqual(heard, []);
});

test("the board: another policy judges what is shown at once", async () => {
  const { board } = makeBoard(), items = makeItems(2);
  await board.take(items[0], "BTC-USD");
  board.setPolicy(await makePolicy({ releases: [{ name: "other",
    pcrs: { 0: "00".repeat(48) } }] }));
  await board.tail;
  const feed = board.feeds.get("BTC-USD");
  assert.equal(feed.last.failed, "pcr0");
  assert.equal(feed.good, null);
  board.setPolicy(policy);
  await board.take(items[1], "BTC-USD");
  assert.equal(feed.last.state, "verified");
  assert.equal(feed.last.content.sequence, 1);
  assert.equal(feed.points.length, 2);
});

test("the board: more than can be judged", async () => {
  const { board, heard } = makeBoard();
  board.waiting = 20000;
  await board.take(makeItems(1)[0], "BTC-USD");
  assert.equal(board.feeds.size, 0);
  assert.match(heard[0], /dropped/);
});

test("the board: old, but not expired, is not verified", async () => {
  const { board } = makeBoard(NOW_MS + 301000);
  const { text } = makeItem({ document, content: {
    expires_ms: NOW_MS + 9000000 } });
  await board.take(text, "BTC-USD");
  const feed = board.feeds.get("BTC-USD");
  assert.equal(feed.last.late, "item_too_old");
  assert.equal(stateOf(feed, NOW_MS + 301000), "late");
});

test("the board: another history of the same feed", async () => {
  const { board } = makeBoard(), items = makeItems(2);
  await board.take(items[0], "BTC-USD");
  const { text } = makeItem({ document, content: { sequence: 1,
    previous_sha256: "ab".repeat(32) } });
  await board.take(text, "BTC-USD");
  const { last } = board.feeds.get("BTC-USD");
  assert.equal(last.verdict, "sequence_fork");
  assert.equal(last.failed, "previous_sha256");
  const summary = summarise(plannedChecks(policy), last.checks);
  assert.equal(summary.get("previous_sha256").state, "fail");
  assert.equal(summary.get("sequence").state, "pass");
  assert.equal(summary.get("item_signature").state, "pass");
});

test("the board: genuine, but too late", async () => {
  const { board } = makeBoard(NOW_MS + 20000);
  await board.take(makeItems(1)[0], "BTC-USD");
  const feed = board.feeds.get("BTC-USD");
  assert.equal(feed.last.state, "late");
  assert.equal(feed.last.late, "item_expired");
  assert.equal(stateOf(feed, NOW_MS + 20000), "late");
  const summary = summarise(plannedChecks(policy), feed.last.checks, true);
  assert.equal(summary.get("expires").state, "late");
});

test("the board: a document that must be fetched, or cannot be", async () => {
  const { board } = makeBoard(), [text] = makeItems(1);
  board.documents.clear();
  await board.take(text, "BTC-USD");
  assert.equal(board.feeds.get("BTC-USD").last.failed, "attestation");
  board.fetchDocument = async (asked) => asked === hash ? document : null;
  await board.take(text, "BTC-USD");
  assert.equal(board.feeds.get("BTC-USD").last.state, "verified");
});

test("the board: the documents of co-signers, streamed or fetched", async () => {
  const { board } = makeBoard(), items = makeItems(3).map(makeCosigned);
  const feed = board.feed("BTC-USD"), fetched = [];
  board.setPolicy(strict);
  await board.take(items[0].text, "BTC-USD");
  assert.equal(feed.last.failed, "quorum");
  assert.match(feed.last.checks.at(-1).found, /one is attestation_missing/);
  await board.takeDocument(voice.document);
  await board.take(items[1].text, "BTC-USD");
  assert.equal(feed.last.state, "verified");
  assert.deepEqual(feed.last.cosigners, [voice.bootId]);
  board.setPolicy(strict); // nothing is known any more
  board.documents.clear();
  board.fetchDocument = async (asked) => {
    fetched.push(asked);
    return items[2].documents.get(asked) ?? null;
  };
  await board.take(items[2].text, "BTC-USD");
  assert.equal(feed.last.state, "verified");
  assert.equal(feed.last.content.sequence, 2);
  assert.deepEqual(fetched, [...items[2].documents.keys()]);
  const summary = summarise(plannedChecks(strict), feed.last.checks);
  assert.equal(summary.get("quorum").state, "pass");
  assert.ok(!plannedChecks(policy).includes("quorum"));
});

test("the board: co-signatures taken away, under a quorum", async () => {
  const { board } = makeBoard(), [text] = makeItems(1);
  board.setPolicy(strict);
  await board.take(text, "BTC-USD");
  const { last } = board.feeds.get("BTC-USD");
  assert.deepEqual([last.failed, last.verdict], ["quorum", "quorum_missing"]);
});

// Whatever an item refers to, no more is asked for than an item can have.
test("the board: more references than there can be", async () => {
  const { board } = makeBoard();
  let count = 0;
  board.fetchDocument = async () => {
    count++;
    return null;
  };
  const many = Array.from({ length: 900 }, (_, i) => ({
    attestation_sha256: i.toString(16).padStart(64, "0") }));
  await board.take(JSON.stringify({ cosignatures: many }), "BTC-USD");
  assert.equal(count, 5);
  assert.equal(board.feeds.get("BTC-USD").last.failed, "envelope");
});

test("the board: names that a server makes up", async () => {
  const { board } = makeBoard();
  for (let i = 0; i < 400; i++) board.feed(`F${i}`);
  board.feed("<img src=x>");
  assert.equal(board.feeds.size, 257); // and "(other)"
});

test("each alteration is refused by the check that it names", async () => {
  const { text, documents } = makeCosigned(makeItems(1)[0]);
  assert.ok(!alterationsUnder(policy).includes("quorum"));
  assert.deepEqual(alterationsUnder(strict), Object.keys(ALTERATIONS));
  for (const [id, [, , check]] of Object.entries(ALTERATIONS)) {
    const altered = await tamper(id, text, document);
    const out = await verifyItem({ policy: strict, text: altered.text,
      document: altered.document, documents, nowMs: NOW_MS });
    assert.equal(out.checks.at(-1).check, check, id);
    assert.equal(out.checks.at(-1).passed, false, id);
    assert.ok(out.checks.slice(0, -1).every(({ passed }) => passed), id);
  }
});

// ---- the stream ----

class FakeSource {
  static CLOSED = 2;
  static all = [];

  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.listeners = {};
    FakeSource.all.push(this);
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  say(name, data, lastEventId = "") {
    this.listeners[name]({ data, lastEventId });
  }

  close() {
    this.readyState = 2;
  }
}

// A clock of ours; gives it back after the test.
function stopClock(t) {
  const { setTimeout, clearTimeout } = globalThis, timers = new Map();
  let nowMs = 0, next = 1;
  globalThis.setTimeout = (run, ms) => {
    timers.set(next, { run, atMs: nowMs + ms });
    return next++;
  };
  globalThis.clearTimeout = (id) => timers.delete(id);
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  return (ms) => {
    nowMs += ms;
    for (const [id, { run, atMs }] of [...timers]) {
      if (atMs <= nowMs && timers.delete(id)) run();
    }
  };
}

function openStream() {
  const heard = [], states = [];
  globalThis.EventSource = FakeSource;
  FakeSource.all = [];
  const stream = new Stream(new URL("http://x/stream"), {
    event: (name, data) => heard.push([name, data]),
    state: (name) => states.push(name) });
  stream.open();
  return { stream, heard, states };
}

test("the stream: resumes after an error that EventSource gives up on", (t) => {
  const tick = stopClock(t);
  const { stream, heard, states } = openStream(), [first] = FakeSource.all;
  first.onopen();
  first.say("price", "1", "a-1");
  first.say("heartbeat", "{}", "a-1");
  first.readyState = 2;
  first.onerror();
  assert.equal(FakeSource.all.length, 1); // not at once
  tick(1000);
  assert.equal(FakeSource.all.length, 2);
  assert.equal(FakeSource.all[1].url.search, "?since=a-1");
  FakeSource.all.at(-1).onopen();
  assert.equal(stream.reconnects, 1);
  assert.deepEqual(heard.map(([name]) => name), ["price", "heartbeat"]);
  assert.ok(states.includes("waiting"));
  assert.equal(states.at(-1), "live");
  stream.drop();
});

test("the stream: resumes from a heartbeat, before any price", (t) => {
  const tick = stopClock(t);
  const { stream } = openStream(), [first] = FakeSource.all;
  first.onopen();
  first.onerror(); // EventSource connects again by itself: nothing was missed
  tick(1000);
  assert.equal(FakeSource.all.length, 1);
  first.say("heartbeat", '{"time_ms":1,"last_id":"a-7"}');
  first.onerror();
  tick(1000);
  assert.equal(FakeSource.all[1].url.search, "?since=a-7");
  FakeSource.all[1].onopen();
  FakeSource.all[1].onerror(); // it has ?since=
  tick(1000);
  assert.equal(FakeSource.all.length, 2);
  stream.drop();
});

test("the stream: one that is silent is taken for dead", (t) => {
  const tick = stopClock(t);
  const { stream } = openStream();
  FakeSource.all[0].onopen();
  tick(20000);
  FakeSource.all[0].say("heartbeat", "{}");
  tick(20000);
  assert.equal(FakeSource.all.length, 1);
  tick(6000);
  assert.equal(FakeSource.all.length, 2);
  assert.equal(FakeSource.all[0].readyState, 2);
  stream.drop();
});

// ---- the kept policy ----

test("who vouches for a root is said as it is", async () => {
  const [simulated] = [...policy.roots.values()];
  assert.equal(describeRoot(simulated)[0], "SIMULATED");
  const aws = await makePolicy({ roots: ["aws-nitro-g1"] });
  const [known] = [...aws.roots.values()];
  assert.equal(describeRoot(known)[0], "AWS");
  assert.match(describeRoot(known)[1], /641a0321a3e244efe456463195d60631/);
  const other = { ...simulated, platform: "aws-nitro" };
  assert.equal(describeRoot(other)[0], "named by the policy");
});

test("a policy is kept, read, compared, forgotten", async () => {
  const map = new Map();
  const storage = { getItem: (k) => map.get(k) ?? null,
    setItem: (k, v) => map.set(k, v), removeItem: (k) => map.delete(k) };
  const pem = toPem(makeChain()[0]);
  const server = fromServer({ root_pems: [pem], policy: {
    root_files: ["root-0.pem"], releases: [{ name: "x", pcrs: pinned() }] } });
  assert.equal(readKept(storage), null);
  keep(storage, { ...server, source: "kept", savedMs: NOW_MS });
  const kept = readKept(storage);
  const spelt = spellPolicy(await parseKept(kept));
  const again = { ...server, text: JSON.stringify({ max_age_s: 300,
    root_files: ["x"], releases: [{ pcrs: { 16: [pinned()[16]], ...pinned() },
      name: "x" }] }) };
  assert.equal(spellPolicy(await parseKept(again)), spelt);
  assert.notEqual(spellPolicy(policy), spelt); // its release is called "test"
  assert.equal((await parseKept(kept)).releases[0].name, "x");
  assert.deepEqual(splitPems(`x\n${pem}\n${pem}`), [pem.trim(), pem.trim()]);
  map.set("hallmark.policy", '{"source":"server"}');
  assert.throws(() => readKept(storage));
  forget(storage);
  assert.equal(readKept(storage), null);
});
