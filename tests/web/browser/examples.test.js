// examples/relayer.mjs and examples/stream.html against the programs of make
// demo, and against somebody in between. check.py starts the programs.
//
//   HALLMARK_PORT      hallmark-verifierd's
//   HALLMARK_POLICY    its policy
//   HALLMARK_CHROMIUM  the browser, default /usr/bin/chromium
//   HALLMARK_SHOTS     where screenshots go
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { Wire } from "./wire.js";

const SEEN_MS = 30000; // a ceiling
const CUT_MS = 3000;
const { HALLMARK_CHROMIUM = "/usr/bin/chromium", HALLMARK_POLICY,
  HALLMARK_PORT, HALLMARK_SHOTS } = process.env;
const SERVER = `http://127.0.0.1:${HALLMARK_PORT}`;
const EXAMPLES = join(process.cwd(), "examples");
const PRICE = /^BTC-USD \d+\.\d+$/;

// Hands on what the server says, as `change` has it, and the page.
let mirror, change;
const asIs = { path: (path) => path, body: (body) => body };

async function answer(request, reply) {
  if (request.url.startsWith("/stream.html")) {
    reply.setHeader("Content-Type", "text/html");
    reply.end(readFileSync(join(EXAMPLES, "stream.html")));
    return;
  }
  const got = await fetch(SERVER + change.path(request.url));
  const body = change.body(await got.text());
  reply.writeHead(got.status).end(got.status === 204 ? undefined : body);
}

before(async () => {
  change = asIs;
  mirror = createServer(answer);
  await new Promise((done) => mirror.listen(0, "127.0.0.1", done));
});

after(() => {
  mirror.close();
  mirror.closeAllConnections();
});

const home = () => `http://127.0.0.1:${mirror.address().port}`;

async function until(what, ready) {
  for (const end = Date.now() + SEEN_MS; !ready(); await sleep(50)) {
    assert.ok(Date.now() < end, what());
  }
}

// Runs relayer.mjs until it has said `count` lines like this; all its lines.
async function relay(pattern, count, policy = HALLMARK_POLICY) {
  const child = spawn("node", [join(EXAMPLES, "relayer.mjs"), home(),
    "BTC-USD", policy], { cwd: dirname(HALLMARK_POLICY) });
  let said = "";
  const lines = () => said.split("\n").slice(0, -1);
  for (const out of [child.stdout, child.stderr]) {
    out.on("data", (text) => { said += text; });
  }
  try {
    await until(() => `${pattern}: ${said}`, () =>
      lines().filter((line) => pattern.test(line)).length >= count);
  } finally {
    child.kill();
  }
  return lines();
}

// What it says to the first answers that are changed so, and that it prints
// no price of them.
async function refused(changed, pattern) {
  change = { ...asIs, ...changed };
  try {
    const lines = await relay(pattern, 1);
    assert.deepEqual(lines.filter((line) => PRICE.test(line)), []);
  } finally {
    change = asIs;
  }
}

const altered = (name, by) => ({ body: (text) => {
  const item = JSON.parse(text);
  item[name] = by(item[name]);
  return JSON.stringify(item);
} });

// One bit of the document, so many bytes from its end or its beginning.
const bitOf = (at) => altered("attestation_doc_b64", (text) => {
  const bytes = Buffer.from(text, "base64");
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  return bytes.toString("base64");
});

test("relayer.mjs prints each price once, as it comes", async () => {
  const lines = await relay(PRICE, 5);
  lines.forEach((line) => assert.match(line, PRICE));
});

test("relayer.mjs refuses what was altered on the way", async () => {
  await refused(altered("content", (text) =>
    text.replace(/"price":"./, '"price":"9')), /^item_signature$/);
  await refused(altered("signature_b64", (text) => `AAAA${text.slice(4)}`),
    /^item_signature$/);
  await refused(bitOf(-1), /^document$/); // the signature
  await refused(bitOf(40), /^document$/); // of the payload, a name's letter
});

test("relayer.mjs refuses another feed's price, and an old one", async () => {
  await refused({ path: (path) => path.replace("BTC-USD", "ETH-USD") },
    /^another item$/);
  let old;
  change = { ...asIs, body: (text) => old ??= text };
  const lines = await relay(/^sequence$/, 1);
  change = asIs;
  assert.equal(lines.filter((line) => PRICE.test(line)).length, 1);
});

test("relayer.mjs refuses what the policy does not accept", async () => {
  const policy = JSON.parse(readFileSync(HALLMARK_POLICY));
  const judged = async (changed, pattern) => {
    const path = join(dirname(HALLMARK_POLICY), "changed.json");
    writeFileSync(path, JSON.stringify({ ...policy, ...changed }));
    const lines = await relay(pattern, 1, path);
    assert.deepEqual(lines.filter((line) => PRICE.test(line)), []);
  };
  const [release] = policy.releases;
  const but = (changed) => ({ releases: [{ ...release, ...changed }] });
  await judged(but({ pcrs: { ...release.pcrs, 0: "ab".repeat(48) } }),
    /^pcrs$/);
  await judged(but({ not_after: "2026-01-01T00:00:00Z" }), /^pcrs$/);
  await judged({ root_files: [] }, /^root$/);
  // What it does not judge it does not pass over.
  await judged({ nonce: "abcd" }, /Error: policy$/);
  await judged(but({ pcrs: { 16: release.pcrs[16] } }), /Error: policy$/);
});

test("stream.html shows prices, and resumes after a cut", async () => {
  const wire = await new Wire(Number(HALLMARK_PORT)).listen();
  const browser = await chromium.launch({ executablePath: HALLMARK_CHROMIUM,
    args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
  try {
    const page = await browser.newPage({
      viewport: { width: 700, height: 320 } });
    const faults = [];
    page.setDefaultTimeout(SEEN_MS);
    page.on("pageerror", (error) => faults.push(String(error)));
    await page.goto(`${home()}/stream.html?server=http://127.0.0.1:` +
      `${wire.port}&feeds=BTC-USD,ETH-USD`);
    const live = () => page.waitForFunction(() =>
      document.getElementById("state").textContent === "live" &&
      document.querySelectorAll("[data-feed]").length === 2);
    await live();
    const sequence = () => page.$eval("[data-feed=BTC-USD]",
      (row) => Number(row.cells[2].textContent));
    const first = await sequence();
    wire.set("cut");
    await page.waitForSelector("#state:text-is('connecting again')");
    await sleep(CUT_MS);
    wire.set("open");
    await live();
    await page.waitForFunction((seen) => Number(document.querySelector(
      "[data-feed=BTC-USD]").cells[2].textContent) > seen + 3, first);
    if (HALLMARK_SHOTS !== undefined) {
      await page.screenshot({ path: `${HALLMARK_SHOTS}/stream.png` });
    }
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    wire.close();
  }
});
