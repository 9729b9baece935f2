// Real documents of AWS, and real ones with one thing changed: each gets the
// verdict that EXPECTED.tsv says at its own time, none is good today, and the
// C library says the same of each.
import { needVectors, policyText, readExpected, readVector, ROOT, vectorPath }
  from "./setup.js";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { promisify } from "node:util";
import { parsePolicy } from "../../../verifier/web/policy.js";
import { verifyDocument } from "../../../verifier/web/verify.js";

const TODAY_MS = 1795219200000; // 2026-11-21: after every one of them
const HALLMARK = `${process.env.HALLMARK_BIN ?? `${ROOT}build/bin`}/hallmark`;

async function judge(row, more = {}, nowMs = null) {
  const policy = await parsePolicy(policyText(row, more));
  return verifyDocument({ policy, bytes: readVector(row.file), nowMs });
}

function isWanted(row, verdict) {
  if (row.verdict === "valid") return verdict === "valid";
  if (row.verdict === "debug") return verdict === "debug_enclave";
  return verdict !== "valid" && verdict !== "debug_enclave" &&
    verdict !== "internal_error";
}

test("each recorded document at its own time", needVectors(), async () => {
  const rows = readExpected(), wrong = [];
  for (const row of rows) {
    const { verdict, why, established } = await judge(row);
    if (!isWanted(row, verdict)) wrong.push(`${row.file}: ${verdict} ${why}`);
    if (verdict !== "valid") continue;
    assert.equal(established.document.timestampMs, Number(row.at_ms));
    assert.equal(established.document.moduleId, row.module_id);
    assert.equal(established.root.name, "aws-nitro-g1");
  }
  assert.ok(rows.length > 50);
  assert.deepEqual(wrong, []);
});

test("what is to be refused is, under the mildest policy", needVectors(),
  async () => {
    const mild = { insecure_allow_debug: true, max_age_s: 3e9,
      max_future_s: 3e9 };
    for (const row of readExpected()) {
      const { verdict } = await judge(row, mild);
      assert.equal(verdict === "valid", row.verdict !== "reject", row.file);
    }
  });

test("none is good today", needVectors(), async () => {
  for (const row of readExpected()) {
    const { verdict } = await judge(row, {}, TODAY_MS);
    assert.notEqual(verdict, "valid", row.file);
    if (row.verdict !== "reject") assert.equal(verdict, "chain_expired");
  }
});

test("live at their own time, and not with another PCR", needVectors(),
  async () => {
    for (const row of readExpected()) {
      if (row.verdict !== "valid") continue;
      const { verdict } = await judge(row, {}, Number(row.at_ms));
      assert.equal(verdict, "valid", row.file);
      for (const pcr of ["pcr0", "pcr1", "pcr2"]) {
        const last = row[pcr].at(-1) === "0" ? "1" : "0";
        const other = { ...row, [pcr]: row[pcr].slice(0, -1) + last };
        const out = await judge(other);
        assert.equal(out.verdict, "pcr_mismatch");
        assert.equal(out.checks.at(-1).check, pcr);
      }
    }
  });

test("the C library says the same of each", {
  ...needVectors(),
  ...(existsSync(HALLMARK) || process.env.CI === "true" ? {}
    : { skip: `no ${HALLMARK}` }),
}, async () => {
  const folder = mkdtempSync(`${tmpdir()}/hallmark-web-`);
  const run = promisify(execFile), different = [];
  for (const row of readExpected()) {
    const path = `${folder}/policy.json`;
    writeFileSync(path, policyText(row));
    const { stdout } = await run(HALLMARK, ["verify", vectorPath(row.file),
      "--policy", path, "--at", "document", "--json"])
      .catch((failed) => failed); // an exit code of its own for each kind
    const { verdict } = await judge(row);
    const theirs = stdout.startsWith("{") ? JSON.parse(stdout).verdict : stdout;
    if (verdict !== theirs) {
      different.push(`${row.file}: ${verdict} here, ${theirs} there`);
    }
  }
  rmSync(folder, { recursive: true });
  assert.deepEqual(different, []);
});
