// Items of our own making: a good one, and each thing that can be wrong; the C
// library says the same of each.
import { ROOT } from "./setup.js";
import { BOOT_ID, CONFIG_SHA256, NOW_MS, RSA_PEM, cborArray, cborBytes,
  cborMap, cborText, cborUint, der, makeChain, makeContent, makeDocument,
  makeItem, makePolicy, makeSource, pinned, toPem, userData }
  from "./builder.js";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { promisify } from "node:util";
import { verifyItem } from "../../../verifier/web/verify.js";

const policy = await makePolicy();
const asked = []; // what the C library is asked as well: [name, text, verdict]

// Asks with the document by reference, and notes the full form.
async function verdictOf(item, nowMs = NOW_MS, name = "") {
  const { verdict } = await verifyItem({ policy, ...item, nowMs });
  const full = item.text.replace(/\}$/, ',"attestation_doc_b64":"' +
    `${Buffer.from(item.document).toString("base64")}"}`);
  if (nowMs === NOW_MS) asked.push([name, full, verdict]);
  return verdict;
}

test("a good item, its facts and each of its checks", async () => {
  const out = await verifyItem({ policy, ...makeItem(), nowMs: NOW_MS });
  assert.equal(out.verdict, "valid", out.why);
  assert.deepEqual(out.checks.filter(({ found }) => found !== null)
    .map(({ check }) => check).slice(0, 3),
  ["content", "attestation_hash", "document"]);
  assert.deepEqual(out.checks.map(({ check }) => check).slice(-6),
    ["platform", "public_key", "item_signature", "user_data", "published",
      "expires"]);
  assert.ok(out.checks.every(({ passed }) => passed));
  assert.equal(out.content.price, "84000.10");
  assert.match(out.sha256, /^[0-9a-f]{64}$/);
});

// Contents as objects: name: [what is changed, verdict]
const other = makeSource({ exchange: "bitstamp", symbol: "btcusd" });
const failed = makeSource({ state: "failed", error: "timeout", last: null,
  price: null, received_ms: null, body_sha256: null, tls_spki_sha256: null });
const converted = (more) => ({ exchange: "okx", symbol: "BTC-USDT",
  last: "84000.10", bid: null, ask: null, price: "84000.10", via: "USDT-USD",
  rate: "1.0000", exchange_ms: 1, received_ms: 2, body_sha256: "ab".repeat(32),
  tls_spki_sha256: "cd".repeat(32), state: "used", ...more });
const unavailable = { status: "unavailable", reason: "insufficient_sources",
  price: null, confidence: null };
