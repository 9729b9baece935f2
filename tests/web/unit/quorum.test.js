// How many enclaves stand by an item, and the ways to pretend to be more than
// one is; the C library says the same of each, in the same words.
import { ROOT } from "./setup.js";
import { BOOT_ID, NOW_MS, cborBytes, cborMap, cborUint, makeChain, makeItem,
  makePolicy, pinned, rsa, toPem } from "./builder.js";
import { byReference, cosign, makeVoice, withCosignatures, wordOf }
  from "./cosigner.js";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { promisify } from "node:util";
import { DocumentCache } from "../../../verifier/web/established.js";
import { verifyItem } from "../../../verifier/web/verify.js";

const A = "a1".repeat(16), B = "b2".repeat(16), OTHER = "99".repeat(16);
const a = makeVoice(A), b = makeVoice(B), item = makeItem();
const policies = await Promise.all([0, 1, 2, 3].map((quorum) =>
  makePolicy({ quorum })));
const asked = []; // what the C library is asked as well

const good = (voice, more) => cosign(voice, wordOf(voice, item, more));

function quorumOf({ checks }) {
  return checks.find(({ check }) => check === "quorum") ?? null;
}

// [verdict, what the quorum's check found], live and of a replay.
async function ask(text, quorum, name) {
  const out = [];
  for (const nowMs of [NOW_MS + 1000, null]) {
    const judged = await verifyItem({ policy: policies[quorum], text, nowMs });
    const check = quorumOf(judged), found = check?.found ?? null;
    asked.push({ name, text, quorum, nowMs, verdict: judged.verdict,
      wanted: check?.wanted ?? null, found });
    out.push([judged.verdict, found]);
  }
  return out;
}

function altered(envelope, edit) {
  const copy = { ...envelope };
  edit(copy);
  return copy;
}

function flip(base64, at = 9) {
  const bytes = Buffer.from(base64, "base64");
  bytes[at] ^= 1;
  return bytes.toString("base64");
}

// Of another item, or by whom nothing attests: [co-signature, its verdict]
const one = (more, verdict) => [good(a, more), verdict];
const NONE = {
  "of another content": one({ content_sha256: "00".repeat(32) },
    "user_data_mismatch"),
  "of another feed": one({ feed: "ETH-USD" }, "user_data_mismatch"),
  "of another boot's item": one({ item_boot_id: OTHER }, "user_data_mismatch"),
  "of another sequence": one({ sequence: 8 }, "user_data_mismatch"),
  "without a price": one({ price: null }, "content_malformed"),
  "that is too late": one({ published_ms: NOW_MS + 5001 }, "item_too_old"),
  "that is too early": one({ published_ms: NOW_MS - 5001 }, "item_too_old"),
  "by a boot that is not the attested one": one({ boot_id: OTHER },
    "user_data_mismatch"),
  "of another configuration": one({ config_sha256: "00".repeat(32) },
    "user_data_mismatch"),
  "long before its document": one({ published_ms: NOW_MS - 65001 },
    "item_before_document"),
  "with a blank": [cosign(a, ` ${JSON.stringify(wordOf(a, item))}`),
    "content_malformed"],
  "that is an item": [cosign(a, JSON.parse(item.text).content),
    "content_malformed"],
  "whose signature is altered": [altered(good(a), (e) => {
    e.signature_b64 = flip(e.signature_b64);
  }), "item_signature"],
  "whose content is altered": [altered(good(a), (e) => {
    e.content = e.content.replace("84000.20", "84000.21");
  }), "item_signature"],
  "under another's key": [altered(cosign({ ...a, keys: b.keys },
    wordOf(a, item)), (e) => {
    e.public_key = b.pem;
  }), "key_not_attested"],
  "whose document is altered": [altered(good(a), (e) => {
    e.attestation_doc_b64 = flip(e.attestation_doc_b64, 999);
  }), "attestation_mismatch"],
  "of another platform": [altered(good(a), (e) => {
    e.platform = "aws-nitro";
  }), "platform_mismatch"],
  "without a document": [altered(good(a), (e) => {
    delete e.attestation_doc_b64;
  }), "attestation_missing"],
  "of another image": [good(makeVoice(A, { payload: {
    pcrs: otherPcrs() } })), "pcr_mismatch"],
  "under another root": [good(makeVoice(A, { chain: makeChain((i) =>
    i === 0 ? { serial: [2] } : {}) })), "root_untrusted"],
  "of the publisher's boot": [good(makeVoice(BOOT_ID)), "user_data_mismatch"],
};

