// Schedules, backups, job workers and maintenance mode: fetched occasionally, since they change rarely.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const ASK_MS = 10_000;
  let on = $("maintenance").dataset.on === "true";

  function item(title, words, ...buttons) {
    const element = document.createElement("li");
    const about = document.createElement("div");
    const name = document.createElement("strong");
    name.textContent = title;
    about.append(name, ...words.map((text) => Object.assign(document.createElement("span"), { className: "quiet", textContent: text })));
    const actions = Object.assign(document.createElement("div"), { className: "row" });
    actions.append(...buttons);
    element.append(about, actions);
    return element;
  }

  function button(text, act) {
    const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    element.addEventListener("click", act);
    return element;
  }

  function badge(state) {
    const element = Object.assign(document.createElement("span"), { className: "badge", textContent: state });
    element.dataset.status = state;
    return element;
  }

  async function post(path, done, body = {}) {
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await Live.api(`/admin/console/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      say(done);
      load();
      return answer;
    } catch (error) {
      say(error.message, true);
      return null;
    }
  }

  function say(text, bad = false) {
    const notice = $("operations-notice");
    notice.className = `notice floating ${bad ? "error" : "good"}`;
    Words.put(notice, text);
    notice.hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { notice.hidden = true; }, 6000);
  }

  function schedule(one) {
    const last = one.last_at ? `last ${Words.moment(one.last_at)}` : "never run";
    const words = [`${one.expression || "off"} · next ${Words.moment(one.next_at)} · ${last}`];
    if (one.last_error) words.push(one.last_error);
    const run = button("Run now", () => post(`schedules/${encodeURIComponent(one.kind)}/run`, `${one.kind} has been queued.`));
    return item(one.kind, words, ...(one.last_state ? [badge(one.last_state)] : []), run);
  }

  function backup(one, here) {
    const path = `backups/${encodeURIComponent(one.name)}`;
    const size = one.size_bytes === null ? "" : `${Words.bytes(one.size_bytes)} · `;
    const words = [`${size}created ${Words.moment(one.made_at)} · ${one.proven_at ? `verified ${Words.moment(one.proven_at)}` : "not verified yet"}`];
    const verify = button("Verify", () => post(`${path}/verify`, "The backup is being verified: a test restore is running."));
    const form = $("download").content.firstElementChild.cloneNode(true);
    form.action = `/admin/console/${path}/download`;
    return item(one.name, words, verify, ...(here ? [form] : []));
  }

  function worker(one) {
    const slots = one.slots === 1 ? "1 job" : `${one.slots} jobs`;
    const words = [`${one.engine} · ${slots} at once · seen ${Words.moment(one.seen_at)}`];
    const kinds = Object.assign(document.createElement("span"), { className: "quiet", textContent: `${one.kinds.length} kinds`, title: one.kinds.join(", ") });
    return item(one.name, words, kinds);
  }

  function fill(list, items, empty) {
    const nothing = Object.assign(document.createElement("li"), { className: "quiet", textContent: empty });
    if (!list.contains(document.activeElement)) list.replaceChildren(...(items.length ? items : [nothing]));
  }

  async function load() {
    try {
      const parts = ["schedules", "backups", "workers"];
      const [{ schedules }, { backups, here, failed }, { workers, missing }] = await Promise.all(parts.map((part) => Live.api(`/admin/console/${part}`)));
      fill($("schedules"), schedules.map(schedule), "No schedules.");
      fill($("backups"), backups.slice(0, 12).map((one) => backup(one, here)), "No backups yet.");
      const why = Object.entries(failed).map(([what, told]) => `The last ${what} failed: ${told.why}`).join(" ");
      Words.put($("backups-failed"), why);
      $("backups-failed").hidden = !why;
      fill($("workers"), workers.map(worker), "No process runs jobs.");
      Words.put($("workers-missing"), missing.length ? `No worker for ${missing.join(", ")}.` : "");
      $("workers-missing").hidden = !missing.length;
    } catch (error) {
      say(error.message, true);
    }
  }

  function maintenance(reason) {
    if (reason === undefined || on === Boolean(reason)) return;
    on = Boolean(reason);
    $("maintenance").dataset.on = String(on);
    $("reason").value = reason ?? "";
    Words.put($("maintenance-button"), on ? "Turn off" : "Turn on");
  }

  $("make-backup").addEventListener("click", () => post("backups", "A backup is being made."));
  $("maintenance-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!on && !confirm("Turn on maintenance mode?")) return;
    const answer = await post("maintenance", on ? "Maintenance mode is off." : "Maintenance mode is on.", { reason: on ? "" : $("reason").value });
    if (answer) maintenance(answer.maintenance);
  });
  Live.rooms.socket.on("console:tick", (told) => maintenance(told.maintenance));
  setInterval(() => { if (!document.hidden) load(); }, ASK_MS);
  load();
})();
