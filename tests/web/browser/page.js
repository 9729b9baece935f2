// page: a browser and its pages, for the tests in this folder.
//
//   HALLMARK_CHROMIUM  the browser, default /usr/bin/chromium
import { chromium } from "playwright-core";

const SEEN_MS = 30000; // for anything that has to show; a ceiling
const { HALLMARK_CHROMIUM = "/usr/bin/chromium" } = process.env;

export function launch() {
  return chromium.launch({ executablePath: HALLMARK_CHROMIUM,
    args: ["--host-resolver-rules=MAP plain.test 127.0.0.1",
      ...(process.getuid() === 0 ? ["--no-sandbox"] : [])] });
}

// A page that notes each item that it judged, what it asked for and what went
// wrong in it; for `use`, then closed.
export async function withPage(browser, use, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 1000 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_MS);
  page.faults = [];
  page.asked = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.faults.push(message.text());
  });
  page.on("request", (request) => page.asked.push(request.url()));
  await page.addInitScript(() => {
    globalThis.judged = [];
    document.addEventListener("hallmark-item",
      (event) => globalThis.judged.push(event.detail));
  });
  try {
    await use(page);
  } finally {
    await context.close();
  }
}

export async function allVerified(page) {
  await page.waitForSelector('#headline[data-state="verified"]');
}

// [state of each check by its name] of a list
export async function states(page, list) {
  return page.$$eval(`${list} > li`, (items) => items.map(
    (item) => [item.dataset.check, item.dataset.state]));
}
