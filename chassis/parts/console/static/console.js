// Follows the service: fetches the state after each connect, and shows each second's update.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const { socket } = Live.rooms;
  const ANSWER_MS = 10_000;
  const PRESENCE_MS = 10_000;
  let started = null;
  let whole = null;

  function watch() {
    const connection = socket.id;
    socket.timeout(ANSWER_MS).emit("console:watch", (lost, answer) => {
      if (socket.id !== connection) return;
      if (answer?.ok) return begin(answer);
      verdict(null, {}, answer?.error?.message ?? "The service does not respond");
      setTimeout(() => { if (socket.id === connection) watch(); }, ANSWER_MS);
    });
  }

  function begin(stats) {
    started = performance.now() - stats.uptime_seconds * 1000;
    const several = stats.workers > 1;
    whole = several ? stats : null;
    Words.put($("worker"), `pid ${stats.pid}`);
    $("whose").hidden = !several;
    Figures.begin(stats);
    tick({ ...stats, jobs: [], more: false });
    Jobs.load({ still: true });
  }

  function tick(told) {
    if (started === null) return;
    Figures.tick(told.figures);
    Jobs.tick(told.jobs, told.more, told.figures);
    Words.put($("uptime"), Words.span((performance.now() - started) / 1000));
    upstream(told.upstream);
    if (whole) workers(told.sessions_by_pid);
    if (told.checks) verdict(told.ready, told.checks, told.ready ? "Ready" : "Not ready");
  }

  function verdict(ready, checks, words) {
    $("state").dataset.ready = String(ready);
    Words.put($("state-title"), words);
    $("checks").replaceChildren(...Object.entries(checks).map(([name, { ok, detail }]) => {
      const element = document.createElement("li");
      element.dataset.ok = ok;
      element.textContent = ok ? name : `${name}: ${detail}`;
      return element;
    }));
  }

  function workers(sessions) {
    const numbers = Object.values(sessions);
    const all = numbers.reduce((sum, number) => sum + number, 0);
    const open = `${Words.count(all)} sockets: ${numbers.map(Words.count).join(" + ")}`;
    Words.put($("worker"), `pid ${whole.pid}, one of ${whole.workers} (${open})`);
  }

  function upstream(state) {
    const outcomes = Object.entries(state.outcomes).map(([name, number]) => `${Words.count(number)} ${name.replaceAll("_", " ")}`);
    Words.pairs($("upstream"), [
      ["Model", state.model],
      ["At", `${state.host}${state.has_key ? "" : ", no API key"}`],
      ["State", state.problem || "responding"],
      ["Next call", state.paused_seconds ? `in ${Words.seconds(state.paused_seconds)}: it asked to wait` : "now"],
      ["In flight", `${state.in_flight} of ${state.limit}, ${state.waiting} waiting`],
      ["Calls so far", outcomes.join(", ") || "none"],
    ]);
  }

  async function presence() {
    let rooms;
    try {
      ({ rooms } = await Live.api("/admin/console/presence"));
    } catch (error) {
      return Words.put($("presence"), error.message);
    }
    const list = Object.assign(document.createElement("ul"), { className: "rooms" });
    list.append(...rooms.map(({ name, members }) => {
      const element = document.createElement("li");
      const room = document.createElement("strong");
      room.textContent = name;
      element.append(room, ` · ${members.join(", ")}`);
      return element;
    }));
    const nobody = Object.assign(document.createElement("p"), { className: "quiet", textContent: "No members in rooms with presence." });
    $("presence").replaceChildren(rooms.length ? list : nobody);
  }

  socket.on("connect", watch);
  socket.on("disconnect", () => {
    started = null;
    verdict(null, {}, `No connection: values are from ${Words.time(Date.now())}`);
  });
  socket.on("console:tick", tick);
  if (socket.connected) watch();
  setInterval(() => { if (!document.hidden && socket.connected) presence(); }, PRESENCE_MS);
  presence();
})();
