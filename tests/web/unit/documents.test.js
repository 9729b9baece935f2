// Documents of our own making: a good one, and each thing that can be wrong.
import { NOW_MS, cborArray, cborBytes, cborMap, cborNull, cborText, cborUint,
  constraints, der, extension, makeChain, makeDocument, makePolicy, pinned,
  usage } from "./builder.js";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { DocumentCache } from "../../../verifier/web/established.js";
import { verifyDocument } from "../../../verifier/web/verify.js";

const policy = await makePolicy();

async function verdictOf(bytes, nowMs = NOW_MS, by = policy) {
  return (await verifyDocument({ policy: by, bytes, nowMs })).verdict;
}

test("a good document, its facts and each of its checks", async () => {
  const bytes = makeDocument(), seen = [];
  const out = await verifyDocument({ policy, bytes, nowMs: NOW_MS,
    report: ({ check, passed }) => seen.push([check, passed]) });
  assert.equal(out.verdict, "valid", out.why);
  assert.deepEqual(seen.map(([check]) => check), ["cose", "document", "root",
    "certificate_profile", "chain", "document_signature", "revoked",
    "chain_time", "chain_time", "document_time", "debug", "pcr0", "pcr1",
    "pcr2", "pcr16", "release"]);
  assert.ok(seen.every(([, passed]) => passed));
  assert.equal(out.established.root.platform, "simulated");
  assert.equal(out.established.certs.length, 5);
  assert.equal(out.established.facts.notAfterMs, NOW_MS + 7200000);
  assert.equal(out.release.name, "test");
});

// name: [what is spoilt in the payload, verdict]
const PAYLOADS = {
  "no timestamp": [{ timestamp: null }, "document_malformed"],
  "a timestamp of 0": [{ timestamp: cborUint(0) }, "document_malformed"],
  "a timestamp that is text": [{ timestamp: cborText("1") },
    "document_malformed"],
  "another digest": [{ digest: cborText("SHA512") }, "document_malformed"],
  "an unknown key": [{ more: cborNull }, "document_malformed"],
  "no cabundle": [{ cabundle: cborArray() }, "document_malformed"],
  "a PCR of 32 bytes": [{ pcrs: cborMap([[cborUint(0),
    cborBytes(Buffer.alloc(32))]]) }, "document_malformed"],
  "PCR0 only": [{ pcrs: cborMap([[cborUint(0),
    cborBytes(Buffer.alloc(48))]]) }, "document_malformed"],
  "user_data of 1025 bytes": [{ user_data: cborBytes(Buffer.alloc(1025)) },
    "document_malformed"],
  "a NitroTPM": [{ pcrs: null, nitrotpm_pcrs: cborMap([]) },
    "not_an_enclave"],
  "no enclave's module_id": [{ module_id: cborText("i-0123-tpm00") },
    "not_an_enclave"],
  "a module_id in capitals": [{
    module_id: cborText("I-0123456789abcdef0-enc019aa5b1c0000000") },
  "document_malformed"],
  "another enclave's module_id": [{
    module_id: cborText("i-0123456789abcdef0-enc019aa5b1c0000001") },
  "certificate_profile"],
};
for (const [name, [payload, wanted]] of Object.entries(PAYLOADS)) {
  test(`payload with ${name}`, async () => {
    assert.equal(await verdictOf(makeDocument({ payload })), wanted);
  });
}

test("a key that comes twice in the payload", async () => {
  const more = [["digest", cborText("SHA384")]];
  assert.equal(await verdictOf(makeDocument({ more })), "document_malformed");
  assert.equal(await verdictOf(makeDocument({ more: [["x", cborNull]] })),
    "document_malformed");
});

test("PCRs that come twice, are too many or too high", async () => {
  const all = Array.from({ length: 17 }, (_, i) => [cborUint(i),
    cborBytes(Buffer.alloc(48, 7))]);
  for (const [index, wanted] of [[16, "document_malformed"],
    [32, "document_malformed"], [31, "pcr_mismatch"]]) {
    const pcrs = cborMap([...all, [cborUint(index),
      cborBytes(Buffer.alloc(48, 7))]]);
    assert.equal(await verdictOf(makeDocument({ payload: { pcrs } })), wanted);
  }
});

