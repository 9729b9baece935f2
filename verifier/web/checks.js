// checks: a badge for each check, in the order in which they are made. A badge
// says by its shape and its word, not only by its colour, whether the check
// passed, refused, or was not reached because one before it refused.
import { h, keepRows, setAttribute, setText } from "./dom.js";

// check: [group, what it asks]. The names are those of
// verifier/hallmark_verdict.h; sequence and previous_sha256 are this page's.
const CHECKS = {
  envelope: ["Item", "Is it an item, and nothing more?"],
  content: ["Item", "Does the signed text have one reading?"],
  attestation_hash: ["Item", "Is this the document that it refers to?"],
  attestation: ["Item", "Can the document be had?"],
  cose: ["Document", "Is it COSE_Sign1 as AWS writes it?"],
  document: ["Document", "Does an enclave's document look like this?"],
  root: ["Document", "Does the chain begin at a root of the policy?"],
  certificate_profile: ["Document", "Are the certificates of the right kind?"],
  chain: ["Document", "Is each signed by the one above it?"],
  document_signature: ["Document", "Did the last one's key sign the document?"],
  revoked: ["Document", "Is no certificate revoked by the policy?"],
  chain_time: ["Document", "Are all certificates valid, now and then?"],
  document_time: ["Document", "Is the document not from the future?"],
  enclave_age: ["Policy", "Is the enclave young enough?"],
  booted_after: ["Policy", "Was the enclave started late enough?"],
  debug: ["Policy", "Is it no debug enclave?"],
  release: ["Policy", "Is this release accepted at this time?"],
  policy_nonce: ["Policy", "Does it hold the policy's nonce?"],
  policy_user_data: ["Policy", "Does it hold the policy's user_data?"],
  policy_key_epoch: ["Policy", "Is it signed by a key that is late enough?"],
  platform: ["Price", "Does the item name the root's platform?"],
  public_key: ["Price", "Is the item's key the attested one?"],
  item_signature: ["Price", "Did that key sign this very text?"],
  user_data: ["Price", "Are boot and configuration the attested ones?"],
  published: ["Price", "Was it published in the document's life, just now?"],
  expires: ["Price", "May it still be used?"],
  quorum: ["Price", "Do enough other enclaves stand by it?"],
  sequence: ["Order", "Is it the next one, none missing, none twice?"],
  previous_sha256: ["Order", "Does it name the hash of the one before?"],
};
const OPTIONAL = ["attestation", "enclave_age", "booted_after", "policy_nonce",
  "policy_user_data", "policy_key_epoch", "quorum"];
const WORDS = { pass: ["\u2713", "passed"], fail: ["\u2717", "refused"],
  late: ["\u25f7", "too late"], skip: ["\u2013", "not reached"] };

function describe(check) {
  const pcr = /^pcr(\d+)$/.exec(check);
  if (pcr) return ["Policy", `Is PCR${pcr[1]} one that the policy accepts?`];
  return CHECKS[check] ?? ["Item", check];
}

// Those that will be made under this policy, in order.
export function plannedChecks(policy) {
  const pcrs = new Set(policy.releases.flatMap((r) => [...r.pins.keys()]));
  const names = Object.keys(CHECKS).filter((c) => !OPTIONAL.includes(c) ||
    (c === "enclave_age" && policy.maxEnclaveAgeMs !== null) ||
    (c === "booted_after" && policy.bootedAfterMs !== null) ||
    (c === "policy_nonce" && policy.nonce !== null) ||
    (c === "policy_user_data" && policy.userData !== null) ||
    (c === "policy_key_epoch" && policy.minKeyEpoch > 0) ||
    (c === "quorum" && policy.quorum > 0));
  names.splice(names.indexOf("release"), 0,
    ...[...pcrs].sort((a, b) => a - b).map((index) => `pcr${index}`));
  return names;
}

// check -> { state, wanted, found }: one that is made twice passed if it
// passed both times.
export function summarise(planned, checks, late) {
  const out = new Map(planned.map((check) => [check, { state: "skip" }]));
  for (const { check, passed, wanted, found } of checks) {
    if (out.get(check)?.state === "fail") continue;
    let state = passed ? "pass" : "fail";
    if (!passed && late) state = "late";
    out.set(check, { state, wanted, found });
  }
  return out;
}

function makeBadge(check) {
  const [group, question] = describe(check);
  const icon = h("span", { class: "badge", "aria-hidden": "true" });
  const word = h("span", { class: "word" });
  const wanted = h("dd"), found = h("dd");
  const element = h("li", { "data-check": check },
    h("details", {},
      h("summary", {}, icon, h("span", { class: "question", text: question }),
        word, h("code", { text: check })),
      h("dl", {}, h("dt", { text: "wanted" }), wanted,
        h("dt", { text: "found" }), found)));
  return { element, icon, word, wanted, found, group };
}

export class ChecksView {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  show(planned, checks, late = null) {
    const all = summarise(planned, checks, late);
    keepRows(this.list, this.rows, [...all.keys()], makeBadge);
    for (const [check, { state, wanted, found }] of all) {
      const row = this.rows.get(check);
      const [icon, word] = WORDS[state];
      setAttribute(row.element, "data-state", state);
      setText(row.icon, icon);
      setText(row.word, word);
      setText(row.wanted, wanted ?? "\u2013");
      setText(row.found, found ?? "\u2013");
    }
  }
}
