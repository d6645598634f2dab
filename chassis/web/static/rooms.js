// Rooms that survive a lost connection: after reconnecting, the server is told the last event received and sends the
// missed ones; when it no longer can, `resync` is called to fetch the state.
"use strict";

window.Rooms = class {
  static RETRY_MS = 1000; // half of it to one and a half times of it, at random
  static ANSWER_MS = 10_000;

  constructor(socket) {
    this.socket = socket;
    this.rooms = new Map();
    socket.on("connect", () => { for (const room of this.rooms.values()) this.join(room); });
    socket.prependAny((event, data) => this.receive(event, data));
  }

  /**
   * Follow a room. `event` and `message` are emitted to join it; the answer contains `stream`. `on` holds functions by
   * event name, each called once per event and in order; `joined(answer)` is called after each join, and
   * `resync(answer, early)` when the state must be fetched: after the first join, and when missed events are lost. In
   * `early` are [event, data] of what arrived before the answer, which may be newer than it.
   */
  follow(name, { event, message = {}, on = {}, joined = () => {}, resync = () => {} }) {
    const room = { name, event, message, on, joined, resync, position: null, joining: false, gap: false, early: [] };
    this.rooms.set(name, room);
    if (this.socket.connected) this.join(room);
  }

  /** Forget a room; the caller has to leave it on the server. */
  forget(name) {
    return this.rooms.delete(name);
  }

  join(room) {
    const { socket } = this;
    const connection = socket.id;
    room.joining = true;
    room.early = [];
    const current = () => this.rooms.get(room.name) === room && socket.id === connection;
    socket.timeout(Rooms.ANSWER_MS).emit(room.event, { ...room.message, after: room.position }, (lost, answer) => {
      if (!current()) return;
      if (answer?.ok) this.joined(room, answer);
      else if (answer?.error?.code !== "not_found") setTimeout(() => { if (current()) this.join(room); }, Rooms.RETRY_MS * (0.5 + Math.random()));
    });
  }

  joined(room, answer) {
    const { epoch, seq, recovered } = answer.stream;
    room.joining = false;
    // Events sent after the join may arrive before its answer.
    if (room.position?.epoch !== epoch || room.position.seq < seq) room.position = { epoch, seq };
    room.joined(answer);
    if (!recovered || room.gap) this.resync(room, answer);
    room.early = [];
  }

  receive(event, data) {
    const stream = data?.stream;
    const room = this.rooms.get(stream?.room);
    if (!room) return;
    const { epoch, seq, after } = stream;
    const known = room.position?.epoch === epoch ? room.position.seq : null;
    if (known !== null && seq <= known) return;
    room.position = { epoch, seq };
    // The first event of an epoch shows nothing of what was missed in the one before. That is noted before the join's
    // answer, too: if it fails, the next join begins behind this event, and recovers only what follows it.
    room.gap ||= known === null || after > known;
    if (room.joining) room.early.push([event, data]);
    room.on[event]?.(data);
    if (room.gap && !room.joining) this.resync(room, null);
  }

  resync(room, answer) {
    room.gap = false;
    room.resync(answer, room.early);
  }
};
