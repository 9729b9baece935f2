// verify: may this price be used now? The same checks as the C library makes,
// under the same names, in the same order (verifier/hallmark.h), each reported
// to the caller; the first that fails is the verdict.
//
// The way of an item: the content is read (strictly, it has one reading); the
// document is the one whose hash the envelope names; the document is good; the
// envelope names its platform; the key in the envelope is the attested one; it
// signed these very bytes; the content's boot and configuration are the
// attested ones; and the times agree. Nothing of the content is believed
// before the signature was found good.
import { sha256, toHex, toUtf8 } from "./bytes.js";
import { chainFacts, openChain, verifyChain } from "./chain.js";
import { parseCose, verifyCose } from "./cose.js";
import { parseDocument, parseUserData } from "./document.js";
import { parseEnvelope } from "./envelope.js";
import { parseContent } from "./item.js";
import { judgeDocument } from "./judge.js";
import { openItemKey, verifyBytes } from "./key.js";
import { MOMENT_MAX_MS, toText } from "./moment.js";
import { Refused } from "./refused.js";

const CACHE_MAX = 16; // documents, a few for each oracle

// Reports a check and throws if its verdict is not "valid".
function teller(report) {
  return (check, verdict, wanted = null, found = null) => {
    report({ check, passed: verdict === "valid", wanted, found });
    if (verdict !== "valid") throw new Refused(verdict, found ?? check);
  };
}

// Runs a step that may refuse, and tells how it went.
async function step(tell, check, run, found = () => null) {
  let value;
  try {
    value = await run();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(check, error.verdict, null, error.message);
  }
  tell(check, "valid", null, found(value));
  return value;
}

// ---- documents ----

// Documents that were found good, by their hash: what does not depend on the
// time asked about. One cache for each policy.
export class DocumentCache {
  constructor() {
    this.documents = new Map();
  }

  get(hash) {
    return this.documents.get(hash) ?? null;
  }

  put(hash, established) {
    this.documents.set(hash, established);
    if (this.documents.size > CACHE_MAX) {
      this.documents.delete(this.documents.keys().next().value);
    }
  }
}

// The first certificate of the bundle was chosen by whoever made the document:
// it counts only if it is, byte for byte, one of ours.
async function checkRoot({ policy, tell }, document) {
  const hash = toHex(await sha256(document.cabundle[0]));
  const root = policy.roots.get(hash) ?? null;
  tell("root", root ? "valid" : "root_untrusted", "a root of the policy",
    root ? root.name : `another: ${hash}`);
  return root;
}

async function establish(question, bytes) {
  const { tell } = question;
  const cose = await step(tell, "cose", () => parseCose(bytes));
  const document = await step(tell, "document",
    () => parseDocument(cose.payload), (d) => d.moduleId);
  const root = await checkRoot(question, document);
  const certs = await step(tell, "certificate_profile",
    () => openChain(document));
  await step(tell, "chain", () => verifyChain(certs));
  const signed = await verifyCose(cose, certs.at(-1).key);
  tell("document_signature", signed ? "valid" : "document_signature");
  return { document, root, certs, facts: chainFacts(certs),
    key: await openItemKey(document.publicKey) };
}

const ESTABLISHED = ["cose", "document", "root", "certificate_profile",
  "chain", "document_signature"];

async function askDocument(question, bytes, hash) {
  const { cache, tell } = question;
  let established = cache.get(hash);
  if (established !== null) {
    for (const check of ESTABLISHED) {
      tell(check, "valid", null, "verified before");
    }
  } else {
    established = await establish(question, bytes);
  }
  judgeDocument(question, established);
  cache.put(hash, established);
  return established;
}

async function run(report, judge) {
  const checks = [];
  const keep = (check) => {
    checks.push(check);
    report(check);
  };
  try {
    return { verdict: "valid", checks, ...await judge(teller(keep)) };
  } catch (error) {
    // What is not a verdict is a fault of ours, and no price is good by it.
    const verdict = error instanceof Refused ? error.verdict : "internal_error";
    return { verdict, checks, why: error.message };
  }
}

// A bare document. nowMs: null asks whether it was good at its own time.
// { verdict, checks, established, release }
export function verifyDocument({ policy, bytes, nowMs = null,
  cache = new DocumentCache(), report = () => {} }) {
  return run(report, async (tell) => {
    const question = { policy, tell, cache, live: nowMs !== null,
      limitAge: true, atMs: nowMs };
    const hash = toHex(await sha256(bytes));
    const established = await askDocument(question, bytes, hash);
    return { established, release: question.release };
  });
}

// ---- items ----

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

function checkTimes(question, established, content) {
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
  if (!live) return;
  tell("expires", atMs > content.expires_ms ? "item_expired" : "valid",
    toText(content.expires_ms), toText(atMs));
}

async function readItem(tell, text) {
  const envelope = await step(tell, "envelope", () => parseEnvelope(text));
  const content = await step(tell, "content", () => {
    const read = parseContent(envelope.content);
    if (read.published_ms <= MOMENT_MAX_MS) return read;
    throw new Refused("content_malformed", "published_ms");
  }, (read) => read.feed);
  return { envelope, content };
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

async function judgeItem(question, text, given) {
  const { tell } = question;
  const { envelope, content } = await readItem(tell, text);
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
  checkTimes(question, established, content);
  return { content, envelope, established, release: question.release,
    sha256: toHex(await sha256(bytes)) };
}

// An item: `text` is its JSON, `document` (or null) the bytes that it refers
// to, if they are not inside. nowMs: null asks whether it was right when it
// was published. { verdict, checks, why } and, if "valid", content, sha256,
// envelope, established, release.
export function verifyItem({ policy, text, document = null, nowMs = null,
  cache = new DocumentCache(), report = () => {} }) {
  return run(report, (tell) => judgeItem({ policy, tell, cache,
    live: nowMs !== null, limitAge: false, atMs: nowMs }, text, document));
}
