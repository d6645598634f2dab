// Streamed answers of a room: the text of each, whole also when the page comes back in the middle of one.
"use strict";

window.Answers = class {
  /**
   * `show(id, text, about)` is called with the whole text so far whenever it grows, `ended(id, end, about)` at its end;
   * `end.outcome` is "done", "stopped" or "failed", and "lost" when the end was missed: fetch the state then.
   * Give `on` and `resync` to `Live.rooms.follow`.
   */
  constructor(socket, { show = () => {}, ended = () => {} }) {
    Object.assign(this, { socket, show, ended, running: new Map() });
    this.on = {
      "stream:start": ({ id, about }) => this.begin(id, "", about),
      "stream:part": (part) => this.grow(part),
      "stream:end": (end) => this.finish(end.id, end),
    };
    this.resync = (answer, early) => this.restart(answer, early);
  }

  /** Ask the server to stop a stream in that room. */
  stop(id, room) {
    this.socket.emit("stream:stop", { id, room });
  }

  begin(id, text, about) {
    this.running.set(id, { text, about });
    this.show(id, text, about);
  }

  grow({ id, text }) {
    const one = this.running.get(id);
    if (!one || !text) return;
    one.text += text;
    this.show(id, one.text, one.about);
  }

  finish(id, end) {
    const about = this.running.get(id)?.about;
    this.running.delete(id);
    this.ended(id, end, about);
  }

  // Without an answer the room lost events in the middle: what runs is known again after the next join. What arrived
  // before the answer and is newer is taken once more, since the texts of the answer lack it.
  restart(answer, early = []) {
    const { epoch, seq, streams: found = [] } = answer?.stream ?? {};
    const newer = early.filter(([, { stream }]) => stream.epoch === epoch && stream.seq > seq);
    const begun = newer.filter(([event]) => event === "stream:start").map(([, data]) => data);
    const ids = new Set([...found, ...begun].map(({ id }) => id));
    for (const id of [...this.running.keys()]) if (!ids.has(id)) this.finish(id, { outcome: "lost" });
    for (const { id, text, about } of found) this.begin(id, text, about);
    for (const [event, data] of newer) this.on[event]?.(data);
  }
};
