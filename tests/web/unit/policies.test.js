// Policies that must not become less than what their author meant: each is
// refused here and by `hallmark policy check`.
import { ROOT } from "./setup.js";
import { makeChain, toPem } from "./builder.js";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { promisify } from "node:util";
import { parsePolicy } from "../../../verifier/web/policy.js";
import { parseCert } from "../../../verifier/web/x509.js";

const HALLMARK = `${process.env.HALLMARK_BIN ?? `${ROOT}build/bin`}/hallmark`;
const ROOT_PEM = toPem(makeChain()[0]);
const GOOD = { root_files: ["root.pem"], releases: [{ name: "x",
  pcrs: { 0: "00".repeat(48) } }] };

function withRelease(more) {
  return { ...GOOD, releases: [{ ...GOOD.releases[0], ...more }] };
}

async function wrongPolicies() {
  const { spkiSha256, serial } = await parseCert(
    new Uint8Array(makeChain()[0]));
  const hex = (bytes) => Buffer.from(bytes).toString("hex");
  const revoked = (more) => ({ ...GOOD, revoked: [{
    issuer_spki_sha256: "00".repeat(32), serial: "01", ...more }] });
  const zeros = "00".repeat(48);
  return [{ ...GOOD, more: 1 }, { ...GOOD, releases: [] },
    { ...GOOD, releases: {} }, { ...GOOD, root_files: [] }, [GOOD],
    { ...GOOD, roots: ["else"] }, { ...GOOD, roots: "aws-nitro-g1" },
    withRelease({ more: 1 }), withRelease({ name: "" }),
    withRelease({ name: 1 }), withRelease({ name: "x".repeat(160) }),
    withRelease({ pcrs: [] }), withRelease({ pcrs: {} }),
    withRelease({ pcrs: { 3: zeros } }), withRelease({ pcrs: { "00": zeros } }),
    withRelease({ pcrs: { 0: "00" } }), withRelease({ pcrs: { 0: [] } }),
    withRelease({ pcrs: { 0: zeros, 32: zeros } }),
    withRelease({ pcrs: { 0: Array(257).fill(zeros) } }),
    withRelease({ not_after: "yesterday" }), withRelease({ not_before: 1 }),
    withRelease({ not_before: "2026-01-02T00:00:00Z",
      not_after: "2026-01-01T00:00:00Z" }),
    { ...GOOD, releases: [...GOOD.releases, ...GOOD.releases] },
    { ...GOOD, releases: Array.from({ length: 65 }, (_, i) =>
      ({ ...GOOD.releases[0], name: `r${i}` })) },
    { ...GOOD, max_age_s: -1 }, { ...GOOD, max_age_s: "300" },
    { ...GOOD, max_future_s: 1.5 }, { ...GOOD, max_future_s: 4e9 },
    { ...GOOD, max_enclave_age_s: false }, { ...GOOD, booted_after: 0 },
    { ...GOOD, nonce: "" }, { ...GOOD, nonce: "0" }, { ...GOOD, nonce: "zz" },
    { ...GOOD, user_data: "00".repeat(1025) }, { ...GOOD, revoked: {} },
    revoked({ serial: "0" }), revoked({ serial: "zz" }), revoked({ serial: 1 }),
    revoked({ serial: "1".repeat(41) }), revoked({ more: 1 }),
    revoked({ issuer_spki_sha256: "00" }),
    revoked({ issuer_spki_sha256: hex(spkiSha256), serial: hex(serial) }),
    { ...GOOD, insecure_allow_debug: 1 }, { ...GOOD, quorum: -1 },
    { ...GOOD, quorum: "2" }, { ...GOOD, quorum: 5 },
    { ...GOOD, quorum: 1.5 }, { ...GOOD, quorum: null },
    { ...GOOD, min_key_epoch: -1 }, { ...GOOD, min_key_epoch: "1" },
    { ...GOOD, min_key_epoch: 1.5 }, { ...GOOD, min_key_epoch: null },
    { ...GOOD, min_key_epoch: 2 ** 53 }];
}

test("policies that are refused, here and by hallmark policy check", {
  ...(existsSync(HALLMARK) || process.env.CI === "true" ? {}
    : { skip: "hallmark is not built" }) }, async () => {
  const folder = mkdtempSync(`${tmpdir()}/hallmark-web-`);
  const run = promisify(execFile);
  writeFileSync(`${folder}/root.pem`, ROOT_PEM);
  const accepts = async (policyJson) => {
    writeFileSync(`${folder}/policy.json`, JSON.stringify(policyJson));
    return run(HALLMARK, ["policy", "check", `${folder}/policy.json`])
      .then(() => true, () => false);
  };
  const pems = (policyJson) => (policyJson.root_files ?? [])
    .map(() => ROOT_PEM);
  for (const right of [GOOD, { ...GOOD, booted_after: null, nonce: null,
    max_enclave_age_s: null, revoked: [], min_key_epoch: 2 ** 53 - 1,
    quorum: 4 },
  withRelease({ not_before: null, not_after: null })]) {
    await parsePolicy(JSON.stringify(right), pems(right));
    assert.ok(await accepts(right), JSON.stringify(right));
  }
  for (const wrong of await wrongPolicies()) {
    const text = JSON.stringify(wrong).slice(0, 300);
    await assert.rejects(parsePolicy(JSON.stringify(wrong), pems(wrong)),
      undefined, text);
    assert.ok(!await accepts(wrong), `accepted there: ${text}`);
  }
  rmSync(folder, { recursive: true });
});

test("what it cannot judge it names", async () => {
  const quotes = [{ ...GOOD, collateral_files: ["c.json"] },
    { ...GOOD, roots: ["intel-sgx"] },
    { ...GOOD, releases: [{ name: "x", mrenclave: "00".repeat(32) }] },
    { ...GOOD, releases: [{ name: "x", mrtd: "00".repeat(48) }] }];
  for (const policy of quotes) {
    await assert.rejects(parsePolicy(JSON.stringify(policy), [ROOT_PEM]),
      /nothing of SGX and TDX; hallmark verify does/);
  }
  for (const quorum of [0, 1, 4]) {
    const { quorum: read } = await parsePolicy(
      JSON.stringify({ ...GOOD, quorum }), [ROOT_PEM]);
    assert.equal(read, quorum);
  }
});

test("roots that are none", async () => {
  const text = JSON.stringify(GOOD);
  for (const pems of [[], [ROOT_PEM, ROOT_PEM], ["no PEM"],
    [`${ROOT_PEM}${ROOT_PEM}`], [ROOT_PEM.replaceAll("CERTIFICATE", "KEY")],
    [toPem(makeChain()[1])], // not self-signed
    [toPem(makeChain((i) => i === 0 ? { subject: "aws-nitro-g1",
      issuer: "aws-nitro-g1" } : {})[0])]]) { // a name that is taken
    await assert.rejects(parsePolicy(text, pems));
  }
  await assert.rejects(parsePolicy(`{"releases":[],${text.slice(1)}`,
    [ROOT_PEM]), /comes twice/);
});
