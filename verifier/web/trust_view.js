// trust_view: says whose policy it is, and lets the visitor choose.
import { byId, setAttribute, setText } from "./dom.js";
import { toText } from "./moment.js";
import { spellPolicy } from "./policy.js";
import { describeRoot, forget, keep, parseKept, splitPems } from "./trust.js";

const SENTENCES = {
  server: ["this server's",
    "Judged by the policy that this server names. That shows that the server " +
    "agrees with itself, and no more: a server that lies about prices can " +
    "lie about what to accept, and about this page. Keep a policy of your " +
    "own below, or use the hallmark command."],
  kept: ["the server's of an earlier day, kept by you",
    "Judged by a policy that this browser keeps. It was this server's when " +
    "you kept it; a change would show here."],
  pasted: ["yours",
    "Judged by the policy that you pasted, which this browser keeps."],
};

export class TrustView {
  // storage(): localStorage, which some browsers refuse to give.
  // on.use(kept): judge by this from now on; null: by the server's.
  constructor(storage, on) {
    this.storage = storage;
    this.on = on;
    this.server = null;
    byId("policy-keep").addEventListener("click", () => this.keepServers());
    byId("policy-use").addEventListener("click", () => this.usePasted());
    byId("policy-forget").addEventListener("click", () => this.forget());
  }

  say(text, bad = false) {
    setText(byId("policy-said"), text);
    setAttribute(byId("policy-said"), "data-state", bad ? "fail" : "pass");
  }

  async keepServers() {
    await this.use({ ...this.server, source: "kept", savedMs: Date.now() });
  }

  async usePasted() {
    await this.use({ source: "pasted", savedMs: Date.now(),
      text: byId("policy-text").value,
      pems: splitPems(byId("policy-pems").value) });
  }

  async use(kept) {
    try {
      await parseKept(kept);
      keep(this.storage(), kept);
    } catch (error) {
      this.say(`Not used: ${error.message}`, true);
      return;
    }
    this.say("Kept in this browser; items are judged by it from now on.");
    await this.on.use(kept);
  }

  async forget() {
    forget(this.storage());
    this.say("Forgotten; items are judged by the server's policy.");
    await this.on.use(null);
  }

  // current: what is used, and as it was read; server: what the server names,
  // and as it was read; null if it cannot be had.
  show(current, policy, server, serverPolicy) {
    const [whose, sentence] = SENTENCES[current.source];
    this.server = server;
    document.body.dataset.policy = current.source;
    setText(byId("policy-whose"), whose);
    setText(byId("policy-sentence"), sentence + (current.savedMs > 0
      ? ` Kept since ${toText(current.savedMs)}.` : ""));
    byId("policy-text").value = current.text;
    byId("policy-pems").value = current.pems.join("\n");
    byId("policy-keep").disabled = server === null;
    byId("policy-forget").disabled = current.source === "server";
    byId("policy-differs").hidden = serverPolicy === null ||
      spellPolicy(serverPolicy) === spellPolicy(policy);
    byId("policy-roots").replaceChildren(...[...policy.roots.values()].map(
      (root) => Object.assign(document.createElement("li"), {
        textContent: `${root.name}: ${describeRoot(root)[1]}` })));
  }
}