const CONTENTS = {
  "as it is": [{}, "valid"],
  "two sources": [{ sources: [other, makeSource()] }, "valid"],
  "two sources out of order": [{ sources: [makeSource(), other] }],
  "one source twice": [{ sources: [other, other] }],
  "a failed source": [{ sources: [other, failed] }, "valid"],
  "a failed source with a price": [{ sources: [other,
    { ...failed, price: "1.00" }] }],
  "a failure that nobody knows": [{ sources: [other,
    { ...failed, error: "tired" }] }],
  "a used source with an error": [{ sources: [makeSource({ error: "ok" })] }],
  "a state that nobody knows": [{ sources: [makeSource({ state: "new" })] }],
  "a converted source": [{ sources: [converted()] }, "valid"],
  "a time of receipt that is none": [{ sources: [makeSource({
    received_ms: -1 })] }],
  "a price without an answer": [{ sources: [makeSource({ received_ms: null,
    body_sha256: null, tls_spki_sha256: null })] }],
  "an answer without hashes": [{ sources: [makeSource({
    body_sha256: null })] }],
  "a failure with a quote and no answer": [{ sources: [other,
    { ...failed, last: "1.00" }] }],
  "a bid of zero": [{ sources: [makeSource({ bid: "0" })] }],
  "an exchange's time with a fraction": [{ sources: [makeSource({
    exchange_ms: 0.5 })] }],
  "33 sources": [{ sources: Array.from({ length: 33 }, (_, i) =>
    makeSource({ symbol: `S${String(i).padStart(2, "0")}` })) }],
  "32 sources": [{ sources: Array.from({ length: 32 }, (_, i) =>
    makeSource({ symbol: `S${String(i).padStart(2, "0")}` })) }, "valid"],
  "13 decimals": [{ price: "1.0000000000000", confidence: "0.0000000000000",
    sources: [makeSource({ price: "1.0000000000000" })] }],
  "a name of 32 characters": [{ feed: "B".repeat(32) }],
  "a source of other decimals": [{ sources: [makeSource({
    price: "84000.1" })] }],
  "a source with a blank in its name": [{ sources: [makeSource({
    exchange: "kra ken" })] }],
  "a second source of no known state": [{ sources: [other,
    makeSource({ state: "new" })] }],
  "a source for comparison": [{ sources: [other,
    makeSource({ state: "check" })] }, "valid"],
  "a rate that is none": [{ sources: [converted({ rate: null })] }],
  "a rate of zero": [{ sources: [converted({ rate: "0.0" })] }],
  "a conversion by nobody": [{ sources: [converted({ via: "" })] }],
  "a price, though unavailable": [{ ...unavailable, min_sources: 2,
    price: "1.00", confidence: "0.00" }],
  "a jump with too few sources": [{ ...unavailable, reason: "price_jump",
    min_sources: 2 }],
  "an uncertain clock": [{ ...unavailable, reason: "clock_uncertain" },
    "valid"],
  "another status": [{ status: "fine" }],
  "another format": [{ format: "hallmark/2" }],
  "another feed's name": [{ feed: "BTC USD" }],
  "an unknown member": [{ more: 1 }],
  "a price that is a number": [{ price: 84000.1 }],
  "a price with an exponent": [{ price: "1e5" }],
  "a price of zero": [{ price: "0.00" }],
  "a price below zero": [{ price: "-1.00" }],
  "a price with a plus": [{ price: "+1.00" }],
  "a price with a zero in front": [{ price: "084000.10" }],
  "a price of other decimals": [{ price: "84000.1" }],
  "a price that is too large": [{ price: "84000000000000000000.10" }],
  "a confidence below zero": [{ confidence: "-0.01" }],
  "no confidence": [{ confidence: null }],
  "a sequence with a fraction": [{ sequence: 1.5 }],
  "a negative sequence": [{ sequence: -1 }],
  "an expiry before the time": [{ expires_ms: NOW_MS - 1 }],
  "min_sources of 0": [{ min_sources: 0 }],
  "too few sources": [{ min_sources: 2 }],
  "capitals in a hash": [{ previous_sha256: "EF".repeat(32) }],
  "a short boot_id": [{ boot_id: "00" }],
  "another aggregation": [{ aggregation: "mean" }],
  "no price, signed": [{ ...unavailable, min_sources: 2 }, "valid"],
  "no price, though enough sources": [unavailable],
  "no price, for no reason": [{ ...unavailable, reason: "none" }],
  "a price jump": [{ ...unavailable, reason: "price_jump" }, "valid"],
  "a reason beside a price": [{ reason: "price_jump" }],
};

function ordered(more) { // `reason` has its place after `status`
  const { format, feed, boot_id, sequence, status, reason, ...rest } =
    makeContent(more);
  return JSON.stringify({ format, feed, boot_id, sequence, status,
    ...(reason === undefined ? {} : { reason }), ...rest });
}

for (const [name, [more, wanted]] of Object.entries(CONTENTS)) {
  test(`content with ${name}`, async () => {
    assert.equal(await verdictOf(makeItem({ content: ordered(more) }), NOW_MS,
      name), wanted ?? "content_malformed");
  });
}

test("contents that are no JSON of ours", async () => {
  const good = JSON.stringify(makeContent());
  for (const content of [good.replace(":", ": "), `${good} `, `\ufeff${good}`,
    good.replace('"sequence":7', '"sequence":7.0'), "null", "[]", "{}", "7",
    good.replace('"sequence":7', '"sequence":7,"sequence":7'),
    good.replace("kraken", "kr\\u0061ken"), good.slice(0, -1)]) {
    assert.equal(await verdictOf(makeItem({ content }), NOW_MS, content),
      "content_malformed", content);
  }
});

// name: [members to change, verdict]
const otherKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey
  .export({ type: "spki", format: "pem" });
const COSIGNATURE = { content: "{}", signature_b64: "c2ln", public_key: "PEM",
  platform: "simulated", attestation_sha256: "ab".repeat(32) };
