// envelope: the outer JSON of an item: six strings, each once, binary values
// in canonical base64, the hash in lower case, and perhaps others' envelopes
// about the same item (co-signatures), which have none inside. It is not signed, so it must
// not be able to say anything twice or in two ways.
import { fromBase64, isWellFormed, toUtf8 } from "./bytes.js";
import { needMembers, parseJson } from "./json.js";
import { need, reading } from "./refused.js";

const ENVELOPE_MAX = 131072, CONTENT_MAX = 32768, SIGNATURE_MAX = 512;
export const COSIGNATURES_MAX = 4;
const KEY_MAX = 1023, PLATFORM_MAX = 15, DOCUMENT_MAX = 20480;

function text(value, max, where) {
  need(typeof value === "string" && value.length > 0, `${where}: not a text`);
  need(!value.includes("\0") && isWellFormed(value), `${where}: not a text`);
  need(toUtf8(value).length <= max, `${where}: too long`);
  return value;
}

function binary(value, max, where) {
  const bytes = fromBase64(text(value, Math.floor((max + 2) / 3) * 4, where));
  need(bytes !== null, `${where}: not base64`);
  return bytes;
}

function documentOf(value) {
  if (value === undefined) return null;
  const bytes = binary(value, DOCUMENT_MAX, "attestation_doc_b64");
  need(bytes.length <= DOCUMENT_MAX, "attestation_doc_b64: too long");
  return bytes;
}

function cosignaturesOf(value) {
  if (value === undefined) return [];
  need(Array.isArray(value) && value.length > 0 &&
    value.length <= COSIGNATURES_MAX, "cosignatures");
  return value.map((one) => readMembers(one, []));
}

function readMembers(e, more) {
  needMembers(e, ["content", "signature_b64", "public_key", "platform",
    "attestation_sha256"], ["attestation_doc_b64", ...more], "item");
  need(typeof e.attestation_sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(e.attestation_sha256), "attestation_sha256");
  return {
    content: text(e.content, CONTENT_MAX, "content"),
    signature: binary(e.signature_b64, SIGNATURE_MAX, "signature_b64"),
    publicKey: text(e.public_key, KEY_MAX, "public_key"),
    platform: text(e.platform, PLATFORM_MAX, "platform"),
    attestationSha256: e.attestation_sha256,
    document: documentOf(e.attestation_doc_b64),
    cosignatures: cosignaturesOf(e.cosignatures),
  };
}

function readEnvelope(json) {
  need(toUtf8(json).length <= ENVELOPE_MAX, "longer than any item");
  return readMembers(parseJson(json), ["cosignatures"]);
}

// Refused envelope_malformed.
export function parseEnvelope(json) {
  return reading("envelope_malformed", () => readEnvelope(json));
}
