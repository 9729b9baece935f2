// judge: the checks of a document that depend on the time asked about and on
// the policy, in their order; the first that fails ends it.
import { toHex } from "./bytes.js";
import { enclaveStartMs, parseUserData } from "./document.js";
import { toText } from "./moment.js";
import { chooseRelease, isRevoked, pcrMatches, sameBytes, windowHolds }
  from "./policy.js";

const BYTES_SHOWN = 32;

function checkRevoked({ policy, tell }, { facts }) {
  const which = facts.links.findIndex((link) => isRevoked(policy, link));
  tell("revoked", which < 0 ? "valid" : "certificate_revoked",
    "no certificate on the policy's list",
    which < 0 ? "none" : `certificate ${which + 1} of the chain`);
}

function chainAt({ tell }, { facts }, atMs, leewayMs) {
  let verdict = "valid";
  if (atMs > facts.notAfterMs) verdict = "chain_expired";
  else if (atMs < facts.notBeforeMs - leewayMs) {
    verdict = "chain_not_yet_valid";
  }
  tell("chain_time", verdict,
    `${toText(facts.notBeforeMs)} to ${toText(facts.notAfterMs)}`,
    toText(atMs));
}

// A verifier whose clock is a little slow sees a leaf that is a tenth of a
// second old as not yet valid: notBefore (only) gets max_future_s. And a
// hypervisor does not sign outside its own certificate's life.
function checkChainTime(question, established) {
  const { live, atMs, policy } = question;
  if (live) chainAt(question, established, atMs, policy.maxFutureMs);
  chainAt(question, established, established.document.timestampMs, 0);
}

function checkDocumentTime(question, { document }) {
  const { live, limitAge, atMs, policy, tell } = question;
  const ageMs = atMs - document.timestampMs;
  let verdict = "valid", wanted = `age from -${policy.maxFutureMs} ms`;
  if (!live) return;
  if (-ageMs > policy.maxFutureMs) verdict = "document_in_future";
  else if (limitAge && ageMs > policy.maxAgeMs) verdict = "document_too_old";
  if (limitAge) wanted += ` to ${policy.maxAgeMs} ms`;
  tell("document_time", verdict, wanted, `${ageMs} ms`);
}

function instant({ atMs }, document) {
  return atMs ?? document.timestampMs;
}

// A start that lies after the document was signed makes no sense: then we do
// not know the age, and do not let it pass.
function startsInTime({ policy }, document) {
  return enclaveStartMs(document) <= document.timestampMs + policy.maxFutureMs;
}

function checkEnclaveAge(question, { document }) {
  const { policy, tell } = question;
  const ageMs = instant(question, document) - enclaveStartMs(document);
  if (policy.maxEnclaveAgeMs === null) return;
  const ok = ageMs <= policy.maxEnclaveAgeMs &&
    startsInTime(question, document);
  tell("enclave_age", ok ? "valid" : "enclave_too_old",
    `at most ${policy.maxEnclaveAgeMs} ms`, `${ageMs} ms`);
}

function checkBootedAfter(question, { document }) {
  const { policy, tell } = question;
  const startMs = enclaveStartMs(document);
  if (policy.bootedAfterMs === null) return;
  const ok = startMs >= policy.bootedAfterMs &&
    startsInTime(question, document);
  tell("booted_after", ok ? "valid" : "enclave_too_old",
    toText(policy.bootedAfterMs), toText(startMs));
}

function checkDebug({ policy, tell }, { document }) {
  const refused = document.debug && !policy.allowDebug;
  tell("debug", refused ? "debug_enclave" : "valid",
    policy.allowDebug ? "debug enclaves allowed"
      : "PCR0, PCR1 and PCR2 not zero",
    document.debug ? "a debug enclave" : "not a debug enclave");
}

function describeWindow(release) {
  let text = release.name;
  if (release.notBeforeMs !== -Infinity) {
    text += ` from ${toText(release.notBeforeMs)}`;
  }
  if (release.notAfterMs !== Infinity) {
    text += ` until ${toText(release.notAfterMs)}`;
  }
  return text;
}

function checkRelease(question, { document }) {
  const { policy, tell } = question;
  const atMs = instant(question, document);
  const release = chooseRelease(policy, document, atMs);
  for (const index of [...release.pins.keys()].sort((a, b) => a - b)) {
    const [first, ...others] = release.pins.get(index);
    const found = document.pcrs[index];
    const ok = pcrMatches(release, document, index);
    tell(`pcr${index}`, ok ? "valid" : "pcr_mismatch",
      others.length > 0 ? `${first} or ${others.length} more` : first,
      found === undefined ? "absent" : toHex(found));
  }
  tell("release", windowHolds(release, atMs) ? "valid" : "release_window",
    describeWindow(release), toText(atMs));
  question.release = release;
}

function show(bytes) {
  if (bytes === null) return "none";
  const text = toHex(bytes.subarray(0, BYTES_SHOWN));
  return bytes.length > BYTES_SHOWN ? `${text}...` : text;
}

function checkPolicyBytes({ policy, tell }, { document }) {
  if (policy.nonce !== null) {
    const ok = sameBytes(policy.nonce, document.nonce);
    tell("policy_nonce", ok ? "valid" : "nonce_mismatch", show(policy.nonce),
      show(document.nonce));
  }
  if (policy.userData !== null) {
    const ok = sameBytes(policy.userData, document.userData);
    tell("policy_user_data", ok ? "valid" : "user_data_mismatch",
      show(policy.userData), show(document.userData));
  }
}

// User data that are no oracle's say nothing of it.
function keyEpoch({ userData }) {
  try {
    return parseUserData(userData).keyEpoch;
  } catch {
    return 0;
  }
}

function checkKeyEpoch({ policy, tell }, { document }) {
  if (policy.minKeyEpoch === 0) return;
  const epoch = keyEpoch(document);
  tell("policy_key_epoch",
    epoch >= policy.minKeyEpoch ? "valid" : "key_epoch",
    `key ${policy.minKeyEpoch} or later`,
    epoch === 0 ? "none" : `key ${epoch}`);
}

// question: { policy, tell, live, limitAge, atMs }; tell(check, verdict,
// wanted, found) throws Refused if the verdict is not "valid". atMs is null
// for a replay of a bare document: its own timestamp. Sets question.release.
export function judgeDocument(question, established) {
  checkRevoked(question, established);
  checkChainTime(question, established);
  checkDocumentTime(question, established);
  checkEnclaveAge(question, established);
  checkBootedAfter(question, established);
  checkDebug(question, established);
  checkRelease(question, established);
  checkPolicyBytes(question, established);
  checkKeyEpoch(question, established);
}