// Of an image that the policy does not name.
function otherPcrs() {
  return cborMap(Array.from({ length: 16 }, (_, i) =>
    [cborUint(i), cborBytes(Buffer.alloc(48, 1))]));
}

for (const [name, [envelope, verdict]] of Object.entries(NONE)) {
  test(`a co-signature ${name}`, async () => {
    const alone = withCosignatures(item, [envelope]);
    const found = `0 of 1 co-signatures hold, one is ${verdict}`;
    assert.deepEqual(await ask(alone, 1, name),
      Array(2).fill(["quorum_missing", found]));
    // Who asks for no quorum is not troubled by what stands there.
    assert.deepEqual(await ask(alone, 0, name), Array(2).fill(["valid", found]));
    const beside = withCosignatures(item, [envelope, good(b)]);
    assert.deepEqual(await ask(beside, 1, name), Array(2).fill(["valid",
      `1 of 2 co-signatures hold, one is ${verdict}`]));
  });
}

test("two, one taken away, both taken away", async () => {
  const both = withCosignatures(item, [good(a), good(b)]);
  const held = "2 of 2 co-signatures hold";
  assert.deepEqual(await ask(both, 2), Array(2).fill(["valid", held]));
  assert.deepEqual(await ask(both, 3), Array(2).fill(["quorum_missing", held]));
  assert.deepEqual(await ask(withCosignatures(item, [good(b)]), 2),
    Array(2).fill(["quorum_missing", "1 of 1 co-signatures hold"]));
  assert.deepEqual(await ask(withCosignatures(item, []), 2),
    Array(2).fill(["quorum_missing", "0 of 0 co-signatures hold"]));
  assert.deepEqual(await ask(withCosignatures(item, []), 0),
    Array(2).fill(["valid", null]));
  const { cosigners, checks } = await verifyItem({ policy: policies[2],
    text: both, nowMs: NOW_MS });
  assert.deepEqual(cosigners, [A, B]);
  assert.deepEqual(checks.at(-1), { check: "quorum", passed: true,
    wanted: "2 other enclaves", found: held });
});

test("at the ends of what is near, and a price that nobody has", async () => {
  for (const published_ms of [NOW_MS + 5000, NOW_MS - 5000]) {
    const text = withCosignatures(item, [good(a, { published_ms })]);
    const found = [published_ms, await ask(text, 1)];
    assert.deepEqual(found, [published_ms,
      Array(2).fill(["valid", "1 of 1 co-signatures hold"])]);
  }
  const { content } = JSON.parse(item.text);
  const unavailable = makeItem({ content: content
    .replace('"ok"', '"unavailable","reason":"clock_uncertain"')
    .replace('"price":"84000.10","confidence":"0.00"',
      '"price":null,"confidence":null') });
  const text = withCosignatures(unavailable,
    [cosign(a, wordOf(a, unavailable, { price: null }))]);
  assert.deepEqual(await ask(text, 1),
    Array(2).fill(["valid", "1 of 1 co-signatures hold"]));
});

// One enclave is one voice: by its boot, and by its key.
test("one enclave, twice", async () => {
  const sameKey = makeVoice(OTHER, { keys: a.keys }), sameBoot = makeVoice(A);
  const twice = "1 of 2 co-signatures hold, one enclave speaks twice";
  for (const again of [good(a), good(a, { published_ms: NOW_MS + 41 }),
    good(sameKey), good(sameBoot)]) {
    const text = withCosignatures(item, [good(a), again]);
    assert.deepEqual(await ask(text, 2),
      Array(2).fill(["quorum_missing", twice]));
    assert.deepEqual(await ask(text, 1), Array(2).fill(["valid", twice]));
  }
  const four = withCosignatures(item,
    [good(a), good(sameKey), good(sameBoot), good(b)]);
  assert.deepEqual(await ask(four, 2), Array(2).fill(["valid",
    "2 of 4 co-signatures hold, one enclave speaks twice"]));
  const mixed = withCosignatures(item, [good(a), good(a),
    altered(good(b), (e) => {
      e.signature_b64 = flip(e.signature_b64);
    })]);
  assert.deepEqual(await ask(mixed, 2), Array(2).fill(["quorum_missing",
    "1 of 3 co-signatures hold, one is item_signature, one enclave speaks " +
    "twice"]));
  const bad = ["of another feed", "without a price"].map((n) => NONE[n][0]);
  assert.deepEqual(await ask(withCosignatures(item, bad), 1), Array(2).fill([
    "quorum_missing", "0 of 2 co-signatures hold, one is " +
    "user_data_mismatch"])); // the first
});

