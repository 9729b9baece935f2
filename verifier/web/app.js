// app: the page. It fetches the feeds, the policy and the stream of the server
// that it came from, and shows nothing as verified that it did not verify
// itself.
import { AttestationView } from "./attestation.js";
import { Board } from "./board.js";
import { fromBase64 } from "./bytes.js";
import { Detail } from "./detail.js";
import { byId, plural, setAttribute, setText } from "./dom.js";
import { note } from "./journal.js";
import { Stream } from "./stream.js";
import { Table, stateOf } from "./table.js";
import { fromServer, parseKept, readKept } from "./trust.js";
import { TrustView } from "./trust_view.js";

const SERVER = new URL("../", import.meta.url); // of web/app.js
const CLOCK_OFF_MS = 2000;

const view = { board: null, table: null, detail: null, trust: null,
  attestation: new AttestationView(), current: null, server: null,
  selected: null, stream: null, drawn: false };

async function getJson(path) {
  const answer = await fetch(new URL(path, SERVER));
  if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
  return answer.json();
}

// ---- documents ----

async function fetchDocument(hash) {
  try {
    const answer = await fetch(new URL(`attestations/${hash}`, SERVER));
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

// ---- the stream ----

// What a refused item calls itself: a hint where to show it.
function nameIn(text) {
  try {
    return String(JSON.parse(JSON.parse(text).content).feed);
  } catch {
    return "(unreadable)";
  }
}

function heardTime(timeMs) {
  const offMs = Date.now() - timeMs;
  const off = Math.abs(offMs) > CLOCK_OFF_MS;
  byId("clock").hidden = !off;
  if (!off) return;
  setText(byId("clock"), `This device's clock and the server's differ by ` +
    `${(offMs / 1000).toFixed(1)} s. Prices are judged by this device's.`);
}

// The newest of each feed, which may tick slowly. Once the stream is open, so
// that nothing falls between the two.
async function catchUp() {
  try {
    const { items } = await getJson("price?attestation=ref");
    for (const item of items) {
      const text = JSON.stringify(item);
      view.board.take(text, nameIn(text), true);
    }
  } catch (error) {
    note("warn", `the newest prices cannot be had: ${error.message}`);
  }
}

const HEARD = {
  price: (data) => view.board.take(data, nameIn(data)),
  status: (data) => view.board.take(data, nameIn(data)),
  attestation: (data) => {
    const bytes = fromBase64(JSON.parse(data).attestation_doc_b64);
    return bytes === null ? null : view.board.takeDocument(bytes);
  },
  heartbeat: (data) => heardTime(JSON.parse(data).time_ms),
  resync: (data) => {
    note("warn", "the server no longer has what was missed: " +
      JSON.parse(data).reason);
    return catchUp();
  },
  goodbye: (data) => note("warn",
    `the server says goodbye: ${JSON.parse(data).reason ?? ""}`),
};

async function heard(name, data) {
  try {
    await HEARD[name](data);
  } catch (error) {
    note("bad", `an event that cannot be read: ${name}: ${error.message}`);
  }
}

function streamState(state, text) {
  const before = byId("connection").dataset.state;
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection"), text);
  setText(byId("reconnects"), String(view.stream?.reconnects ?? 0));
  if (state === "waiting" && before === "live") note("warn", text);
  if (state === "live" && before !== "live" && view.stream?.reconnects > 0) {
    note("good", "connected again; what was missed is being sent");
    refreshPolicy().catch((error) => note("warn", error.message));
  } else if (state === "live") {
    catchUp();
  }
}

// ---- drawing ----

function count(state) {
  const nowMs = Date.now();
  return [...view.board.feeds.values()]
    .filter((feed) => stateOf(feed, nowMs) === state).length;
}

function sum(name) {
  return [...view.board.feeds.values()]
    .reduce((total, feed) => total + feed.counts[name], 0);
}

function drawSummary() {
  const total = view.board.feeds.size;
  const bad = count("refused"), good = count("verified");
  setText(byId("headline"), bad > 0
    ? `${plural(bad, "feed")} refused`
    : `${good} of ${plural(total, "feed")} verified in this browser`);
  setAttribute(byId("headline"), "data-state", bad > 0 ? "refused"
    : good === total && total > 0 ? "verified" : "waiting");
  for (const name of ["verified", "late", "refused", "missing", "doubled"]) {
    setText(byId(`sum-${name}`), String(sum(name)));
  }
}

function select(name) {
  view.selected = name;
  view.table.selected = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  view.detail.select(view.board.feed(name));
  draw();
}

// Which feed the address asks for, so that a screen on a wall can show it.
function wantedFeed() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function selectFirst() {
  const wanted = wantedFeed();
  const names = [...view.board.feeds.keys()].sort();
  if (names.length === 0) return;
  select(names.includes(wanted) ? wanted
    : names.find((name) => name === "BTC-USD") ?? names[0]);
}

function draw() {
  view.drawn = false;
  const nowMs = Date.now();
  if (view.selected === null) selectFirst();
  view.table.show(view.board.feeds, nowMs);
  view.detail.show();
  view.attestation.show(view.board.feeds.get(view.selected)?.good ?? null);
  view.attestation.tick(nowMs);
  drawSummary();
}

// Once a frame at most, however many items come.
function drawSoon() {
  if (view.drawn) return;
  view.drawn = true;
  setTimeout(draw, 50);
}

// ---- the policy ----

async function usePolicy(kept) {
  const current = kept ?? view.server;
  const policy = await parseKept(current);
  const servers = view.server === null ? null
    : await parseKept(view.server).catch(() => null);
  view.current = current;
  if (view.board === null) makeBoard(policy);
  else view.board.setPolicy(policy);
  view.trust.show(current, policy, view.server, servers);
}

// After the connection was lost it may be another server, or the same with
// another policy: said, and followed only by those who keep none.
async function refreshPolicy() {
  const now = fromServer(await getJson("policy"));
  if (now.text === view.server?.text &&
      now.pems.join() === view.server.pems.join()) {
    return;
  }
  note("warn", "this server names another policy than before");
  view.server = now;
  await usePolicy(view.current.source === "server" ? null : view.current);
}

function makeBoard(policy) {
  view.board = new Board(policy, {
    changed: drawSoon,
    event: note,
    item: (feed, judged) => document.dispatchEvent(new CustomEvent(
      "hallmark-item", { detail: { feed: feed.name, state: judged.state,
        sequence: judged.content?.sequence ?? null } })),
  });
  view.board.fetchDocument = fetchDocument;
  view.table = new Table(byId("feeds"), select);
  view.detail = new Detail(() => view.board.policy);
}

// The one that is kept here, or else the server's.
async function findPolicy() {
  let kept = null;
  try {
    kept = readKept(localStorage);
  } catch (error) {
    note("bad", `no policy is kept in this browser: ${error.message}`);
  }
  try {
    view.server = fromServer(await getJson("policy"));
  } catch (error) {
    if (kept === null) throw error;
  }
  return kept;
}

// ---- the beginning ----

function fail(text) {
  byId("fatal").hidden = false;
  setText(byId("fatal"), text);
  setText(byId("headline"), "nothing is verified");
  setAttribute(byId("headline"), "data-state", "refused");
}

async function addFeeds() {
  const { feeds } = await getJson("feeds");
  for (const { feed } of feeds) view.board.feed(feed);
}

async function start() {
  if (globalThis.crypto?.subtle === undefined) {
    fail("This browser gives no cryptography to pages that came over plain " +
      "HTTP from another machine, so nothing can be verified here and " +
      "nothing is shown. Open the page over HTTPS, or from localhost.");
    return;
  }
  view.trust = new TrustView(() => localStorage, { use: usePolicy });
  await usePolicy(await findPolicy());
  await addFeeds();
  draw();
  view.stream = new Stream(new URL("stream", SERVER),
    { event: heard, state: streamState });
  view.stream.open();
  setInterval(draw, 1000);
}

start().catch((error) => fail(`The page cannot begin: ${error.message}`));
