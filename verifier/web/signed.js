// signed: what an item and a co-signature have in common: a content in an
// envelope, signed by an attested key. The document is the one whose hash the
// envelope names; the document is good; the envelope names its platform; the
// key in the envelope is the attested one; it signed these very bytes; the
// content's boot and configuration are the attested ones; and the times agree.
// Nothing of the content is believed before the signature was found good.
import { sha256, toHex, toUtf8 } from "./bytes.js";
import { parseUserData } from "./document.js";
import { askDocument } from "./established.js";
import { verifyBytes } from "./key.js";
import { toText } from "./moment.js";

async function checkHash({ tell }, envelope, document) {
  const wanted = envelope.attestationSha256;
  if (document === null) {
    tell("attestation_hash", "valid", wanted, "by reference");
    return;
  }
  const found = toHex(await sha256(document));
  tell("attestation_hash", found === wanted ? "valid" : "attestation_mismatch",
    wanted, found);
}

function checkKey(tell, key, envelope) {
  const same = key !== null && key.pem === envelope.publicKey;
  let found = "the attested RSA key";
  if (!same) {
    found = key === null ? "no such key in the document" : "another key";
  }
  tell("public_key", same ? "valid" : "key_not_attested",
    "the attested RSA key", found);
}

function checkUserData(tell, userData, content) {
  let found = null;
  try {
    const attested = parseUserData(userData);
    if (toHex(attested.bootId) !== content.boot_id) found = "another boot_id";
    else if (toHex(attested.configSha256) !== content.config_sha256) {
      found = "another config_sha256";
    }
  } catch {
    found = "no boot_id and config_sha256 in the document";
  }
  tell("user_data", found === null ? "valid" : "user_data_mismatch",
    "the attested boot_id and config_sha256", found);
}

// Two clocks meet here, the enclave's (published_ms) and the hypervisor's (the
// document's timestamp); they may differ by max_future_s.
function judgePublished(question, { document, facts }, published) {
  const { live, atMs, policy } = question;
  if (published < document.timestampMs - policy.maxFutureMs) {
    return "item_before_document";
  }
  if (published > facts.notAfterMs) return "item_after_chain";
  if (live && published - atMs > policy.maxFutureMs) return "item_in_future";
  if (live && atMs - published > policy.maxAgeMs) return "item_too_old";
  return "valid";
}

function checkPublished(question, established, content) {
  const { tell, policy, atMs, live } = question;
  const { document, facts } = established;
  let from = document.timestampMs - policy.maxFutureMs;
  let until = facts.notAfterMs;
  if (live) {
    from = Math.max(from, atMs - policy.maxAgeMs);
    until = Math.min(until, atMs + policy.maxFutureMs);
  }
  tell("published", judgePublished(question, established, content.published_ms),
    `${toText(from)} to ${toText(until)}`, toText(content.published_ms));
}

async function findDocument(question, envelope, given) {
  const { cache, tell } = question;
  const bytes = envelope.document ?? given;
  await checkHash(question, envelope, bytes);
  if (bytes === null && cache.get(envelope.attestationSha256) === null) {
    tell("attestation", "attestation_missing",
      "the document that the item refers to", "none");
  }
  return askDocument(question, bytes, envelope.attestationSha256);
}

// content: what the envelope's says of boot_id, config_sha256 and published_ms;
// given: the document, if it is not inside, or null. A replay asks as of
// published_ms: a lie there fails with the signature.
// { established, sha256 }, of the content in hex.
export async function judgeSigned(question, envelope, content, given) {
  const { tell } = question;
  if (!question.live) question.atMs = content.published_ms;
  const established = await findDocument(question, envelope, given);
  const { root, key, document } = established;
  tell("platform", root.platform === envelope.platform ? "valid"
    : "platform_mismatch", root.platform, envelope.platform);
  checkKey(tell, key, envelope);
  const bytes = toUtf8(envelope.content);
  tell("item_signature", await verifyBytes(key, envelope.signature, bytes)
    ? "valid" : "item_signature");
  checkUserData(tell, document.userData, content);
  checkPublished(question, established, content);
  return { established, sha256: toHex(await sha256(bytes)) };
}
