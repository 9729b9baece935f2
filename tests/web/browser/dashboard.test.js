// The dashboard in Chromium, against the programs of make demo: it verifies
// what they say, refuses what was altered on the way, resumes, and can be used
// with a keyboard. check.py starts the programs and says where they are.
//
//   HALLMARK_PORT   hallmark-verifierd's
//   HALLMARK_SHOTS  where screenshots go
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allVerified, launch, states, withPage as withPageOf }
  from "./page.js";
import { Wire } from "./wire.js";

const CUT_MS = 5000;
const { HALLMARK_PORT, HALLMARK_SHOTS } = process.env;

let browser, wire;

before(async () => {
  wire = await new Wire(Number(HALLMARK_PORT)).listen();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  wire?.close();
});

const withPage = (use, options) => withPageOf(browser, use, options);
const home = () => `http://127.0.0.1:${wire.port}/`;

async function open(page) {
  const answer = await page.goto(home());
  await allVerified(page);
  return answer;
}

async function shoot(page, name) {
  if (HALLMARK_SHOTS === undefined) return;
  await page.screenshot({ path: `${HALLMARK_SHOTS}/${name}.png`,
    fullPage: true });
}

test("every feed is verified in the browser, with nothing from elsewhere",
  () => withPage(async (page) => {
    const answer = await open(page);
    const headers = await answer.allHeaders();
    assert.match(headers["content-security-policy"], /default-src 'none'/);
    assert.match(headers["content-security-policy"], /frame-ancestors 'none'/);
    assert.equal(headers["referrer-policy"], "no-referrer");
    const { feeds } = await (await fetch(`${home()}feeds`)).json();
    const rows = await page.$$eval("#feeds tr[data-state=verified]",
      (found) => found.map((row) => row.dataset.feed));
    assert.deepEqual(rows, feeds.map(({ feed }) => feed).sort());
    assert.ok(page.asked.every((url) => url.startsWith(home())));
    assert.deepEqual(page.faults, []);
    assert.equal(await page.textContent("#sum-refused"), "0");
    assert.equal(await page.textContent("#sum-missing"), "0");
  }));

test("a badge for each check, the sources, the attestation", () =>
  withPage(async (page) => {
    await open(page);
    const checks = await states(page, "#checks");
    assert.ok(checks.every(([, state]) => state === "pass"),
      JSON.stringify(checks));
    const names = checks.map(([check]) => check);
    for (const name of ["cose", "root", "chain", "document_signature", "pcr0",
      "pcr16", "public_key", "item_signature", "user_data", "sequence",
      "previous_sha256"]) {
      assert.ok(names.includes(name), name);
    }
    assert.ok(await page.locator("#sources tr").count() >= 4);
    assert.equal(await page.textContent("#root-short"), "SIMULATED");
    assert.equal(await page.locator("#chain tr").count(), 5);
    assert.match(await page.textContent('[data-pcr="0"]'), /\u2713 pinned/);
    assert.match(await page.textContent("#validity-left"), /left$/);
    assert.match(await page.textContent("#policy-sentence"),
      /the policy that this server names/);
  }));

test("tamper: exactly the right badge refuses, whatever is altered", () =>
  withPage(async (page) => {
    await open(page);
    const wanted = { price: "item_signature", signature: "item_signature",
      key: "public_key", platform: "platform", document: "attestation_hash",
      pcr: "document_signature", certificate: "chain", root: "root" };
    const offered = await page.$$eval("#tamper-what option",
      (options) => options.map((option) => option.value));
    assert.deepEqual(offered, Object.keys(wanted));
    for (const [what, check] of Object.entries(wanted)) {
      await page.selectOption("#tamper-what", what);
      await page.click("#tamper");
      await page.waitForFunction((name) => document.querySelector(
        "#tampered-verdict").textContent.startsWith(`Refused by ${name} `),
      check);
      const found = await states(page, "#tampered-checks");
      const at = found.findIndex(([, state]) => state === "fail");
      assert.equal(found[at][0], check, what);
      found.slice(0, at).forEach(([, state]) => assert.equal(state, "pass"));
      found.slice(at + 1).forEach(([, state]) => assert.equal(state, "skip"));
    }
    await shoot(page, "tampered");
    assert.ok((await states(page, "#checks")).every(([, s]) => s === "pass"));
    assert.deepEqual(page.faults, []);
  }));

// The first digit of the next price that passes: another, and not 0, with
// which 1.000000 would be no price at all.
function alterNextPrice() {
  const mark = Buffer.from('\\"status\\":\\"ok\\",\\"price\\":\\"');
  wire.alter = (bytes) => {
    const at = bytes.indexOf(mark);
    if (at < 0 || at + mark.length >= bytes.length) return bytes;
    const altered = Buffer.from(bytes);
    const [five, six] = Buffer.from("56");
    const digit = altered[at + mark.length];
    altered[at + mark.length] = digit === five ? six : five;
    wire.alter = null;
    return altered;
  };
}

test("a digit altered on the way is refused, and the next price is good", () =>
  withPage(async (page) => {
    await open(page);
    alterNextPrice();
    await page.waitForSelector('#journal [data-kind="bad"]');
    assert.match(await page.textContent('#journal [data-kind="bad"]'),
      /refused by item_signature/);
    // The sums are drawn after the journal, not with it.
    await page.waitForSelector('#sum-refused:text-is("1")');
    await allVerified(page);
    assert.equal(await page.textContent("#sum-refused"), "1");
  }));

