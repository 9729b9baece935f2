// wire: what lies between a browser and the server: it can be cut, answer with
// an error as a proxy does, and alter what passes.
import { connect, createServer } from "node:net";

const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n" +
  "Connection: close\r\n\r\n";

export class Wire {
  // mode: "open", "cut" (connections are reset) or "error" (502)
  constructor(port) {
    this.to = port;
    this.mode = "open";
    this.alter = null; // bytes => bytes, of what goes to the browser
    this.sockets = new Set();
    this.server = createServer((socket) => this.take(socket));
  }

  async listen() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    this.port = this.server.address().port;
    return this;
  }

  keep(socket) {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  }

  take(near) {
    this.keep(near);
    if (this.mode === "cut") {
      near.resetAndDestroy();
    } else if (this.mode === "error") {
      near.once("data", () => near.end(BAD_GATEWAY));
    } else {
      this.join(near);
    }
  }

  join(near) {
    const far = this.keep(connect(this.to, "127.0.0.1"));
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => near.write(this.alter?.(bytes) ?? bytes));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  }

  // What is under way ends now.
  set(mode) {
    this.mode = mode;
    if (mode === "open") return;
    for (const socket of this.sockets) socket.destroy();
  }

  close() {
    this.set("cut");
    this.server.close();
  }
}
