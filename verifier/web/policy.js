// policy: what the visitor accepts, in the words of a policy file (README,
// "The policy"). Strict: a key that is misspelt must not become a check that
// is not made. There is no policy that accepts by default: one without a root,
// or without a release that pins PCR0, PCR1 or PCR2, is refused.
//
// A browser reads no files: the certificates that root_files names are handed
// over as PEM texts, in the same order.
import { equal, fromBase64, fromHex, sha256, toHex } from "./bytes.js";
import { COSIGNATURES_MAX } from "./envelope.js";
import { isObject, needMembers, parseJson } from "./json.js";
import { fromRfc3339 } from "./moment.js";
import { need } from "./refused.js";
import { KNOWN_ROOTS } from "./roots.js";
import { isCa, isSignedBy, parseCert } from "./x509.js";

const AGE_MAX_S = 3153600000, BYTES_MAX = 1024, PCR_COUNT = 32, PCR_LEN = 48;
const ROOTS_MAX = 8, RELEASES_MAX = 64, PINS_MAX = 256, REVOKED_MAX = 1024;
const NAME = /^[^\x00-\x1f\x7f]{1,159}$/;
const PEM = new RegExp("^-----BEGIN CERTIFICATE-----\n" +
  "([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----$");
const OPTIONAL = ["roots", "root_files", "max_age_s", "max_future_s",
  "max_enclave_age_s", "booted_after", "nonce", "user_data", "revoked",
  "insecure_allow_debug", "min_key_epoch", "quorum"];
const OF_QUOTES = ["collateral_files", "tcb_statuses",
  "insecure_without_collateral", "mrenclave", "mrsigner", "product_id",
  "min_svn", "mrtd", "rtmrs"];
const NO_QUOTES = "this page judges nothing of SGX and TDX; hallmark verify " +
  "does";

function needNoQuotes(value, where) {
  const key = OF_QUOTES.find((k) => isObject(value) && Object.hasOwn(value, k));
  need(key === undefined, `${where}: "${key}": ${NO_QUOTES}`);
}

// ---- roots ----

function knownRoot(name, i) {
  need(name !== "intel-sgx", `roots[${i}]: ${NO_QUOTES}`);
  need(Object.hasOwn(KNOWN_ROOTS, name), `roots[${i}]: not a known root`);
  return { sha256: KNOWN_ROOTS[name], name, platform: "aws-nitro", cert: null };
}

function pemBytes(pem) {
  const found = PEM.exec(pem.replaceAll("\r\n", "\n").trim());
  return found === null ? null : fromBase64(found[1].replaceAll("\n", ""));
}

async function certRoot(pem, i) {
  const where = `root_files[${i}]`;
  const der = pemBytes(pem);
  need(der !== null, `${where}: not one certificate in PEM`);
  const cert = await parseCert(der);
  need(isCa(cert, 0) && await isSignedBy(cert, cert),
    `${where}: not a self-signed CA`);
  need(cert.name !== "" && !Object.hasOwn(KNOWN_ROOTS, cert.name),
    `${where}: a name that cannot be`);
  const hash = toHex(await sha256(der));
  const known = Object.keys(KNOWN_ROOTS).find((n) => KNOWN_ROOTS[n] === hash);
  const simulated = cert.name.startsWith("simulated.");
  return { sha256: hash, name: known ?? cert.name, cert,
    platform: simulated ? "simulated" : "aws-nitro" };
}

async function readRoots(names, files, pems) {
  need(Array.isArray(names) && Array.isArray(files), "roots: not an array");
  need(pems.length === files.length,
    `root_files names ${files.length} certificates, ${pems.length} are here`);
  const found = names.map(knownRoot);
  for (const [i, pem] of pems.entries()) {
    try {
      found.push(await certRoot(pem, i));
    } catch (error) {
      throw new Error(error.message.startsWith("root_files") ? error.message
        : `root_files[${i}]: ${error.message}`);
    }
  }
  const roots = new Map(found.map((root) => [root.sha256, root]));
  need(roots.size > 0, "no root is trusted");
  need(roots.size <= ROOTS_MAX, "too many roots");
  return roots;
}

