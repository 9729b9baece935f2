// detail: one feed: its chart, its sources, its checks, and what becomes of it
// when somebody alters a byte.
import { Chart, chartLabel } from "./chart.js";
import { ChecksView, plannedChecks } from "./checks.js";
import { byId, duration, grouped, h, keepRows, plural, setAttribute, setText,
  svg } from "./dom.js";
import { ALTERATIONS, alterationsUnder, tamper } from "./tamper.js";
import { verifyItem } from "./verify.js";

const STATE_WORDS = { used: "used", stale: "stale", frozen: "frozen",
  outlier: "outlier", failed: "failed", check: "for comparison" };
const BAR_BPS = 25; // of deviation fill half of the bar

// In hundredths of a percent; a number for people, not for money.
function deviationBps(source, content) {
  if (source.price === null || content.price === null) return null;
  return (Number(source.price) / Number(content.price) - 1) * 10000;
}

function makeBar() {
  const fill = svg("rect", { y: 2, height: 8, class: "fill" });
  const element = svg("svg", { class: "bar", viewBox: "0 0 100 12",
    "aria-hidden": "true", preserveAspectRatio: "none" },
    svg("path", { d: "M50 0V12", class: "middle" }), fill);
  return { element, fill };
}

function showBar({ fill }, bps) {
  const share = Math.max(-1, Math.min(1, (bps ?? 0) / BAR_BPS)) * 50;
  fill.setAttribute("x", Math.min(50, 50 + share));
  fill.setAttribute("width", Math.abs(share));
}

function makeSource() {
  const row = { name: h("th", { scope: "row" }), price: h("td", {
    class: "price" }), deviation: h("td", { class: "deviation" }),
  state: h("td", { class: "state" }), age: h("td", { class: "age" }) };
  row.bar = makeBar();
  row.text = h("span");
  row.title = h("span");
  row.via = h("small");
  row.name.append(row.title, " ", row.via);
  row.deviation.append(row.bar.element, row.text);
  row.element = h("tr", {}, row.name, row.state, row.price, row.deviation,
    row.age);
  return row;
}

function showSource(row, source, content) {
  const bps = deviationBps(source, content);
  const sign = bps > 0 ? "+" : "";
  setAttribute(row.element, "data-state", source.state);
  setText(row.title, `${source.exchange} ${source.symbol}`);
  setText(row.via, source.via ? `by ${source.via} ${source.rate ?? ""}` : "");
  setText(row.price, source.price === null ? "\u2013" : grouped(source.price));
  setText(row.text, bps === null ? "\u2013" : `${sign}${bps.toFixed(1)} bps`);
  showBar(row.bar, bps);
  setText(row.state, STATE_WORDS[source.state] +
    (source.error ? `: ${source.error}` : ""));
  setText(row.age, source.received_ms === null ? "\u2013"
    : duration(content.published_ms - source.received_ms));
}

export class Detail {
  // policy(): the one in use.
  constructor(policy) {
    this.policy = policy;
    this.feed = null;
    this.sources = new Map();
    this.chart = new Chart("big", 220);
    byId("chart").append(this.chart.element);
    this.checks = new ChecksView(byId("checks"));
    this.tampered = new ChecksView(byId("tampered-checks"));
    this.offered = [];
    this.offer(alterationsUnder(policy()));
    byId("tamper").addEventListener("click", () => this.tamper());
    byId("tamper-close").addEventListener("click", () => this.closeTampered());
  }

  select(feed) {
    if (this.feed !== feed) this.closeTampered();
    this.feed = feed;
    setText(byId("detail-title"), feed.name);
    this.show();
  }

  show() {
    const { feed } = this;
    if (feed?.last == null) return;
    const { checks, late = null } = feed.last;
    this.checks.show(plannedChecks(this.policy()), checks, late);
    this.showVerdict(feed.last);
    this.showCounts(feed);
    this.offer(alterationsUnder(this.policy()));
    byId("tamper").disabled = feed.good === null;
    if (feed.good !== null) this.showGood(feed);
  }

  showVerdict(last) {
    const count = last.checks.length;
    const text = { verified: `verified here: ${count} checks passed`,
      late: `genuine, but came too late to be used (${last.late})`,
      refused: `refused by ${last.failed} (${last.verdict})` }[last.state];
    setAttribute(byId("verdict"), "data-state", last.state);
    setText(byId("verdict"), text ?? "");
  }

  showCounts({ counts }) {
    setText(byId("counts"), [`${counts.verified} verified`,
      `${counts.late} too late`, `${counts.refused} refused`,
      `${counts.missing} missing`, `${counts.doubled} doubled`].join(", "));
  }

  showGood(feed) {
    const { content, cosigners } = feed.good;
    const ok = content.status === "ok";
    setText(byId("detail-price"), ok ? grouped(content.price)
      : `no price: ${content.reason}`);
    setText(byId("detail-confidence"), ok
      ? `\u00b1 ${grouped(content.confidence)}` : "");
    setText(byId("detail-order"), `sequence ${content.sequence}, ` +
      `median of ${plural(content.sources.filter((s) =>
        s.state === "used").length, "source")}, at least ` +
      `${content.min_sources} wanted` + (cosigners.length === 0 ? ""
      : `, co-signed by ${plural(cosigners.length, "other enclave")}`));
    const bounds = this.chart.show(feed.points, chartLabel(feed));
    if (bounds !== null) this.showBounds(bounds, content);
    this.showSources(content);
  }

  showBounds({ low, high }, { price }) {
    const decimals = price?.split(".")[1]?.replace(/0+$/, "").length ?? 2;
    const digits = Math.max(2, Math.min(8, decimals));
    setText(byId("chart-high"), grouped(high.toFixed(digits)));
    setText(byId("chart-low"), grouped(low.toFixed(digits)));
  }

  showSources(content) {
    const keyOf = (s) => `${s.exchange} ${s.symbol}`;
    keepRows(byId("sources"), this.sources, content.sources.map(keyOf),
      makeSource);
    for (const source of content.sources) {
      showSource(this.sources.get(keyOf(source)), source, content);
    }
  }

  // ---- one byte altered ----

  // What is chosen stays so, while the policy stays the same.
  offer(ids) {
    if (ids.join() === this.offered.join()) return;
    this.offered = ids;
    byId("tamper-what").replaceChildren(...ids.map((id) =>
      h("option", { value: id, text: ALTERATIONS[id][0] })));
  }

  async tamper() {
    const { text, documents, envelope } = this.feed.good;
    const id = byId("tamper-what").value, policy = this.policy();
    const altered = await tamper(id, text,
      envelope.document ?? documents.get(envelope.attestationSha256));
    const { verdict, checks } = await verifyItem({ policy, nowMs: Date.now(),
      text: altered.text, document: altered.document, documents });
    const failed = checks.at(-1);
    byId("tampered").hidden = false;
    byId("tampered").dataset.verdict = verdict;
    const what = `Altered: ${altered.what}.`;
    const said = verdict === "valid"
      ? "Accepted: this is a fault of this page, please report it."
      : `Refused by ${failed.check} (${verdict}).`;
    setText(byId("tampered-what"), what);
    setText(byId("tampered-verdict"), said);
    setText(byId("tampered-said"), `${what} ${said}`); // and not all 27 lines
    this.tampered.show(plannedChecks(policy).filter((check) =>
      check !== "sequence" && check !== "previous_sha256"), checks);
  }

  closeTampered() {
    byId("tampered").hidden = true;
    setText(byId("tampered-said"), "");
  }
}
