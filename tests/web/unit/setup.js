// setup: what a browser has and Debian 12's node lacks, and where the recorded
// documents are.
import { webcrypto } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

globalThis.crypto ??= webcrypto;

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const VECTORS = process.env.HALLMARK_VECTORS ?? `${ROOT}../shared/vectors`;

// Options of test(): skipped without the recorded documents, but not in CI,
// where that is a failure.
export function needVectors() {
  const there = existsSync(`${VECTORS}/nitro/EXPECTED.tsv`);
  const skip = !there && process.env.CI !== "true";
  return skip ? { skip: `no ${VECTORS}/nitro` } : {};
}

export function readVector(name) {
  return new Uint8Array(readFileSync(`${VECTORS}/nitro/${name}`));
}

export function vectorPath(name) {
  return `${VECTORS}/nitro/${name}`;
}

// The rows of EXPECTED.tsv, by column.
export function readExpected() {
  const [head, ...lines] = readFileSync(`${VECTORS}/nitro/EXPECTED.tsv`,
    "utf8").trim().split("\n");
  const columns = head.split("\t");
  return lines.map((line) => Object.fromEntries(
    line.split("\t").map((value, i) => [columns[i], value])));
}

// Trusts AWS, and pins what the row says of PCR0 to PCR2; zeros where it says
// nothing, the most that anybody could allow what is to be refused.
export function policyText(row, more = {}) {
  const zeros = "0".repeat(96);
  const pcrs = { 0: row.pcr0 || zeros, 1: row.pcr1 || zeros,
    2: row.pcr2 || zeros };
  return JSON.stringify({ roots: ["aws-nitro-g1"],
    releases: [{ name: "pinned", pcrs }], ...more });
}