test("a COSE_Sign1 of another form", async () => {
  const forms = [{ header: Buffer.from("a1013823", "hex") },
    { header: Buffer.from("a10126", "hex") },
    { unprotected: [[cborUint(1), cborUint(1)]] }, { fifth: [cborNull] }];
  for (const form of forms) {
    assert.equal(await verdictOf(makeDocument(form)), "cose_malformed");
  }
});

test("optional fields may be absent, null or empty", async () => {
  for (const value of [null, cborNull, cborBytes(Buffer.alloc(0))]) {
    const payload = { public_key: value, user_data: value, nonce: value };
    assert.equal(await verdictOf(makeDocument({ payload })), "valid");
  }
});

test("signed by another key", async () => {
  const signer = generateKeyPairSync("ec", { namedCurve: "P-384" });
  assert.equal(await verdictOf(makeDocument({ signer })),
    "document_signature");
});

test("under another root of the same name", async () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const chain = makeChain((i) => i === 0 ? { key: other, signer: other } : {});
  assert.equal(await verdictOf(makeDocument({ chain })), "root_untrusted");
});

// name: [which certificate, what is spoilt in it, verdict]
const stranger = generateKeyPairSync("ec", { namedCurve: "P-384" });
// brainpoolP384r1, with a point that is on P-384
const otherCurve = der(0x30, der(0x30,
  Buffer.from("06072a8648ce3d020106092b240303020801010b", "hex")),
der(0x03, [0], stranger.publicKey.export({ type: "spki", format: "der" })
  .subarray(-97)));
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const CA = [constraints(true, 1), usage(1, 0x86)];
const LEAF = [constraints(false), usage(6, 0xc0)];
const CERTIFICATES = {
  "signed by somebody else": [2, { signer: stranger }, "chain_broken"],
  "with another issuer's name": [2, { issuer: "else" }, "chain_broken"],
  "version 1": [2, { version: Buffer.alloc(0) }, "certificate_profile"],
  "version 2": [2, { version: der(0xa0, der(0x02, [1])) },
    "certificate_profile"],
  "serial number 0": [2, { serial: [0] }, "certificate_profile"],
  "a negative serial number": [2, { serial: [0x80] }, "certificate_profile"],
  "a serial number of 21 bytes": [2, { serial: Buffer.alloc(21, 1) },
    "certificate_profile"],
  "a P-256 key": [2, { key: p256 }, "certificate_profile"],
  "a point that is not on the curve": [2, { spki: Buffer.concat([
    stranger.publicKey.export({ type: "spki", format: "der" }).subarray(0, -1),
    Buffer.from([0])]) }, "certificate_profile"],
  "a curve of another name": [2, { spki: otherCurve },
    "certificate_profile"],
  "another algorithm outside": [2, {
    outerAlgorithm: der(0x30, der(0x06, Buffer.from("2a8648ce3d040302",
      "hex"))) }, "certificate_profile"],
  "unused bits in the signature": [2, { unused: 1 }, "certificate_profile"],
  "a signature that is an OCTET STRING": [2, { signatureTag: 0x04 },
    "certificate_profile"],
  "a unique identifier": [2, { tail: [der(0x81, [0, 1])] },
    "certificate_profile"],
  "no extensions": [2, { extensions: [] }, "certificate_profile"],
  "a CA that is none": [2, { extensions: [constraints(false), CA[1]] },
    "certificate_profile"],
  "a CA that may not sign": [2, { extensions: [CA[0], usage(7, 0x80)] },
    "certificate_profile"],
  "a CA without keyUsage": [2, { extensions: [CA[0]] },
    "certificate_profile"],
  "a pathLen that is too short": [2, { extensions: [constraints(true, 0),
    CA[1]] }, "certificate_profile"],
  "a pathLen of 17": [2, { extensions: [constraints(true, 17), CA[1]] },
    "certificate_profile"],
  "a keyUsage that ends with zeros": [2, { extensions: [CA[0],
    usage(0, 0x86)] }, "certificate_profile"],
  "a keyUsage of three bytes": [2, { extensions: [CA[0],
    usage(0, 0x86, 0x00, 0x01)] }, "certificate_profile"],
  "a keyUsage with a ninth bit": [2, { extensions: [CA[0],
    usage(7, 0x86, 0x80)] }, "valid"],
  "basicConstraints that are not critical": [2, {
    extensions: [constraints(true, 1, false), CA[1]] },
  "certificate_profile"],
  "an extension twice": [2, { extensions: [...CA, CA[1]] },
    "certificate_profile"],
  "a critical subject key identifier": [2, { extensions: [...CA,
    extension("551d0e", true, der(0x04, [1]))] }, "certificate_profile"],
  "17 extensions": [2, { extensions: [...CA, ...Array.from({ length: 15 },
    (_, i) => extension(`2a0${(i + 1).toString(16)}`, false, der(0x05)))] },
  "certificate_profile"],
  "16 extensions": [2, { extensions: [...CA, ...Array.from({ length: 14 },
    (_, i) => extension(`2a0${(i + 1).toString(16)}`, false, der(0x05)))] },
  "valid"],
  "an unknown critical extension": [2, { extensions: [...CA,
    extension("2a03", true, der(0x05))] }, "certificate_profile"],
  "an unknown extension": [2, { extensions: [...CA,
    extension("2a03", false, der(0x05))] }, "valid"],
  "name constraints": [2, { extensions: [...CA,
    extension("551d1e", false, der(0x30))] }, "certificate_profile"],
  "a leaf that is a CA": [4, { extensions: [constraints(true), LEAF[1]] },
    "certificate_profile"],
  "a leaf with a pathLen": [4, { extensions: [constraints(false, 0),
    LEAF[1]] }, "certificate_profile"],
  "a leaf that may sign certificates": [4, { extensions: [LEAF[0],
    usage(2, 0x84)] }, "certificate_profile"],
  "a leaf of another name": [4, { subject: "i-else.test.aws" },
    "certificate_profile"],
  "a byte behind it": [2, { finish: (c) => Buffer.concat([c, Buffer.from([0])])
  }, "certificate_profile"],
  "an issuer's key identifier of somebody else": [2, {
    extensions: [...CA, extension("551d23", false,
      der(0x30, der(0x80, [1])))] }, "valid"], // its issuer names none
  "that has expired": [2, { notAfterMs: NOW_MS - 1000 }, "chain_expired"],
  "of tomorrow": [2, { notBeforeMs: NOW_MS + 6000 }, "chain_not_yet_valid"],
};
for (const [name, [at, spoil, wanted]] of Object.entries(CERTIFICATES)) {
  test(`a certificate ${name}`, async () => {
    const chain = makeChain((i) => i === at ? spoil : {});
    assert.equal(await verdictOf(makeDocument({ chain })), wanted);
  });
}

