// chart: the price as a line within its confidence band, as SVG that scales
// with its box. Breaks where the oracle signed that it had no price; a dashed
// upright where items are missing. Numbers are only for drawing here.
import { setAttribute, svg } from "./dom.js";

const WIDTH = 600, PAD = 4;

function bounds(points) {
  const withPrice = points.filter((point) => point.price !== null);
  let low = Infinity, high = -Infinity;
  for (const { price, confidence } of withPrice) {
    low = Math.min(low, price - confidence);
    high = Math.max(high, price + confidence);
  }
  if (low === high) { // a flat line in the middle
    const room = Math.abs(low) / 1000 || 1;
    [low, high] = [low - room, high + room];
  }
  return { low, high };
}

// Runs of points without a break.
function runs(points) {
  const out = [[]];
  for (const point of points) {
    if (point.missing > 0 || point.price === null) out.push([]);
    if (point.price !== null) out.at(-1).push(point);
  }
  return out.filter((run) => run.length > 0);
}

function scales(points, height, { low, high }) {
  const from = points[0].atMs, to = points.at(-1).atMs;
  const span = Math.max(to - from, 1000), room = height - 2 * PAD;
  return {
    x: (ms) => (WIDTH - 8 - (to - ms) / span * (WIDTH - 16)).toFixed(1),
    y: (price) => (PAD + (high - price) / (high - low) * room).toFixed(1),
  };
}

function linePath(run, { x, y }) {
  const at = run.map((point) => `${x(point.atMs)} ${y(point.price)}`);
  return `M${at.join("L")}${run.length === 1 ? "h0.1" : ""}`;
}

function bandPath(run, { x, y }) {
  const upper = run.map((p) => `${x(p.atMs)} ${y(p.price + p.confidence)}`);
  const lower = run.map((p) => `${x(p.atMs)} ${y(p.price - p.confidence)}`);
  return `M${upper.join("L")}L${lower.reverse().join("L")}Z`;
}

export class Chart {
  constructor(className, height) {
    this.height = height;
    this.band = svg("path", { class: "band" });
    this.line = svg("path", { class: "line" });
    this.gaps = svg("path", { class: "gap" });
    this.dot = svg("path", { class: "dot" });
    this.element = svg("svg", { class: className, role: "img",
      viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none" },
      this.band, this.gaps, this.line, this.dot);
  }

  // The bounds that were drawn, or null.
  show(points, label) {
    setAttribute(this.element, "aria-label", label);
    const parts = runs(points);
    if (parts.length === 0) return null;
    const found = bounds(points), scale = scales(points, this.height, found);
    const last = points.findLast((point) => point.price !== null);
    this.line.setAttribute("d", parts.map((r) => linePath(r, scale)).join(""));
    this.band.setAttribute("d", parts.map((r) => bandPath(r, scale)).join(""));
    this.gaps.setAttribute("d", points.filter((p) => p.missing > 0)
      .map((p) => `M${scale.x(p.atMs)} 0V${this.height}`).join(""));
    this.dot.setAttribute("d",
      `M${scale.x(last.atMs)} ${scale.y(last.price)}h0.01`);
    return found;
  }
}

// "from 84000.1 to 84036.2 in 120 s, now 84030.0": a chart for the ear.
export function chartLabel(feed) {
  const prices = feed.points.filter((point) => point.price !== null);
  if (prices.length === 0) return `${feed.name}: no price yet`;
  const values = prices.map((point) => point.price);
  const seconds = Math.round((prices.at(-1).atMs - prices[0].atMs) / 1000);
  return `${feed.name} over ${seconds} seconds: lowest ` +
    `${Math.min(...values)}, highest ${Math.max(...values)}, ` +
    `last ${values.at(-1)} plus or minus ${prices.at(-1).confidence}`;
}
