// The socket of every console page: follows the service, shows whether it is ready, and passes each second's update on.
"use strict";

window.Console = (() => {
  const $ = (id) => document.getElementById(id);
  const { socket } = Live.rooms;
  const ANSWER_MS = 10_000;
  const NOTICE_MS = 8000;
  const UNDO_MS = 20_000;
  const HELD_MS = 1000;
  const parts = [];
  let following = false;
  let first = null; // the last whole state

  /** Call the functions of this name of every part of the page. */
  function tell(name, ...values) {
    for (const part of parts) part[name]?.(...values);
  }

  function watch() {
    const connection = socket.id;
    socket.timeout(ANSWER_MS).emit("console:watch", (lost, answer) => {
      if (socket.id !== connection) return;
      if (answer?.ok) return begin(answer);
      verdict(null, answer?.error?.message ?? "The service does not respond");
      setTimeout(() => { if (socket.id === connection) watch(); }, ANSWER_MS);
    });
  }

  function begin(stats) {
    following = true;
    first = { ...stats, jobs: [], more: false };
    tell("begin", first);
    tick(first);
  }

  function tick(told) {
    if (!following) return;
    tell("tick", told);
    if (!told.checks) return;
    const failing = Object.entries(told.checks).filter(([, { ok }]) => !ok).map(([name]) => name);
    verdict(told.ready, told.ready ? "Ready" : `Not ready: ${failing.join(", ")}`);
  }

  function verdict(ready, words) {
    $("state").dataset.ready = String(ready);
    Words.put($("state-title"), words);
  }

  /** Show a message for some seconds; an error that `stays` is shown until the next call, `undo` adds a button. */
  function say(text, { bad = false, stays = false, undo = null } = {}) {
    const notice = $("notice");
    notice.className = `notice floating ${bad ? "error" : "good"}`;
    Words.put($("notice-text"), text);
    notice.hidden = !text;
    $("undo").hidden = !undo;
    say.undo = undo;
    say.stays = stays;
    clearTimeout(say.timer);
    if (!stays) say.timer = setTimeout(fade, undo ? UNDO_MS : NOTICE_MS);
  }

  /** Hide the message, unless somebody points at it or has the focus in it. */
  function fade() {
    if ($("notice").matches(":hover, :focus-within")) say.timer = setTimeout(fade, HELD_MS);
    else say("");
  }

  function undo() {
    const act = say.undo;
    say("");
    act?.();
  }

  $("undo").addEventListener("click", undo);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
    if (!say.undo || typing || event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  });
  socket.on("connect", watch);
  socket.on("disconnect", () => {
    following = false;
    verdict(null, `No connection: values are from ${Words.time(Date.now())}`);
    tell("lost");
  });
  socket.on("console:tick", tick);
  document.addEventListener("DOMContentLoaded", () => { if (socket.connected && !following) watch(); });
  return {
    say,
    /** Remove a message that stays. */
    settle() { if (say.stays) say(""); },
    /** Add a part of the page: `begin(stats)` after each connect, `tick(told)` every second, `lost()` without a connection. */
    add(part) {
      parts.push(part);
      if (!following) return;
      part.begin?.(first); // its script came after the answer
      part.tick?.(first);
    },
    get(path) { return Live.api(`/admin/console/${path}`); },
    post(path, body = {}) {
      const headers = { "Content-Type": "application/json" };
      return Live.api(`/admin/console/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    },
    /** Write the query of this page's URL; empty values are left out, and `push` makes Back come here. */
    address(values, { push = false } = {}) {
      const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
      const url = query.size ? `?${query}` : location.pathname;
      if (url === (location.search || location.pathname)) return;
      history[push ? "pushState" : "replaceState"](null, "", url + (push ? "" : location.hash));
    },
  };
})();
