// The job table: one page of the list, updated every second; the list itself is fetched rarely.
"use strict";

window.Jobs = (() => {
  const $ = (id) => document.getElementById(id);
  const PER_PAGE = 20;
  const RELOAD_MS = 2000;
  let state = "";
  let page = 1;
  let total = 0;
  let due = false;
  let loading = false;
  let newest = "";
  const fresh = new Set(); // ids of new jobs that are not shown

  const rows = new Rows($("rows"), PER_PAGE, {
    open: (job) => JobDialog.open(job),
    act: (action, jobs) => act(action, jobs),
    chosen: showChosen,
  });
  const hold = new Hold($("rows"), $("new-jobs"), () => load());

  /** Fetch the page; `still` leaves the rows where they are while somebody points at one. */
  async function load({ still = false } = {}) {
    due = false;
    loading = true;
    const asked = new URLSearchParams({ page, per_page: PER_PAGE, ...(state && { state }), ...($("kind").value && { kind: $("kind").value }) });
    const question = `/api/jobs?${asked}`;
    load.last = question;
    try {
      const answer = await Live.api(question);
      if (load.last !== question) return;
      if (say.unread) say("");
      if (still && hold.held && rows.rows[0].job && !rows.shows(answer.items)) wait(answer.items);
      else show(answer);
    } catch (error) {
      say(error.message, true);
      say.unread = true; // until the list can be fetched
      due = true;
    } finally {
      loading = false;
    }
  }

  function wait(jobs) {
    for (const job of jobs) rows.update(job);
    hold.offer(fresh.size ? `${Words.count(fresh.size)} new ${fresh.size === 1 ? "job" : "jobs"}` : "Update the list");
  }

  function show(answer) {
    fresh.clear();
    hold.settle();
    total = answer.total;
    newest = answer.items[0]?.created_at ?? "";
    rows.show(answer.items);
    showChosen();
    const pages = Math.max(1, Math.ceil(total / PER_PAGE));
    $("no-jobs").hidden = total > 0;
    Words.put($("page"), `Page ${Words.count(page)} of ${Words.count(pages)}`);
    $("newer").disabled = page === 1;
    $("older").disabled = page >= pages;
    if (page > pages) turn(pages - page);
  }

  function fits(job) {
    return (!state || job.state === state) && (!$("kind").value || job.kind === $("kind").value);
  }

  /** Show the changed jobs; fetch the list again when a job enters or leaves it. */
  function tick(changed, more, figures) {
    for (const job of changed) {
      const shown = rows.update(job);
      JobDialog.update(job);
      if (!shown && fits(job) && job.created_at > newest) fresh.add(job.id);
      if (shown !== fits(job) && (shown || page === 1 && (state || job.created_at >= newest))) due = true;
    }
    due ||= more;
    for (const button of $("states").children) {
      const names = Object.keys(figures).filter((name) => name.startsWith("jobs_"));
      const number = button.dataset.state ? figures[`jobs_${button.dataset.state}`] : names.reduce((sum, name) => sum + figures[name], 0);
      Words.put(button.firstElementChild, Words.count(number));
    }
    const interrupted = figures.jobs_interrupted ?? 0;
    $("requeue-interrupted").hidden = !interrupted;
    Words.put($("requeue-interrupted"), `Retry all ${Words.count(interrupted)} interrupted`);
  }

  async function send(path, body) {
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await Live.api(`/admin/console/jobs/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      const what = { requeue: "queued again", cancel: "told to stop", "requeue-interrupted": "queued again" }[path];
      for (const id of body.ids ?? []) rows.chosen.delete(id);
      say(`${Words.count(answer.changed)} ${answer.changed === 1 ? "job was" : "jobs were"} ${what}.`);
    } catch (error) {
      say(error.message, true);
    }
    load();
  }

  function named(jobs) {
    const most = 5;
    if (jobs.length === 1) return Words.job(jobs[0]);
    const names = jobs.slice(0, most).map(Words.job).join(", ");
    return `these ${Words.count(jobs.length)} jobs: ${names}${jobs.length > most ? " and more" : ""}`;
  }

  function act(action, jobs) {
    const word = action === "cancel" ? "Cancel" : "Retry";
    const asks = (action === "cancel" || jobs.length > 1) && !confirm(`${word} ${named(jobs)}?`);
    return asks ? Promise.resolve() : send(action, { ids: jobs.map((job) => job.id) });
  }

  function say(text, bad = false) {
    const notice = $("jobs-notice");
    notice.className = `notice floating ${bad ? "error" : "good"}`;
    Words.put(notice, text);
    notice.hidden = !text;
    say.unread = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { notice.hidden = true; }, 8000);
  }

  function showChosen() {
    const number = rows.chosen.size;
    $("chosen").hidden = !number;
    const here = rows.rows.filter((row) => row.job);
    const seen = here.filter((row) => rows.chosen.has(row.job.id)).length;
    Words.put($("chosen-count"), number > seen ? `${number} selected, ${number - seen} not on this page` : `${number} selected`);
    $("choose-all").checked = seen > 0 && seen === here.length;
    $("choose-all").indeterminate = seen > 0 && seen < here.length;
  }

  function turn(by) { page = Math.max(1, page + by); load(); }

  $("states").addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    state = pressed.dataset.state;
    for (const button of $("states").children) button.setAttribute("aria-pressed", button === pressed);
    page = 1;
    load();
  });
  $("kind").addEventListener("change", () => { page = 1; load(); });
  $("newer").addEventListener("click", () => turn(-1));
  $("older").addEventListener("click", () => turn(1));
  $("choose-all").addEventListener("change", (event) => rows.choose(event.target.checked));
  for (const action of ["requeue", "cancel"]) $(`${action}-chosen`).addEventListener("click", () => act(action, [...rows.chosen.values()]));
  $("clear-chosen").addEventListener("click", () => rows.clear());
  $("requeue-interrupted").addEventListener("click", () => {
    if (confirm(`${$("requeue-interrupted").textContent} jobs?`)) send("requeue-interrupted", {});
  });
  setInterval(() => { if (due && !loading && !document.hidden) load({ still: true }); }, RELOAD_MS);
  JobDialog.connect(act);
  return { load, tick };
})();
