// A document with any one bit changed is refused: every 23rd bit of two real
// documents (definite and indefinite map; 23 is prime to 8: each position of a
// byte has its turn), every bit with HALLMARK_LONG=1.
import { needVectors, policyText, readExpected, readVector } from "./setup.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePolicy } from "../../../verifier/web/policy.js";
import { verifyDocument } from "../../../verifier/web/verify.js";

const FILES = ["yawn_nitro-attest__attestation__19b71700.bin",
  "tkhq_rust-sdk__valid_provisioning_details__277e236b.bin"];
const AT_ONCE = 16;

function flips(length) {
  const out = [];
  const all = process.env.HALLMARK_LONG === "1";
  for (let bit = 0; bit < 8 * length; bit += all ? 1 : 23) out.push(bit);
  return out;
}

for (const file of FILES) {
  test(`bit flips of ${file}`, needVectors(), async () => {
    const row = readExpected().find((r) => r.file === file);
    const policy = await parsePolicy(policyText(row));
    const bytes = readVector(file), counts = {};
    assert.equal((await verifyDocument({ policy, bytes })).verdict, "valid");
    const queue = flips(bytes.length), total = queue.length;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let bit; (bit = queue.pop()) !== undefined;) {
        const flipped = bytes.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        const { verdict } = await verifyDocument({ policy, bytes: flipped });
        counts[verdict] = (counts[verdict] ?? 0) + 1;
      }
    }));
    console.log(`# ${total} flips:`, JSON.stringify(counts));
    assert.equal(counts.valid, undefined);
    assert.equal(counts.internal_error, undefined);
  });
}
