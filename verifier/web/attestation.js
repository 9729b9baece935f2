// attestation: what stands behind the key: the document, its PCRs, its chain,
// and for how long still.
import { toHex } from "./bytes.js";
import { enclaveStartMs } from "./document.js";
import { byId, duration, h, setAttribute, setText } from "./dom.js";
import { toText } from "./moment.js";
import { describeRoot } from "./trust.js";

const PCR_NAMES = { 0: "the whole image", 1: "kernel and first process",
  2: "the oracle", 3: "the instance's role", 4: "the instance",
  8: "who signed the image", 16: "the configuration" };

function pair(term, ...value) {
  return [h("dt", { text: term }), h("dd", {}, ...value)];
}

function pcrRow(document, release, index) {
  const value = toHex(document.pcrs[index]), pinned = release.pins.has(index);
  return h("tr", { "data-pcr": index },
    h("th", { scope: "row", text: `PCR${index}` }),
    h("td", { text: PCR_NAMES[index] ?? "" }),
    h("td", {}, h("code", { class: "hash", text: value })),
    h("td", { text: pinned ? "\u2713 pinned" : "not pinned" }));
}

function shownPcrs(document, release) {
  return [...document.pcrs.keys()].filter((i) =>
    document.pcrs[i] !== undefined && (release.pins.has(i) ||
      document.pcrs[i].some((byte) => byte !== 0)));
}

// A day and a minute; a narrow table breaks between them.
function minutes(ms) {
  const [day, time] = toText(ms).slice(0, 16).split("T");
  return h("td", { class: "date" }, h("span", { text: day }), " ",
    h("span", { text: time }));
}

function certRow(cert, i, all) {
  const role = i === 0 ? "root" : i === all.length - 1 ? "enclave" : `CA ${i}`;
  return h("tr", {}, h("th", { scope: "row", text: role }),
    h("td", { class: "cn", text: cert.name }),
    minutes(cert.notBeforeMs), minutes(cert.notAfterMs));
}

export class AttestationView {
  constructor() {
    this.shown = null;
  }

  // judged: an item that verified, or null.
  show(judged) {
    byId("attestation").hidden = judged === null;
    if (judged === null) {
      this.shown = null;
      return;
    }
    const { established, release, envelope } = judged;
    if (this.shown?.hash === envelope.attestationSha256 &&
        this.shown.release === release) {
      return;
    }
    this.shown = { hash: envelope.attestationSha256, release, established };
    this.showFacts(judged);
    const { document, certs } = established;
    byId("pcrs").replaceChildren(...shownPcrs(document, release).map(
      (index) => pcrRow(document, release, index)));
    byId("chain").replaceChildren(...certs.map(certRow));
  }

  showFacts({ established, release, envelope, content }) {
    const { document, root } = established;
    const [short, sentence] = describeRoot(root);
    setText(byId("root-short"), short);
    setAttribute(byId("root-short"), "data-platform", root.platform);
    setText(byId("root-sentence"), sentence);
    byId("attestation-facts").replaceChildren(
      ...pair("platform", root.platform), ...pair("root", root.name),
      ...pair("release", release.name),
      ...pair("enclave", h("code", { text: document.moduleId })),
      ...pair("started", toText(enclaveStartMs(document))),
      ...pair("signed", toText(document.timestampMs)),
      ...pair("boot", h("code", { text: content.boot_id })),
      ...pair("configuration",
        h("code", { class: "hash", text: content.config_sha256 })),
      ...pair("document",
        h("code", { class: "hash", text: envelope.attestationSha256 })));
  }

  // The countdown; each second.
  tick(nowMs) {
    if (this.shown === null) return;
    const { document, facts } = this.shown.established;
    const left = facts.notAfterMs - nowMs;
    const whole = facts.notAfterMs - document.timestampMs;
    const share = Math.max(0, Math.min(1, left / Math.max(whole, 1)));
    setText(byId("validity-left"), left > 0
      ? `${duration(left)} left` : "expired");
    setText(byId("validity-until"), `until ${toText(facts.notAfterMs)}, the ` +
      "earliest end in the chain");
    byId("validity-meter").value = share;
    setAttribute(byId("validity"), "data-state", left > 0 ? "pass" : "fail");
  }
}
