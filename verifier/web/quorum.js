// quorum: how many other enclaves stand by an item (verifier/quorum.h). Each
// co-signature is judged alone (cosign.js); a boot_id and a key count once, and
// those of the publisher never: one enclave is one voice, however often it
// signs.
import { judgeCosign } from "./cosign.js";
import { Refused } from "./refused.js";

// { content } or, if it is none of this item, { verdict }.
async function hear(question, envelope, item, given) {
  try {
    return { content: await judgeCosign(question, envelope, item, given) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { verdict: error.verdict };
  }
}

function describe(count, total, refused, twice) {
  return `${count} of ${total} co-signatures hold` +
    (refused === null ? "" : `, one is ${refused}`) +
    (twice ? ", one enclave speaks twice" : "");
}

// item: { content, envelope, sha256 }, found good; documents: those that are
// not inside, by their hash. The boot_ids of those that stand by it.
export async function judgeQuorum(question, item, documents) {
  const { policy, tell } = question, { cosignatures } = item.envelope;
  const voices = [{ key: item.envelope.publicKey,
    bootId: item.content.boot_id }]; // the publisher's first
  let refused = null, twice = false;
  if (policy.quorum === 0 && cosignatures.length === 0) return [];
  for (const envelope of cosignatures) {
    const { content, verdict } = await hear(question, envelope, item,
      documents.get(envelope.attestationSha256) ?? null);
    const key = envelope.publicKey, bootId = content?.boot_id;
    if (verdict !== undefined) refused ??= verdict;
    else if (voices.some((v) => v.key === key || v.bootId === bootId)) {
      twice = true;
    } else voices.push({ key, bootId });
  }
  const count = voices.length - 1;
  tell("quorum", count >= policy.quorum ? "valid" : "quorum_missing",
    `${policy.quorum} other enclaves`,
    describe(count, cosignatures.length, refused, twice));
  return voices.slice(1).map(({ bootId }) => bootId);
}
