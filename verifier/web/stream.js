// stream: GET /stream, for as long as the page is open.
//
// The happy path: the browser's EventSource; when the connection breaks it
// connects again by itself and says in Last-Event-ID where it was, and the
// server sends what was missed.
//
// What goes wrong: an HTTP error (a proxy's 502) makes EventSource give up for
// good: then another one is opened after a pause, which doubles up to a bound
// and has some chance in it, with the last id in ?since=. A connection that is
// silent for longer than the server's heartbeat (10 s) allows is taken for
// dead. Before the first event with an id, a heartbeat tells where the stream
// is; EventSource does not know that, so then we connect again ourselves. What
// the server no longer has it says (`resync`), and so do we.

const SILENCE_MS = 25000;
const PAUSE_FIRST_MS = 500, PAUSE_MAX_MS = 30000;
const EVENTS = ["attestation", "price", "status", "heartbeat", "resync",
  "goodbye"];

// "epoch-0" is before the first event.
function lastIdIn(heartbeat) {
  try {
    return JSON.parse(heartbeat).last_id ?? "";
  } catch {
    return "";
  }
}

export class Stream {
  // on: { event(name, data, id), state(name, text) }; states: "connecting",
  // "live", "waiting". url is a URL object.
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.lastId = "";
    this.blind = true; // EventSource itself could not resume from lastId
    this.pauseMs = PAUSE_FIRST_MS;
    this.source = null;
    this.timer = null;
    this.reconnects = 0;
    this.everLive = false;
  }

  open() {
    const url = new URL(this.url);
    if (this.lastId !== "") url.searchParams.set("since", this.lastId);
    this.blind = this.lastId === "";
    this.drop();
    this.on.state("connecting", "connecting");
    this.source = new EventSource(url);
    this.source.onopen = () => this.opened();
    this.source.onerror = () => this.failed();
    for (const name of EVENTS) {
      this.source.addEventListener(name, (event) => this.took(name, event));
    }
    this.watch();
  }

  drop() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), SILENCE_MS);
  }

  opened() {
    if (this.everLive) this.reconnects++;
    this.everLive = true;
    this.pauseMs = PAUSE_FIRST_MS;
    this.on.state("live", "live");
    this.watch();
  }

  failed() {
    const itself = this.source.readyState !== EventSource.CLOSED;
    if (itself && !(this.blind && this.lastId !== "")) {
      this.on.state("waiting", "the connection broke; connecting again");
      return;
    }
    const pause = this.pauseMs * (0.5 + Math.random());
    this.pauseMs = Math.min(2 * this.pauseMs, PAUSE_MAX_MS);
    this.drop();
    this.on.state("waiting", "the server cannot be reached; trying again");
    this.timer = setTimeout(() => this.open(), pause);
  }

  took(name, event) {
    // Only prices and statuses have an id; it stays until the next one.
    if (event.lastEventId !== "") {
      this.lastId = event.lastEventId;
      this.blind = false;
    } else if (name === "heartbeat" && this.lastId === "") {
      this.lastId = lastIdIn(event.data);
    }
    this.watch();
    this.on.event(name, event.data, event.lastEventId);
  }
}
