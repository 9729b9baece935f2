// tamper: a copy of an item in which one byte is altered, or something left
// out, as somebody on the way might do it. Where the document is altered he
// would also make the hash in the envelope match; that is not signed, and he
// can.
import { fromBase64, sha256, toBase64, toHex } from "./bytes.js";
import { parseCose } from "./cose.js";
import { parseDocument } from "./document.js";

function editContent(item, pattern, what) {
  const found = pattern.exec(item.content);
  const at = found.index + found[0].length - 1;
  const digit = item.content[at];
  const other = digit === "9" ? "8" : String(Number(digit) + 1);
  item.content = item.content.slice(0, at) + other + item.content.slice(at + 1);
  return `${what}: its last digit ${digit} became ${other}`;
}

// "...digits: the last of them
const PRICE = /"price":"[0-9.]+(?=","confidence)/;
const PUBLISHED = /"published_ms":[0-9]+/;

function alterPrice({ item }) {
  return PRICE.test(item.content)
    ? editContent(item, PRICE, "the price")
    : editContent(item, PUBLISHED, "the time (there is no price)");
}

function alterSignature({ item }) {
  const bytes = fromBase64(item.signature_b64);
  bytes[bytes.length - 1] ^= 1;
  item.signature_b64 = toBase64(bytes);
  return "the last byte of the signature";
}

function alterKey({ item }) {
  const at = item.public_key.indexOf("\n") + 60;
  const other = item.public_key[at] === "A" ? "B" : "A";
  item.public_key = item.public_key.slice(0, at) + other +
    item.public_key.slice(at + 1);
  return "one character of the public key";
}

function alterPlatform({ item }) {
  item.platform = `x${item.platform.slice(1)}`;
  return `the platform: now "${item.platform}"`;
}

// A copy of the document with one bit of this view of it flipped.
function flip(tampered, view, at, what) {
  const { document } = tampered, copy = document.slice();
  copy[view.byteOffset - document.byteOffset + at] ^= 1;
  tampered.document = copy;
  return what;
}

function documentOf({ document }) {
  return parseDocument(parseCose(document).payload);
}

function alterDocument(tampered) {
  return flip(tampered, documentOf(tampered).pcrs[0], 0,
    "a bit of the document, and nothing else");
}

async function matchHash(tampered, what) {
  tampered.item.attestation_sha256 = toHex(await sha256(tampered.document));
  return `${what}, and the item's hash of the document made to match`;
}

function alterPcr(tampered) {
  return matchHash(tampered, flip(tampered, documentOf(tampered).pcrs[0], 0,
    "a bit of PCR0, what code runs,"));
}

function alterCertificate(tampered) {
  const { certificate } = documentOf(tampered);
  return matchHash(tampered, flip(tampered, certificate,
    certificate.length - 1, "the last byte of the leaf's certificate"));
}

function alterRoot(tampered) {
  const [root] = documentOf(tampered).cabundle;
  return matchHash(tampered, flip(tampered, root, root.length - 1,
    "the last byte of the root's certificate"));
}

// All of them: the policy may want fewer than there are.
function dropCosignatures({ item }) {
  delete item.cosignatures;
  return "the co-signatures of the other enclaves taken away";
}

// id: [for people, what it does, the check that must refuse]
export const ALTERATIONS = {
  price: ["a digit of the price", alterPrice, "item_signature"],
  signature: ["the item's signature", alterSignature, "item_signature"],
  key: ["the public key", alterKey, "public_key"],
  platform: ["the platform's name", alterPlatform, "platform"],
  document: ["the attestation document", alterDocument, "attestation_hash"],
  pcr: ["a PCR in the document", alterPcr, "document_signature"],
  certificate: ["the enclave's certificate", alterCertificate, "chain"],
  root: ["the root certificate", alterRoot, "root"],
  quorum: ["the co-signatures, taken away", dropCosignatures, "quorum"],
};

// Those that must be refused under this policy.
export function alterationsUnder(policy) {
  return Object.keys(ALTERATIONS).filter((id) =>
    id !== "quorum" || policy.quorum > 0);
}

// { text, document, what } of an item that verified: its JSON, and the
// document that it refers to.
export async function tamper(id, text, document) {
  const tampered = { item: JSON.parse(text), document };
  delete tampered.item.attestation_doc_b64;
  const what = await ALTERATIONS[id][1](tampered);
  return { text: JSON.stringify(tampered.item), document: tampered.document,
    what };
}