test("an authority key identifier that is not the issuer's", async () => {
  const chain = makeChain((i) => ({
    1: { extensions: [constraints(true, 2), usage(1, 0x86),
      extension("551d0e", false, der(0x04, [1]))] },
    2: { extensions: [...CA, extension("551d23", false,
      der(0x30, der(0x80, [2])))] } }[i] ?? {}));
  assert.equal(await verdictOf(makeDocument({ chain })), "chain_broken");
});

test("a chain in another order, too short, or with one left out", async () => {
  const chain = makeChain();
  const [root, a, b, c, leaf] = chain;
  for (const other of [[root, b, a, c, leaf], [root, a, c, leaf], [root, leaf],
    [root, a, b, c, c, leaf]]) {
    const verdict = await verdictOf(makeDocument({ chain: other }));
    assert.match(verdict, /^(chain_broken|certificate_profile)$/);
  }
  assert.equal(await verdictOf(makeDocument({ chain: [a, b, c, leaf] })),
    "root_untrusted");
});

test("times", async () => {
  const bytes = makeDocument(); // of a minute ago
  assert.equal(await verdictOf(bytes, NOW_MS + 239000), "valid");
  assert.equal(await verdictOf(bytes, NOW_MS + 241000), "document_too_old");
  assert.equal(await verdictOf(bytes, NOW_MS - 66000), "document_in_future");
  assert.equal(await verdictOf(bytes, NOW_MS + 7200001), "chain_expired");
  assert.equal(await verdictOf(bytes, null), "valid");
});

