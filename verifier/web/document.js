// document: the payload of an attestation document (AWS,
// attestation_process.md 2.2 and 3.2.2), read strictly but as real documents
// are, where AWS's text and AWS's documents differ:
//
// - the outer map is definite, or indefinite (all documents since mid 2025);
// - optional fields that were not asked for are null; absent is the same;
// - public_key, user_data and nonce may have 0 to 1024 bytes.
//
// Keys come in any order, each once, and no others. A NitroTPM document chains
// to the same root, but anybody who has an ordinary instance can get one with
// any content: it is told apart and refused as not_an_enclave.
import { Cursor } from "./cbor.js";
import { MOMENT_MAX_MS } from "./moment.js";
import { Refused, need, reading } from "./refused.js";

const PCR_COUNT = 32, PCR_LEN = 48;
const PCRS_ALWAYS = 16; // PCR0 to PCR15 are locked at boot, so always there
const CERTIFICATE_MAX = 1024, CABUNDLE_MAX = 7, FIELD_MAX = 1024;
const MODULE_ID_MAX = 159, KEY_MAX = 32;
const ENCLAVE_ID = /^[0-9a-z-]+?-enc([0-9a-f]{16})$/;

function readModuleId(cursor) {
  const id = cursor.text(1, MODULE_ID_MAX);
  need(/^[-0-9a-z]+$/.test(id), "module_id has other characters");
  return id;
}

function readTimestamp(cursor) {
  const ms = cursor.uint();
  need(ms > 0 && ms <= MOMENT_MAX_MS, "timestamp");
  return ms;
}

function readDigest(cursor) {
  need(cursor.text(6, 6) === "SHA384", "digest is not SHA384");
  return "SHA384";
}

// By index; those that are not there are undefined.
function readPcrs(cursor) {
  const pcrs = new Array(PCR_COUNT);
  for (const map = cursor.map(); cursor.mapNext(map);) {
    const index = cursor.uint();
    need(index < PCR_COUNT && pcrs[index] === undefined, "pcrs");
    pcrs[index] = cursor.byteString(PCR_LEN, PCR_LEN);
  }
  for (let i = 0; i < PCRS_ALWAYS; i++) {
    need(pcrs[i] !== undefined, `no PCR${i}`);
  }
  return pcrs;
}

function readCertificate(cursor) {
  return cursor.byteString(1, CERTIFICATE_MAX);
}

function readCabundle(cursor) {
  const count = cursor.array();
  need(count > 0 && count <= CABUNDLE_MAX, "cabundle");
  return Array.from({ length: count }, () => readCertificate(cursor));
}

function readOptional(cursor) {
  return cursor.takeNull() ? null : cursor.byteString(0, FIELD_MAX);
}

// key: [name in what we return, reader, mandatory]
const FIELDS = {
  module_id: ["moduleId", readModuleId, true],
  timestamp: ["timestampMs", readTimestamp, true],
  digest: ["digest", readDigest, true],
  pcrs: ["pcrs", readPcrs, true],
  certificate: ["certificate", readCertificate, true],
  cabundle: ["cabundle", readCabundle, true],
  public_key: ["publicKey", readOptional, false],
  user_data: ["userData", readOptional, false],
  nonce: ["nonce", readOptional, false],
};

function readFields(cursor) {
  const out = { publicKey: null, userData: null, nonce: null };
  const seen = new Set();
  for (const map = cursor.map(true); cursor.mapNext(map);) {
    const key = cursor.text(1, KEY_MAX);
    if (key === "nitrotpm_pcrs") {
      throw new Refused("not_an_enclave", "a NitroTPM's document");
    }
    need(Object.hasOwn(FIELDS, key), `unknown key "${key}"`);
    need(!seen.has(key), `"${key}" comes twice`);
    seen.add(key);
    out[FIELDS[key][0]] = FIELDS[key][1](cursor);
  }
  for (const [key, [, , mandatory]] of Object.entries(FIELDS)) {
    need(!mandatory || seen.has(key), `no "${key}"`);
  }
  cursor.end();
  return out;
}

// AWS says "entirely of zeros" of a debug enclave's PCRs, but PCR3 and PCR4
// are not: a test of all PCRs together would never fire.
function isDebug(document) {
  return [0, 1, 2].some((i) => document.pcrs[i].every((byte) => byte === 0));
}

// Refused document_malformed or not_an_enclave.
export function parseDocument(payload) {
  const document = reading("document_malformed",
    () => readFields(new Cursor(payload)));
  if (!ENCLAVE_ID.test(document.moduleId)) {
    throw new Refused("not_an_enclave", "module_id is no enclave's");
  }
  document.debug = isDebug(document);
  return document;
}

// The enclave's start, from module_id: the first 48 of the 64 bits after
// "-enc" are Unix ms (not documented by AWS, but so in every document seen).
export function enclaveStartMs(document) {
  return parseInt(ENCLAVE_ID.exec(document.moduleId)[1].slice(0, 12), 16);
}

// ---- what an oracle binds into user_data ----

const DATA_MAX = 512, DATA_KEYS_MAX = 32, DATA_KEY_MAX = 64;

// RFC 8949, 4.2.1: keys sorted by their encodings, so shorter ones first.
function comesAfter(key, before) {
  if (key.length !== before.length) return key.length > before.length;
  return key > before;
}

// Of what a document vouches for besides; nothing here has a use for them.
const HASHES =
  new Set(["content_sha256", "tls_spki_sha256", "seal_spki_sha256"]);

// { bootId, configSha256, keyEpoch (0: none) } of deterministic CBOR; throws an
// Error. Further scalars are left for later and passed over.
export function parseUserData(bytes) {
  need(bytes !== null && bytes.length <= DATA_MAX, "no user_data of ours");
  const cursor = new Cursor(bytes), map = cursor.map();
  const found = { keyEpoch: 0 };
  let before = "";
  need(map.left <= DATA_KEYS_MAX, "too many keys");
  while (cursor.mapNext(map)) {
    const key = cursor.text(1, DATA_KEY_MAX);
    need(comesAfter(key, before), "keys out of order");
    before = key;
    if (key === "boot_id") found.bootId = cursor.byteString(16, 16);
    else if (key === "config_sha256") {
      found.configSha256 = cursor.byteString(32, 32);
    } else if (HASHES.has(key)) cursor.byteString(32, 32);
    else if (key === "key_epoch") {
      found.keyEpoch = cursor.uint();
      need(found.keyEpoch !== 0, "key_epoch");
    }
    else cursor.skipScalar();
  }
  cursor.end();
  need(found.bootId && found.configSha256, "no boot_id and config_sha256");
  return found;
}