// ---- releases ----

function readPin(value, where) {
  const bytes = fromHex(value);
  need(bytes !== null && bytes.length === PCR_LEN,
    `${where}: not 96 hexadecimal digits`);
  return toHex(bytes);
}

// PCR index -> the values that are accepted.
function readPins(pcrs, where) {
  const pins = new Map();
  let count = 0;
  for (const [key, value] of Object.entries(pcrs)) {
    const at = `${where}.pcrs.${key}`;
    need(/^(?:0|[1-9][0-9]?)$/.test(key) && Number(key) < PCR_COUNT,
      `${at}: not a PCR 0 to 31`);
    const values = Array.isArray(value) ? value : [value];
    need(values.length > 0, `${at}: no value`);
    count += values.length;
    pins.set(Number(key), values.map((text) => readPin(text, at)));
  }
  need(count <= PINS_MAX, `${where}: too many values`);
  need([0, 1, 2].some((i) => pins.has(i)),
    `${where} pins none of PCR0, PCR1, PCR2`);
  return pins;
}

function readBound(value, none, where) {
  if (value === undefined || value === null) return none;
  try {
    return fromRfc3339(value);
  } catch {
    throw new Error(`${where}: not RFC 3339 in UTC`);
  }
}

function readRelease(value, i) {
  const where = `releases[${i}]`;
  needNoQuotes(value, where);
  needMembers(value, ["name", "pcrs"], ["not_before", "not_after"], where);
  need(typeof value.name === "string" && NAME.test(value.name),
    `${where}: no name`);
  needMembers(value.pcrs, [], Object.keys(value.pcrs ?? {}), `${where}.pcrs`);
  const release = {
    name: value.name,
    notBeforeMs: readBound(value.not_before, -Infinity, `${where}.not_before`),
    notAfterMs: readBound(value.not_after, Infinity, `${where}.not_after`),
    pins: readPins(value.pcrs, where),
  };
  need(release.notBeforeMs <= release.notAfterMs, `${where}: empty window`);
  return release;
}

function readReleases(list) {
  need(Array.isArray(list) && list.length > 0, "no release with PCRs");
  need(list.length <= RELEASES_MAX, "too many releases");
  const releases = list.map(readRelease);
  need(new Set(releases.map((r) => r.name)).size === list.length,
    "releases: a name comes twice");
  return releases;
}

// ---- the rest ----

function readAge(value, none, where) {
  if (value === undefined) return none;
  need(Number.isInteger(value) && value >= 0 && value <= AGE_MAX_S,
    `${where}: not a number of seconds`);
  return value * 1000;
}

function readBytes(value, where) {
  if (value === undefined || value === null) return null;
  const bytes = fromHex(value);
  need(bytes !== null && bytes.length > 0 && bytes.length <= BYTES_MAX,
    `${where}: not 1 to ${BYTES_MAX} bytes in hexadecimal`);
  return bytes;
}

// Zeros in front of a serial number go, and an odd number of digits gets one.
function readSerial(text, where) {
  const digits = String(text).replace(/^0+/, "").toLowerCase();
  need(/^[0-9a-f]{1,40}$/.test(digits), `${where}.serial`);
  return digits.length % 2 ? `0${digits}` : digits;
}

function readRevoked(list) {
  need(Array.isArray(list) && list.length <= REVOKED_MAX, "revoked");
  return list.map((value, i) => {
    const where = `revoked[${i}]`;
    needMembers(value, ["issuer_spki_sha256", "serial"], [], where);
    const issuer = fromHex(value.issuer_spki_sha256);
    need(issuer !== null && issuer.length === 32 &&
      typeof value.serial === "string", `${where}: not hexadecimal`);
    return { issuer: toHex(issuer), serial: readSerial(value.serial, where) };
  });
}