test("debug enclaves", async () => {
  const zeros = Buffer.alloc(48);
  const rawPcrs = Array.from({ length: 17 }, (_, i) =>
    i < 3 ? zeros : Buffer.alloc(48, i));
  const bytes = makeDocument({ rawPcrs });
  assert.equal(await verdictOf(bytes), "debug_enclave");
  const allowing = await makePolicy({ insecure_allow_debug: true,
    releases: [{ name: "debug", pcrs: { 0: zeros.toString("hex") } }] });
  assert.equal(await verdictOf(bytes, NOW_MS, allowing), "valid");
});

test("the policy's pins, windows and wishes", async () => {
  const bytes = makeDocument(), pcrs = pinned();
  const release = (more) => [{ name: "x", pcrs, ...more }];
  const cases = [
    [{ releases: release({ pcrs: { ...pcrs, 16: "00".repeat(48) } }) },
      "pcr_mismatch"],
    [{ releases: release({ pcrs: { 0: pcrs[0], 17: "00".repeat(48) } }) },
      "pcr_mismatch"], // absent
    [{ releases: release({ pcrs: { 0: ["11".repeat(48), pcrs[0]] } }) },
      "valid"],
    [{ releases: release({ not_after: "2026-11-20T00:00:00Z" }) },
      "release_window"],
    [{ releases: [...release({ not_after: "2026-11-20T00:00:00Z" }),
      { name: "y", pcrs }] }, "valid"],
    [{ nonce: "00" }, "nonce_mismatch"],
    [{ user_data: "00" }, "user_data_mismatch"],
    [{ max_enclave_age_s: 1 }, "enclave_too_old"],
    [{ booted_after: "2026-11-20T00:00:00Z" }, "enclave_too_old"],
    [{ booted_after: "2025-11-20T00:00:00Z" }, "valid"],
  ];
  for (const [more, wanted] of cases) {
    assert.equal(await verdictOf(bytes, NOW_MS, await makePolicy(more)),
      wanted, JSON.stringify(more));
  }
});

test("the key's epoch that the policy demands", async () => {
  const bound = (...epoch) => ({ payload: { user_data: cborBytes(cborMap([
    [cborText("boot_id"), cborBytes(Buffer.alloc(16))],
    ...epoch.map((value) => [cborText("key_epoch"), value]),
    [cborText("config_sha256"), cborBytes(Buffer.alloc(32))]])) } });
  const cases = [[bound(cborUint(3)), 3, "valid"],
    [bound(cborUint(3)), 4, "key_epoch"], [bound(cborUint(0)), 1, "key_epoch"],
    [bound(cborText("9")), 1, "key_epoch"], [bound(), 1, "key_epoch"],
    [bound(), 0, "valid"], [{ payload: { user_data: cborNull } }, 1,
      "key_epoch"]];
  for (const [spoil, least, wanted] of cases) {
    assert.equal(await verdictOf(makeDocument(spoil), NOW_MS,
      await makePolicy({ min_key_epoch: least })), wanted);
  }
});

test("a revoked certificate", async () => {
  const out = await verifyDocument({ policy, bytes: makeDocument(),
    nowMs: NOW_MS });
  const { issuer, serial } = out.established.facts.links[1];
  const revoked = [{ issuer_spki_sha256: issuer, serial: `0${serial}` }];
  assert.equal(await verdictOf(makeDocument(), NOW_MS,
    await makePolicy({ revoked })), "certificate_revoked");
});

test("what is no document at all", async () => {
  const wrong = [[], [0x84], [0xd2, 0xd2], [0xf6], Array(20481).fill(0x84)];
  for (const bytes of wrong) {
    assert.equal(await verdictOf(Uint8Array.from(bytes)), "cose_malformed");
  }
});

test("the cache spares the signatures, and never the time", async () => {
  const cache = new DocumentCache(), bytes = makeDocument();
  const ask = (nowMs) => verifyDocument({ policy, bytes, nowMs, cache });
  assert.equal((await ask(NOW_MS)).verdict, "valid");
  const again = await ask(NOW_MS);
  assert.equal(again.checks[0].found, "verified before");
  assert.equal((await ask(NOW_MS + 7200001)).verdict, "chain_expired");
});

test("nothing of a refused document enters the cache", async () => {
  const cache = new DocumentCache(), bytes = makeDocument();
  await verifyDocument({ policy, bytes, nowMs: NOW_MS + 7200001, cache });
  assert.equal(cache.documents.size, 0);
});