const ENVELOPES = {
  "co-signatures": [{ cosignatures: [COSIGNATURE] }, "valid"],
  "co-signatures by none": [{ cosignatures: [] }, "envelope_malformed"],
  "co-signatures by five": [{ cosignatures: Array(5).fill(COSIGNATURE) },
    "envelope_malformed"],
  "a co-signature with more": [{ cosignatures: [{ ...COSIGNATURE, more: "" }] },
    "envelope_malformed"],
  "a co-signature inside of one": [{ cosignatures: [{ ...COSIGNATURE,
    cosignatures: [COSIGNATURE] }] }, "envelope_malformed"],
  "a text for co-signatures": [{ cosignatures: "" }, "envelope_malformed"],
  "no signature": [{ signature_b64: null }, "envelope_malformed"],
  "an empty signature": [{ signature_b64: "" }, "envelope_malformed"],
  "no base64": [{ signature_b64: "A===" }, "envelope_malformed"],
  "base64 with a blank": [{ signature_b64: "AAAA " }, "envelope_malformed"],
  "stray pad bits": [{ signature_b64: "AB==" }, "envelope_malformed"],
  "a short signature": [{ signature_b64: "AAAA" }, "item_signature"],
  "an unknown member": [{ more: "x" }, "envelope_malformed"],
  "a member that is a number": [{ platform: 1 }, "envelope_malformed"],
  "a NUL": [{ platform: "simu\0" }, "envelope_malformed"],
  "capitals in the hash": [{ attestation_sha256: "AB".repeat(32) },
    "envelope_malformed"],
  "another document's hash": [{ attestation_sha256: "ab".repeat(32) },
    "attestation_mismatch"],
  "a content that is too long": [{ content: "x".repeat(32769) },
    "envelope_malformed"],
  "a platform that is too long": [{ platform: "x".repeat(16) },
    "envelope_malformed"],
  "a key that is too long": [{ public_key: "x".repeat(1024) },
    "envelope_malformed"],
  "a signature that is too long": [{
    signature_b64: Buffer.alloc(514).toString("base64") },
  "envelope_malformed"],
  "another platform": [{ platform: "aws-nitro" }, "platform_mismatch"],
  "another key": [{ public_key: otherKey }, "key_not_attested"],
  "the key with a blank line": [{ public_key: `${RSA_PEM}\n` },
    "key_not_attested"],
};
for (const [name, [envelope, wanted]] of Object.entries(ENVELOPES)) {
  test(`envelope with ${name}`, async () => {
    assert.equal(await verdictOf(makeItem({ envelope }), NOW_MS, name), wanted);
  });
}

test("an envelope that says something twice", async () => {
  const { text, document } = makeItem();
  const twice = text.replace("{", '{"platform":"simulated",');
  assert.equal(await verdictOf({ text: twice, document }),
    "envelope_malformed");
  const escaped = text.replace("{", '{"pl\\u0061tform":"simulated",');
  assert.equal(await verdictOf({ text: escaped, document }),
    "envelope_malformed");
  const spread = text.replace(',"signature_b64":', ' ,\n"signature_b64" : ');
  assert.equal(await verdictOf({ text: spread, document }), "valid");
  for (const wrong of ["", "[]", "null", `${text}x`, "{".repeat(9999),
    text + " ".repeat(131072)]) {
    const { verdict } = await verifyItem({ policy, text: wrong, document });
    assert.equal(verdict, "envelope_malformed");
  }
});

test("each digit of the price is signed", async () => {
  const { text, document } = makeItem();
  for (const from of ["84000.10", "kraken", BOOT_ID]) {
    const at = text.indexOf(from) + 1;
    const altered = text.slice(0, at) +
      String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
    assert.equal(await verdictOf({ text: altered, document }),
      "item_signature");
  }
});

test("the key, boot and configuration are the attested ones", async () => {
  const cases = [[{ public_key: cborBytes(Buffer.alloc(10)) },
    "key_not_attested"],
  [{ user_data: cborBytes(userData("ff".repeat(16))) }, "user_data_mismatch"],
  [{ user_data: cborBytes(userData(BOOT_ID, "ff".repeat(32))) },
    "user_data_mismatch"],
  [{ user_data: cborBytes(Buffer.from([0xa0])) }, "user_data_mismatch"],
  [{ user_data: cborBytes(Buffer.concat([userData(), Buffer.from([0])])) },
    "user_data_mismatch"]];
  for (const [payload, wanted] of cases) {
    const document = makeDocument({ payload });
    assert.equal(await verdictOf(makeItem({ document })), wanted);
  }
});

// SubjectPublicKeyInfo of an RSA key, as it may be spoilt.
function spkiOf(modulus, exponent, unused = 0) {
  const key = der(0x30, der(0x02, modulus), der(0x02, exponent));
  return der(0x30, der(0x30, Buffer.from("06092a864886f70d0101010500", "hex")),
    der(0x03, [unused], key));
}

function pemOf(spki) {
  const lines = spki.toString("base64").match(/.{1,64}/g).join("\n");
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
}

