// verify: may this price be used now? The same checks as the C library makes,
// under the same names, in the same order (verifier/hallmark.h), each reported
// to the caller; the first that fails is the verdict.
//
// The way of an item: the content is read (strictly, it has one reading); it is
// signed by an attested key (signed.js); it has not expired; and as many other
// enclaves as the policy wants stand by it (quorum.js).
import { sha256, toHex } from "./bytes.js";
import { parseEnvelope } from "./envelope.js";
import { DocumentCache, askDocument, step, teller } from "./established.js";
import { parseContent } from "./item.js";
import { MOMENT_MAX_MS, toText } from "./moment.js";
import { judgeQuorum } from "./quorum.js";
import { Refused } from "./refused.js";
import { judgeSigned } from "./signed.js";

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

async function readItem(tell, text) {
  const envelope = await step(tell, "envelope", () => parseEnvelope(text));
  const content = await step(tell, "content", () => {
    const read = parseContent(envelope.content);
    if (read.published_ms <= MOMENT_MAX_MS) return read;
    throw new Refused("content_malformed", "published_ms");
  }, (read) => read.feed);
  return { envelope, content };
}

function checkExpires({ tell, live, atMs }, content) {
  if (!live) return;
  tell("expires", atMs > content.expires_ms ? "item_expired" : "valid",
    toText(content.expires_ms), toText(atMs));
}

async function judgeItem(question, text, document, documents) {
  const { envelope, content } = await readItem(question.tell, text);
  const given = document ?? documents.get(envelope.attestationSha256) ?? null;
  const item = { content, envelope,
    ...await judgeSigned(question, envelope, content, given) };
  checkExpires(question, content);
  const cosigners = await judgeQuorum(question, item, documents);
  return { ...item, cosigners, release: question.release };
}

// An item: `text` is its JSON. Documents that are not inside: `documents`, by
// their hash, what it and its co-signatures refer to; or `document`, which
// stands for the item's whatever its hash is. nowMs: null asks whether it was
// right when it was published. { verdict, checks, why } and, if "valid",
// content, sha256, envelope, established, release, cosigners (their boot_ids).
export function verifyItem({ policy, text, document = null,
  documents = new Map(), nowMs = null, cache = new DocumentCache(),
  report = () => {} }) {
  return run(report, (tell) => judgeItem({ policy, tell, cache,
    live: nowMs !== null, limitAge: false, atMs: nowMs }, text, document,
  documents));
}