test("the publisher, with its own key", async () => {
  const self = makeVoice(OTHER, { keys: rsa });
  assert.deepEqual(await ask(withCosignatures(item, [good(self)]), 1),
    Array(2).fill(["quorum_missing",
      "0 of 1 co-signatures hold, one enclave speaks twice"]));
});

test("an item that is bad for another reason says that", async () => {
  const text = withCosignatures(item, []).replace("84000.10", "84000.11");
  assert.deepEqual(await ask(text, 2), Array(2).fill(["item_signature", null]));
});

test("live, a co-signature too must be of now", async () => {
  const old = good(a, { published_ms: NOW_MS - 5000 });
  const text = withCosignatures(item, [old]), nowMs = NOW_MS + 1000;
  const policy = await makePolicy({ quorum: 1, max_age_s: 5 });
  const live = await verifyItem({ policy, text, nowMs });
  assert.equal(live.verdict, "quorum_missing");
  assert.match(live.checks.at(-1).found, /one is item_too_old/);
  assert.equal((await verifyItem({ policy, text })).verdict, "valid");
});

test("by reference: documents that are supplied, or known", async () => {
  const full = withCosignatures(item, [good(a), good(b)]);
  const { text, documents } = byReference(full);
  const cache = new DocumentCache(), policy = policies[2];
  const given = async (more) => {
    const judged = await verifyItem({ policy, text, nowMs: NOW_MS, ...more });
    return judged.verdict;
  };
  assert.equal(await given({}), "attestation_missing");
  const [own, first, second] = [...documents];
  assert.equal(await given({ documents: new Map([own, first]) }),
    "quorum_missing");
  assert.equal(await given({ documents: new Map([own, first,
    [second[0], first[1]]]) }), "quorum_missing"); // called so
  const wrong = new Map([...documents.keys()].map((k) => [k, item.document]));
  assert.equal(await given({ documents: wrong, text: full }), "valid");
  assert.equal(await given({ documents, cache }), "valid");
  assert.equal(await given({ cache }), "valid");
});

const bin = process.env.HALLMARK_BIN ?? `${ROOT}build/bin`;

test("the C library says the same of each", existsSync(`${bin}/hallmark`) ||
  process.env.CI === "true" ? {} : { skip: "hallmark is not built" },
async () => {
  const folder = mkdtempSync(`${tmpdir()}/hallmark-web-`);
  const run = promisify(execFile);
  writeFileSync(`${folder}/root.pem`, toPem(makeChain()[0]));
  for (const quorum of policies.keys()) {
    writeFileSync(`${folder}/${quorum}.json`, JSON.stringify({ quorum,
      root_files: ["root.pem"], releases: [{ name: "test",
        pcrs: pinned() }] }));
  }
  for (const { name, text, quorum, nowMs, ...ours } of asked) {
    writeFileSync(`${folder}/item.json`, text);
    const at = nowMs === null ? "published" : "2026-11-21T00:00:01Z";
    const { stdout } = await run(`${bin}/hallmark`, ["verify",
      `${folder}/item.json`, "--policy", `${folder}/${quorum}.json`, "--at",
      at, "--json"]).catch((failure) => failure);
    const theirs = JSON.parse(stdout), check = quorumOf(theirs);
    assert.deepEqual({ verdict: theirs.verdict, wanted: check?.wanted ?? null,
      found: check?.found ?? null }, ours, `${name}, ${at}, ${quorum}`);
  }
  rmSync(folder, { recursive: true });
  assert.ok(asked.length > 150);
});