test("attested keys that are not the kind that signs items", async () => {
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.alloc(255, 0xa5),
    Buffer.from([0xa5])]), e = [1, 0, 1];
  const bits = (n) => Buffer.concat([Buffer.from([0]), Buffer.alloc(n / 8,
    0xa5)]);
  const cases = [[spkiOf(modulus, e), "item_signature"], // of no other fault
    [spkiOf(modulus.subarray(1), e)], [spkiOf(modulus, [3])],
    [spkiOf(modulus, [1, 0, 2])], [spkiOf(modulus, [1, 0, 0, 0, 1])],
    [spkiOf(bits(1024), e)], [spkiOf(bits(2040), e)], [spkiOf(bits(4104), e)],
    [spkiOf(bits(4096), e), "item_signature"], [spkiOf(modulus, e, 1)],
    [Buffer.concat([spkiOf(modulus, e), Buffer.from([0])])]];
  for (const [spki, wanted] of cases) {
    const document = makeDocument({ payload: { public_key: cborBytes(spki) } });
    const item = makeItem({ document, envelope: { public_key: pemOf(spki) } });
    assert.equal(await verdictOf(item), wanted ?? "key_not_attested",
      spki.toString("hex"));
  }
});

// An oracle may bind more than we know of, in deterministic CBOR.
test("user_data of other forms", async () => {
  const boot = [cborText("boot_id"), cborBytes(Buffer.from(BOOT_ID, "hex"))];
  const config = [cborText("config_sha256"),
    cborBytes(Buffer.from(CONFIG_SHA256, "hex"))];
  const more = (count, value) => Array.from({ length: count }, (_, i) =>
    [cborText(`z${String(i).padStart(20, "0")}`), value]);
  const cases = [
    [[boot, config, ...more(2, cborUint(1))], "valid"],
    [[config, boot]], [[boot]], [[config]], [[boot, boot, config]],
    [[boot, config, ...more(31, cborUint(1))]],
    [[boot, config, ...more(1, cborBytes(Buffer.alloc(450)))]],
    [[boot, config, ...more(1, cborArray())]],
    [[boot, config, [cborText("z".repeat(65)), cborUint(1)]]],
  ];
  for (const [entries, wanted] of cases) {
    const document = makeDocument({ payload: {
      user_data: cborBytes(cborMap(entries)) } });
    assert.equal(await verdictOf(makeItem({ document })),
      wanted ?? "user_data_mismatch");
  }
});

test("times", async () => {
  const item = makeItem();
  const at = async (ms) => verdictOf(item, ms);
  assert.equal(await at(NOW_MS + 5000), "valid");
  assert.equal(await at(NOW_MS + 5001), "item_expired");
  assert.equal(await at(NOW_MS + 300001), "item_too_old");
  assert.equal(await at(NOW_MS - 5001), "item_in_future");
  assert.equal(await at(null), "valid"); // when it was published
  const early = makeItem({ content: { published_ms: NOW_MS - 65001 } });
  assert.equal(await verdictOf(early), "item_before_document");
  const late = NOW_MS + 7200001;
  const afterwards = makeItem({ content: { published_ms: late,
    expires_ms: late + 5000 } });
  assert.equal(await verdictOf(afterwards, null), "item_after_chain");
});

test("a document that cannot be had", async () => {
  const { verdict } = await verifyItem({ policy, text: makeItem().text,
    nowMs: NOW_MS });
  assert.equal(verdict, "attestation_missing");
});

test("the C library says the same of each", existsSync(
  `${process.env.HALLMARK_BIN ?? `${ROOT}build/bin`}/hallmark`) ||
  process.env.CI === "true" ? {} : { skip: "hallmark is not built" },
async () => {
  const bin = process.env.HALLMARK_BIN ?? `${ROOT}build/bin`;
  const folder = mkdtempSync(`${tmpdir()}/hallmark-web-`);
  const run = promisify(execFile), different = [];
  writeFileSync(`${folder}/root.pem`, toPem(makeChain()[0]));
  writeFileSync(`${folder}/policy.json`, JSON.stringify({
    root_files: ["root.pem"], releases: [{ name: "test", pcrs: pinned() }] }));
  for (const [name, text, verdict] of asked) {
    writeFileSync(`${folder}/item.json`, text);
    const { stdout } = await run(`${bin}/hallmark`, ["verify",
      `${folder}/item.json`, "--policy", `${folder}/policy.json`, "--at",
      "2026-11-21T00:00:00Z", "--json"]).catch((failure) => failure);
    const theirs = stdout.startsWith("{") ? JSON.parse(stdout).verdict : stdout;
    if (theirs !== verdict) {
      different.push(`${name}: ${verdict} here, ${theirs} there`);
    }
  }
  rmSync(folder, { recursive: true });
  assert.ok(asked.length > 60);
  assert.deepEqual(different, []);
});
