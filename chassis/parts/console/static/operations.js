// Schedules, backups, job workers and maintenance mode: fetched occasionally, since they change rarely.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const ASK_MS = 10_000;
  const SOON_MS = 300;
  let on = $("maintenance").dataset.on === "true";

  const kinds = new Set(["backup", "backup_drill"]); // of the jobs that change what is shown here

  /** Describe an entry: its name, lines of text and times, a badge's state, and what its buttons are made of. */
  function entry(name, lines, { state = null, failure = "", buttons = () => [] } = {}) {
    return { name, lines: lines.map((line) => line.filter((part) => part !== "")), state, failure, buttons };
  }

  function item(one) {
    const element = document.createElement("li");
    const about = document.createElement("div");
    const lines = document.createElement("div");
    const actions = Object.assign(document.createElement("div"), { className: "row" });
    about.append(Object.assign(document.createElement("strong"), { textContent: one.name }), lines);
    const shown = badge();
    actions.append(shown, ...one.buttons());
    element.append(about, actions);
    element.update = ({ lines: given, state, failure }) => {
      lines.replaceChildren(...[...given, ...(failure ? [[failure]] : [])].map((parts) => {
        const line = Object.assign(document.createElement("span"), { className: "quiet" });
        line.append(...parts);
        return line;
      }));
      shown.hidden = !state;
      Words.put(shown, state ?? "");
      shown.dataset.status = state;
    };
    element.update(one);
    return element;
  }

  function button(text, act) {
    const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    element.addEventListener("click", act);
    return element;
  }

  function badge() {
    return Object.assign(document.createElement("span"), { className: "badge" });
  }

  async function post(path, done, body = {}) {
    try {
      const answer = await Console.post(path, body);
      Console.say(done);
      load();
      return answer;
    } catch (error) {
      Console.say(error.message, { bad: true });
      return null;
    }
  }

  function schedule(one) {
    kinds.add(one.kind);
    const next = one.next_at ? ["next ", Times.element(one.next_at)] : ["no next run"];
    const last = one.last_at ? ["last ", Times.element(one.last_at)] : ["never run"];
    const run = () => post(`schedules/${encodeURIComponent(one.kind)}/run`, `${one.kind} has been queued.`);
    const lines = [[one.expression || "off"], next, last];
    return entry(one.kind, lines, { state: one.last_state, failure: one.last_error ?? "", buttons: () => [button("Run now", run)] });
  }

  function backup(one, here) {
    const path = `backups/${encodeURIComponent(one.name)}`;
    const size = one.size_bytes === null ? "" : `${Words.bytes(one.size_bytes)}, `;
    const proven = one.proven_at ? ["verified ", Times.element(one.proven_at)] : ["not verified yet"];
    const verify = () => post(`${path}/verify`, `${one.name} is being verified: a test restore is running.`);
    const download = () => {
      const form = $("download").content.firstElementChild.cloneNode(true);
      form.action = `/admin/console/${path}/download`;
      return form;
    };
    const buttons = () => [button("Verify", verify), ...(here ? [download()] : [])];
    return entry(one.name, [[`${size}created `, Times.element(one.made_at)], proven], { buttons });
  }

  function worker(one) {
    const slots = one.slots === 1 ? "1 job" : `${one.slots} jobs`;
    const able = () => [Object.assign(document.createElement("span"), { className: "quiet", textContent: `${one.kinds.length} kinds`, title: one.kinds.join(", ") })];
    return entry(one.name, [[`${one.engine}, ${slots} at once`], ["seen ", Times.element(one.seen_at)]], { buttons: able });
  }

  /** Show entries, reusing their elements; while somebody points at the list or has the focus in it, none moves. */
  function fill(list, entries, empty) {
    const known = list.known ?? new Map();
    const held = list.matches(":hover") || list.contains(document.activeElement);
    for (const one of entries) known.get(one.name)?.update(one);
    const same = entries.length === known.size && entries.every((one) => known.has(one.name));
    if (same && known.size || held && known.size) return;
    list.known = new Map(entries.map((one) => [one.name, known.get(one.name) ?? item(one)]));
    const nothing = Object.assign(document.createElement("li"), { className: "quiet", textContent: empty });
    list.replaceChildren(...(entries.length ? list.known.values() : [nothing]));
  }

  async function load() {
    try {
      const parts = ["schedules", "backups", "workers"];
      const [{ schedules }, { backups, here, failed }, { workers, missing }] = await Promise.all(parts.map((part) => Console.get(part)));
      fill($("schedules"), schedules.map(schedule), "No schedules.");
      fill($("backups"), backups.slice(0, 12).map((one) => backup(one, here)), "No backups yet.");
      const why = Object.entries(failed).map(([what, told]) => `The last ${what} failed: ${told.why}`).join(" ");
      Words.put($("backups-failed"), why);
      $("backups-failed").hidden = !why;
      fill($("workers"), workers.map(worker), "No process runs jobs.");
      Words.put($("workers-missing"), missing.length ? `No worker for ${missing.join(", ")}.` : "");
      $("workers-missing").hidden = !missing.length;
      Console.settle();
    } catch (error) {
      Console.say(error.message, { bad: true, stays: true }); // until the lists can be fetched
    }
  }

  function soon() {
    soon.timer ??= setTimeout(() => { soon.timer = null; load(); }, SOON_MS);
  }

  function maintenance(reason) {
    if (reason === undefined || on === Boolean(reason)) return;
    on = Boolean(reason);
    $("maintenance").dataset.on = String(on);
    $("reason").value = reason ?? "";
    Words.put($("maintenance-button"), on ? "Turn off" : "Turn on");
  }

  $("make-backup").addEventListener("click", () => post("backups", "A backup is being made."));
  $("make-backup").disabled = false; // before, a click would have done nothing
  $("maintenance-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const reads = `All visitors will read: ${$("reason").value}`;
    if (!on && !await ask("Turn on maintenance mode?", { then: reads, label: "Turn on" })) return;
    const answer = await post("maintenance", on ? "Maintenance mode is off." : "Maintenance mode is on.", { reason: on ? "" : $("reason").value });
    if (answer) maintenance(answer.maintenance);
  });
  Console.add({
    begin: soon,
    tick(told) {
      maintenance(told.maintenance);
      if (told.jobs.some((job) => kinds.has(job.kind))) soon();
    },
  });
  setInterval(() => { if (!document.hidden) load(); }, ASK_MS);
  load();
})();
