// npm's eventsource, unchanged, against the streams of both programs: named
// events, ids that it resumes from by itself, and an end where there is none.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSource } from "eventsource";
import { Wire } from "./wire.js";

const SEEN_MS = 30000; // a ceiling
const CUT_MS = 3000;

async function until(what, ready) {
  for (const end = Date.now() + SEEN_MS; !ready(); await sleep(50)) {
    assert.ok(Date.now() < end, `no ${what}`);
  }
}

// All that comes, by name, for `use`; then closed.
async function withStream(url, use) {
  const stream = new EventSource(url), seen = {};
  for (const name of ["attestation", "price", "status", "heartbeat", "resync",
    "error", "open"]) {
    seen[name] = [];
    stream.addEventListener(name, (event) => seen[name].push(event));
  }
  try {
    await use(stream, seen);
  } finally {
    stream.close();
  }
}

const sequences = (events) => events.map(
  ({ data }) => JSON.parse(JSON.parse(data).content).sequence);

function assertNoneMissing(events) {
  const found = sequences(events);
  assert.deepEqual(found, found.map((_, i) => found[0] + i));
}

for (const name of ["HALLMARK_ORACLE", "HALLMARK_VERIFIERD"]) {
  const base = process.env[name];
  const url = `${base}/stream?feeds=BTC-USD`;

  test(`${name}: events have names, and durable ones ids`, () =>
    withStream(url, async (stream, seen) => {
      await until("prices", () => seen.price.length >= 3);
      await until("heartbeat", () => seen.heartbeat.length > 0);
      const [{ data }] = seen.attestation;
      assert.equal(JSON.parse(data).attestation_sha256,
        JSON.parse(seen.price[0].data).attestation_sha256);
      const ids = seen.price.map((event) => event.lastEventId);
      ids.forEach((id) => assert.match(id, /^[0-9a-z]+-[0-9]+$/));
      assert.equal(new Set(ids).size, ids.length);
      assertNoneMissing(seen.price);
    }));

  test(`${name}: cut off, it resumes by itself`, async () => {
    const wire = await new Wire(Number(new URL(base).port)).listen();
    try {
      await withStream(url.replace(/:\d+/, `:${wire.port}`),
        async (stream, seen) => {
          await until("prices", () => seen.price.length >= 3);
          wire.set("cut");
          await sleep(CUT_MS);
          const before = seen.price.length;
          wire.set("open");
          await until("more", () => seen.price.length >= before + 10);
          assert.ok(seen.error.length > 0 && seen.open.length === 2);
          assert.deepEqual(seen.resync, []);
          assertNoneMissing(seen.price);
        });
    } finally {
      wire.close();
    }
  });

  test(`${name}: a refused stream is not asked for again`, () =>
    withStream(`${base}/stream?feeds=NO-SUCH`, async (stream, seen) => {
      await until("error", () => seen.error.length > 0);
      assert.equal(seen.error[0].code, 404);
      assert.equal(stream.readyState, stream.CLOSED);
    }));
}
