// Pyth's own client, unchanged, against the facade of both programs: what
// works, and what cannot (the README's list).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { HermesClient } from "@pythnetwork/hermes-client";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const BTC = sha256("BTC-USD"), ETH = sha256("ETH-USD");
const content = (item) => JSON.parse(item.content);

for (const name of ["HALLMARK_ORACLE", "HALLMARK_VERIFIERD"]) {
  const client = new HermesClient(process.env[name], { httpRetries: 0 });

  test(`${name}: getPriceFeeds`, async () => {
    const all = await client.getPriceFeeds();
    const one = await client.getPriceFeeds({ query: "btc",
      assetType: "crypto" });
    assert.ok(all.length >= 2);
    assert.deepEqual(one.map((feed) => feed.id), [BTC]);
    assert.equal(one[0].attributes.base, "BTC");
    assert.deepEqual(await client.getPriceFeeds({ assetType: "fx" }), []);
  });

  test(`${name}: getLatestPriceUpdates`, async () => {
    const update = await client.getLatestPriceUpdates([`0x${BTC}`, ETH]);
    assert.deepEqual(update.parsed.map((price) => price.id), [BTC, ETH]);
    assert.equal(update.binary.encoding, "hex");
    const item = JSON.parse(Buffer.from(update.binary.data[0], "hex"));
    const { price, ema_price: ema } = update.parsed[0];
    const scaled = content(item).price.replace(".", "");
    assert.equal(BigInt(price.price), BigInt(scaled));
    assert.equal(price.expo, -content(item).price.split(".")[1].length);
    assert.equal(price.publish_time,
      Math.floor(content(item).published_ms / 1000));
    assert.deepEqual([ema.price, ema.publish_time], ["0", 0]);
  });

  test(`${name}: encoding, parsed, ignoreInvalidPriceIds`, async () => {
    const update = await client.getLatestPriceUpdates([BTC, "ab".repeat(32)], {
      encoding: "base64", parsed: false, ignoreInvalidPriceIds: true });
    assert.equal(update.parsed, undefined);
    const item = JSON.parse(Buffer.from(update.binary.data[0], "base64"));
    assert.equal(content(item).feed, "BTC-USD");
  });

  test(`${name}: an unknown id is an error that names it`, async () => {
    await assert.rejects(client.getLatestPriceUpdates(["ab".repeat(32)]),
      (error) => error.message.includes("404") &&
        error.message.includes("ab".repeat(32)));
  });

  test(`${name}: getPriceUpdatesStream`, async () => {
    const stream = await client.getPriceUpdatesStream([BTC], {
      parsed: true, allowUnordered: true, benchmarksOnly: false });
    const updates = [];
    try {
      await new Promise((resolve, reject) => {
        stream.onerror = reject;
        stream.onmessage = (event) => {
          updates.push(JSON.parse(event.data));
          if (updates.length === 3) resolve();
        };
      });
    } finally {
      stream.close();
    }
    const times = updates.map((u) => u.parsed[0].metadata.sequence);
    assert.deepEqual(times, [times[0], times[0] + 1, times[0] + 2]);
    const item = JSON.parse(Buffer.from(updates[0].binary.data[0], "hex"));
    assert.equal(item.attestation_doc_b64, undefined);
  });

  test(`${name}: what cannot be is refused, not made up`, async () => {
    await assert.rejects(client.getPriceUpdatesAtTimestamp(1700000000, [BTC]),
      /404.*NOT_FOUND/);
    await assert.rejects(client.getLatestPublisherCaps(), /404.*NOT_FOUND/);
  });
}
