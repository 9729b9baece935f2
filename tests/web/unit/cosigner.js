// cosigner: other enclaves that stand by an item of builder.js, each with a key
// and a boot of its own, attested under the same root.
import { CONFIG_SHA256, NOW_MS, cborBytes, makeChain, makeDocument, userData }
  from "./builder.js";
import { createHash, generateKeyPairSync, sign } from "node:crypto";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const chain = makeChain();

// more.payload: other members of its document; more.chain: another chain.
export function makeVoice(bootId, more = {}) {
  const keys = more.keys ??
    generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  const document = makeDocument({ chain: more.chain ?? chain,
    payload: { public_key: cborBytes(spki),
      user_data: cborBytes(userData(bootId)), ...more.payload } });
  return { bootId, keys, document,
    pem: keys.publicKey.export({ type: "spki", format: "pem" }) };
}

// Its word on this item: right in all but what a test changes.
export function wordOf(voice, item, more = {}) {
  const { content } = JSON.parse(item.text);
  const { feed, boot_id, sequence } = JSON.parse(content);
  return { format: "hallmark-cosign/1", boot_id: voice.bootId,
    config_sha256: CONFIG_SHA256, feed, item_boot_id: boot_id, sequence,
    content_sha256: sha256(content), published_ms: NOW_MS + 40,
    price: "84000.20", own_content_sha256: "0a".repeat(32),
    own_published_ms: NOW_MS - 300, ...more };
}

// Its envelope with the document inside; word: an object or a text.
export function cosign(voice, word) {
  const content = typeof word === "string" ? word : JSON.stringify(word);
  return { content,
    signature_b64: sign("sha256", Buffer.from(content),
      voice.keys.privateKey).toString("base64"),
    public_key: voice.pem, platform: "simulated",
    attestation_sha256: sha256(voice.document),
    attestation_doc_b64: Buffer.from(voice.document).toString("base64") };
}

// The item with these beside it, in the full form.
export function withCosignatures(item, cosignatures) {
  const envelope = JSON.parse(item.text);
  envelope.attestation_doc_b64 =
    Buffer.from(item.document).toString("base64");
  if (cosignatures.length > 0) envelope.cosignatures = cosignatures;
  return JSON.stringify(envelope);
}

// { text, documents }: the reference form of a full one, and by their hashes
// the documents that were inside.
export function byReference(text) {
  const envelope = JSON.parse(text), documents = new Map();
  for (const e of [envelope, ...envelope.cosignatures ?? []]) {
    const bytes = Buffer.from(e.attestation_doc_b64, "base64");
    documents.set(e.attestation_sha256, new Uint8Array(bytes));
    delete e.attestation_doc_b64;
  }
  return { text: JSON.stringify(envelope), documents };
}