export function isRevoked(policy, link) {
  return policy.revoked.some((r) => r.issuer === link.issuer &&
    r.serial === link.serial);
}

function checkRootsAreNotRevoked(policy) {
  for (const { cert, name } of policy.roots.values()) {
    if (cert === null) continue;
    const self = { issuer: toHex(cert.spkiSha256), serial: toHex(cert.serial) };
    need(!isRevoked(policy, self), `root ${name} is named and revoked at once`);
  }
}

// The number of the first key that will do; 0: any key.
function readEpoch(value = 0) {
  need(Number.isSafeInteger(value) && value >= 0,
    "min_key_epoch: not the number of a key");
  return value;
}

// How many enclaves besides the one that published.
function readQuorum(value = 0) {
  need(Number.isInteger(value) && value >= 0 && value <= COSIGNATURES_MAX,
    `quorum: not 0 to ${COSIGNATURES_MAX} other enclaves`);
  return value;
}

// The policy; or an Error that says what is wrong where.
export async function parsePolicy(text, pems = []) {
  const json = parseJson(text);
  needNoQuotes(json, "policy");
  needMembers(json, ["releases"], OPTIONAL, "policy");
  const debug = json.insecure_allow_debug ?? false;
  need(typeof debug === "boolean", "insecure_allow_debug: not true or false");
  const policy = {
    releases: readReleases(json.releases),
    maxAgeMs: readAge(json.max_age_s, 300000, "max_age_s"),
    maxFutureMs: readAge(json.max_future_s, 5000, "max_future_s"),
    maxEnclaveAgeMs: readAge(json.max_enclave_age_s ?? undefined, null,
      "max_enclave_age_s"),
    bootedAfterMs: readBound(json.booted_after, null, "booted_after"),
    nonce: readBytes(json.nonce, "nonce"),
    userData: readBytes(json.user_data, "user_data"),
    revoked: readRevoked(json.revoked ?? []),
    minKeyEpoch: readEpoch(json.min_key_epoch),
    quorum: readQuorum(json.quorum),
    allowDebug: debug,
    roots: await readRoots(json.roots ?? [], json.root_files ?? [], pems),
  };
  checkRootsAreNotRevoked(policy);
  return policy;
}

// The same text for the same policy, whatever the order and spelling in which
// it was written.
export function spellPolicy(policy) {
  const hex = (bytes) => bytes === null ? null : toHex(bytes);
  return JSON.stringify({ ...policy,
    roots: [...policy.roots.keys()].sort(),
    releases: policy.releases.map((release) => ({ ...release,
      notBeforeMs: String(release.notBeforeMs),
      notAfterMs: String(release.notAfterMs),
      pins: [...release.pins].sort(([a], [b]) => a - b)
        .map(([index, values]) => [index, [...values].sort()]) })),
    nonce: hex(policy.nonce), userData: hex(policy.userData) });
}

// ---- asking it ----

// An absent PCR never matches (CVE-2025-64186).
export function pcrMatches(release, document, index) {
  const pins = release.pins.get(index);
  if (pins === undefined) return true;
  const value = document.pcrs[index];
  return value !== undefined && pins.includes(toHex(value));
}

function matchingPcrs(release, document) {
  let count = 0;
  for (let i = 0; i < PCR_COUNT; i++) {
    if (pcrMatches(release, document, i)) count++;
  }
  return count;
}

export function windowHolds(release, atMs) {
  return atMs >= release.notBeforeMs && atMs <= release.notAfterMs;
}

// The first that matches and whose window holds, else the first that matches,
// else the one with the most PCRs that do.
export function chooseRelease(policy, document, atMs) {
  let best = null, bestCount = -1;
  for (const release of policy.releases) {
    const count = matchingPcrs(release, document);
    if (count === PCR_COUNT && windowHolds(release, atMs)) return release;
    if (count > bestCount) [best, bestCount] = [release, count];
  }
  return best;
}

// What the policy itself wants: the same bytes, null for none.
export function sameBytes(wanted, found) {
  return found !== null && equal(wanted, found);
}