// Each feed's sequences, in the order in which they were judged.
function sequences(judged) {
  const feeds = new Map();
  for (const { feed, state, sequence } of judged) {
    if (state === "known") continue; // asked for and streamed
    assert.ok(["verified", "late"].includes(state), `${feed}: ${state}`);
    feeds.set(feed, [...(feeds.get(feed) ?? []), sequence]);
  }
  return feeds;
}

for (const mode of ["cut", "error"]) {
  test(`a stream that is ${mode === "cut" ? "cut" : "answered with 502"} for ` +
    "5 s resumes, none missing and none doubled", () =>
    withPage(async (page) => {
      await open(page);
      await page.waitForFunction((count) => globalThis.judged.length > count,
        3 * await page.locator("#feeds tr").count());
      wire.set(mode);
      await sleep(CUT_MS);
      const before = await page.evaluate(() => globalThis.judged.length);
      wire.set("open");
      await page.waitForFunction((count) =>
        globalThis.judged.length > count + 30 && document.querySelector(
          "#connection").dataset.state === "live", before);
      for (const [feed, seen] of sequences(
        await page.evaluate(() => globalThis.judged))) {
        seen.forEach((sequence, i) => assert.equal(sequence, seen[0] + i,
          `${feed}: ${seen}`));
      }
      assert.equal(await page.textContent("#sum-missing"), "0");
      assert.equal(await page.textContent("#sum-doubled"), "0");
      assert.notEqual(await page.textContent("#reconnects"), "0");
      await allVerified(page);
    }));
}

test("with the keyboard alone", () => withPage(async (page) => {
  const focused = () => page.evaluate(() => {
    const { id, className, textContent } = document.activeElement;
    return id || className || textContent;
  });
  await open(page);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab"); // the first feed
  const first = await focused();
  await page.keyboard.press("ArrowDown");
  const second = await focused();
  assert.notEqual(second, first);
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#detail-title"), second);
  assert.equal(await focused(), second); // and stays there, as prices come
  await page.waitForTimeout(1500);
  assert.equal(await focused(), second);
  await page.focus("#checks summary");
  await page.keyboard.press("Space");
  assert.ok(await page.$eval("#checks details", (details) => details.open));
  await page.focus("#tamper");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#tampered-checks [data-state=fail]");
  assert.ok(await page.$eval("#tamper", (button) =>
    getComputedStyle(button).outlineStyle !== "none"), "the focus shows");
}));

test("names for a screen reader", () => withPage(async (page) => {
  await open(page);
  const nameless = await page.$$eval("button, select, textarea, progress, " +
    "svg[role=img], section, a", (all) => all.filter((element) => {
    const by = element.getAttribute("aria-labelledby");
    const text = element.labels?.[0]?.textContent ?? element.textContent;
    const name = by ? document.getElementById(by)?.textContent
      : element.getAttribute("aria-label") ?? text;
    return !name?.trim();
  }).map((element) => element.outerHTML.slice(0, 80)));
  assert.deepEqual(nameless, []);
  assert.equal(await page.$$eval("table", (tables) =>
    tables.filter((table) => !table.caption).length), 0);
  assert.equal(await page.$$eval("th:not([scope])", (th) => th.length), 0);
}));

test("a policy of the visitor's own decides, and is kept", () =>
  withPage(async (page) => {
    await open(page);
    await page.click("#trust summary");
    await page.click("#policy-keep");
    await page.waitForSelector('body[data-policy="kept"]');
    const text = await page.inputValue("#policy-text");
    const policy = JSON.parse(text);
    policy.releases[0].pcrs[0] = "ab".repeat(48);
    await page.fill("#policy-text", JSON.stringify(policy));
    await page.click("#policy-use");
    await page.waitForSelector('#headline[data-state="refused"]');
    await page.waitForSelector('#feeds tr[data-state="refused"]');
    assert.match(await page.textContent("#feeds tr td.state"), /pcr0/);
    await page.reload();
    await page.waitForSelector('#headline[data-state="refused"]');
    assert.equal(await page.getAttribute("body", "data-policy"), "pasted");
    assert.ok(await page.isVisible("#policy-differs"));
    await page.click("#trust summary");
    await page.fill("#policy-text", "{}");
    await page.click("#policy-use");
    await page.waitForSelector('#policy-said[data-state="fail"]');
    await page.click("#policy-forget");
    await allVerified(page);
  }));

test("over plain HTTP from elsewhere it says that it cannot verify", () =>
  withPage(async (page) => {
    await page.goto(`http://plain.test:${wire.port}/`);
    await page.waitForSelector("#fatal:not([hidden])");
    assert.match(await page.textContent("#fatal"), /plain\s+HTTP/);
    assert.equal(await page.locator("#feeds tr").count(), 0);
  }));

const SHOTS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark", reducedMotion: "reduce" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2,
    colorScheme: "light", isMobile: true, hasTouch: true },
  wall: { viewport: { width: 3840, height: 2160 }, colorScheme: "dark" },
};
for (const [name, options] of Object.entries(SHOTS)) {
  test(`it fits: ${name}`, () => withPage(async (page) => {
    await open(page);
    await page.waitForTimeout(name === "light" ? 12000 : 4000);
    await shoot(page, name);
    const wide = await page.evaluate(() =>
      document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    const columns = await page.$$eval("main > div", (parts) =>
      new Set(parts.map((part) => part.offsetLeft)).size);
    assert.equal(columns, { phone: 1, wall: 3 }[name] ?? 2);
    assert.deepEqual(await page.$$eval(".scroll", (boxes) => boxes
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => box.textContent.trim().slice(0, 20))), []);
    assert.deepEqual(page.faults, []);
  }, options));
}
