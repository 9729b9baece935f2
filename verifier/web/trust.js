// trust: whose policy the items are judged by.
//
// A policy that this server names proves nothing by itself: whoever can lie
// about prices can lie about what to accept. So a visitor can keep one in this
// browser (localStorage): pasted, from a source that he trusts, or the
// server's of today, so that a change of it shows.
import { parsePolicy } from "./policy.js";

const KEY = "hallmark.policy";

// { source: "pasted" | "kept", text, pems, savedMs }, or null. Throws if the
// browser keeps nothing.
export function readKept(storage) {
  const text = storage.getItem(KEY);
  if (text === null) return null;
  const kept = JSON.parse(text);
  const sound = ["pasted", "kept"].includes(kept.source) &&
    typeof kept.text === "string" && Array.isArray(kept.pems) &&
    kept.pems.every((pem) => typeof pem === "string") &&
    Number.isFinite(kept.savedMs);
  if (!sound) throw new Error("what this browser kept is not a policy");
  return kept;
}

export function keep(storage, kept) {
  storage.setItem(KEY, JSON.stringify(kept));
}

export function forget(storage) {
  storage.removeItem(KEY);
}

// The server's, in the same form; its text is spelt anew for people.
export function fromServer(answer) {
  return { source: "server", text: JSON.stringify(answer.policy, null, 2),
    pems: answer.root_pems, savedMs: 0 };
}

// Every certificate of a text with several in it.
export function splitPems(text) {
  return text.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
}

export function parseKept(kept) {
  return parsePolicy(kept.text, kept.pems);
}

// Who vouches for a root: [short, sentence].
export function describeRoot(root) {
  if (root.platform === "simulated") {
    return ["SIMULATED", "A simulated root: it vouches for no hardware. " +
      "Prices under it are for trying things out."];
  }
  if (root.name === "aws-nitro-g1") {
    return ["AWS", "AWS's root for Nitro Enclaves, which this page knows by " +
      `its SHA-256 ${root.sha256}.`];
  }
  return ["named by the policy", "Not a root that this page knows: it counts " +
    `because the policy names it. SHA-256 ${root.sha256}.`];
}
