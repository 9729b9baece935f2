// established: documents. What does not depend on the time asked about is found
// once and kept: the form, the chain to a root of the policy, the signature, the
// key. What does is judged each time (judge.js).
//
// A question is { policy, tell, cache, live, limitAge, atMs }; tell(check,
// verdict, wanted, found) reports one check and throws Refused if its verdict
// is not "valid".
import { sha256, toHex } from "./bytes.js";
import { chainFacts, openChain, verifyChain } from "./chain.js";
import { parseCose, verifyCose } from "./cose.js";
import { parseDocument } from "./document.js";
import { judgeDocument } from "./judge.js";
import { openItemKey } from "./key.js";
import { Refused } from "./refused.js";

// Documents, a few for each oracle and for those that co-sign its items.
const CACHE_MAX = 32;

export function teller(report) {
  return (check, verdict, wanted = null, found = null) => {
    report({ check, passed: verdict === "valid", wanted, found });
    if (verdict !== "valid") throw new Refused(verdict, found ?? check);
  };
}

// Runs a step that may refuse, and tells how it went.
export async function step(tell, check, run, found = () => null) {
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

// { document, root, certs, facts, key } of bytes with this hash, which may be
// null if the cache has them.
export async function askDocument(question, bytes, hash) {
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
