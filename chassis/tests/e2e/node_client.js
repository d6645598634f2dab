// A Socket.IO client in Node: `node node_client.js BUNDLE URL TRANSPORT`; prints a line of JSON for all that happens.
// The browser's bundle runs here as it is, on an XMLHttpRequest made of fetch.
"use strict";

globalThis.WebSocket ??= require("ws"); // Node has one of its own from version 22 on
globalThis.XMLHttpRequest = class {
  constructor() {
    this.readyState = 0;
    this.status = 0;
    this.responseType = this.responseText = "";
    this.withCredentials = false;
    this.headers = {};
    this.stop = new AbortController();
  }
  open(method, url) { this.method = method; this.url = url; }
  setRequestHeader(name, value) { if (value !== "*/*") this.headers[name] = value; }
  getResponseHeader() { return null; }
  abort() { this.stop.abort(); }
  async send(body) {
    const { method, headers } = this;
    try {
      const answer = await fetch(this.url, { method, headers, body: body ?? undefined, signal: this.stop.signal });
      this.responseText = await answer.text();
      this.status = answer.status;
    } catch {
      this.status = 0;
    }
    this.readyState = 4;
    this.onreadystatechange?.();
  }
};

const [bundle, url, transport] = process.argv.slice(2);
const say = (event, more) => console.log(JSON.stringify({ event, ...more }));
const socket = require(bundle)(url, { transports: [transport] });
socket.on("connect", () => socket.emit("pid", (pid) => say("connect", { pid })));
socket.on("disconnect", (reason) => say("disconnect", { reason, active: socket.active }));
socket.on("connect_error", (error) => say("connect_error", { message: error.message }));
socket.on("server:draining", (told) => say("draining", told));
