// node early_events.js FOLDER: prints what a page shows when events arrive between its join and the answer to it.
"use strict";

globalThis.window = globalThis;
for (const name of ["rooms.js", "streams.js"]) require(`${process.argv[2]}/${name}`);
let receive, answer;
const socket = {
  id: "one",
  connected: true,
  on: () => {},
  prependAny: (listener) => { receive = listener; },
  timeout: () => ({ emit: (event, message, done) => { answer = done; } }),
};
const shown = {}, ends = [];
const talk = new Answers(socket, {
  show: (id, text) => { shown[id] = text; },
  ended: (id, end) => { ends.push([id, end.outcome]); },
});
const stream = (seq) => ({ room: "talk", epoch: "e", seq, after: seq - 1 });
const part = (seq, id, text) => receive("stream:part", { id, text, stream: stream(seq) });

new Rooms(socket).follow("talk", { event: "talk:join", on: talk.on, resync: talk.resync });
part(8, "old", "d");
receive("stream:start", { id: "new", about: {}, stream: stream(9) });
part(10, "new", "x");
answer(null, { ok: true, stream: { ...stream(7), recovered: false, streams: [{ id: "old", about: {}, text: "abc" }] } });
part(11, "old", "e");
part(12, "new", "y");
receive("stream:end", { id: "new", outcome: "done", stream: stream(13) });
console.log(JSON.stringify({ shown, ends }));
