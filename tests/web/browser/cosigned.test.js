// The dashboard of a daemon whose policy demands two other enclaves, with three
// oracles that are peers. check.py starts them.
//
//   HALLMARK_PORT  hallmark-verifierd's
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allVerified, launch, states, withPage } from "./page.js";

const home = `http://127.0.0.1:${process.env.HALLMARK_PORT}/`;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("under a quorum every feed is verified, and who co-signed is said", () =>
  withPage(browser, async (page) => {
    await page.goto(home);
    await allVerified(page);
    // A busy machine's peers may be late: that item has no quorum, the daemon
    // keeps it back, and the page counts it as missing.
    const checks = (await states(page, "#checks"))
      .filter(([check]) => check !== "sequence");
    assert.ok(checks.every(([, state]) => state === "pass"),
      JSON.stringify(checks));
    assert.ok(checks.some(([check]) => check === "quorum"));
    assert.equal(await page.textContent('#checks [data-check="quorum"] dd'),
      "2 other enclaves");
    assert.match(await page.textContent("#detail-order"),
      /co-signed by 2 other enclaves/);
    assert.equal(await page.textContent("#sum-refused"), "0");
    assert.deepEqual(page.faults, []);
  }));

test("co-signatures taken away: the quorum refuses, and nothing before it", () =>
  withPage(browser, async (page) => {
    await page.goto(home);
    await allVerified(page);
    await page.selectOption("#tamper-what", "quorum");
    await page.click("#tamper");
    await page.waitForSelector("#tampered-checks [data-state=fail]");
    assert.match(await page.textContent("#tampered-verdict"),
      /^Refused by quorum \(quorum_missing\)/);
    const found = await states(page, "#tampered-checks");
    assert.deepEqual(found.pop(), ["quorum", "fail"]);
    assert.ok(found.every(([, state]) => state === "pass"));
  }));
