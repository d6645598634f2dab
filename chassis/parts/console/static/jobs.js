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

  const rows = new Rows($("rows"), PER_PAGE, {
    open: (job) => JobDialog.open(job),
    act: (action, job) => act(action, [job.id]),
    chosen: showChosen,
  });

  async function load() {
    due = false;
    loading = true;
    const asked = new URLSearchParams({ page, per_page: PER_PAGE, ...(state && { state }), ...($("kind").value && { kind: $("kind").value }) });
    const question = `/api/jobs?${asked}`;
    load.last = question;
    try {
      const answer = await Live.api(question);
      if (load.last === question) show(answer);
    } catch (error) {
      say(error.message, true);
    } finally {
      loading = false;
    }
  }

  function show(answer) {
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
      say(`${Words.count(answer.changed)} ${answer.changed === 1 ? "job was" : "jobs were"} ${what}.`);
    } catch (error) {
      say(error.message, true);
    }
    load();
  }

  function act(action, ids) {
    const asks = action === "cancel" && !confirm(ids.length === 1 ? "Cancel this job?" : `Cancel ${ids.length} jobs?`);
    return asks ? Promise.resolve() : send(action, { ids });
  }

  function say(text, bad = false) {
    const notice = $("jobs-notice");
    notice.className = `notice ${bad ? "error" : "good"}`;
    Words.put(notice, text);
    notice.hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { notice.hidden = true; }, 8000);
  }

  function showChosen() {
    const number = rows.chosen.size;
    $("chosen").hidden = !number;
    Words.put($("chosen-count"), `${number} selected`);
    $("choose-all").checked = number > 0 && number === rows.rows.filter((row) => row.job).length;
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
  for (const action of ["requeue", "cancel"]) $(`${action}-chosen`).addEventListener("click", () => act(action, [...rows.chosen]));
  $("requeue-interrupted").addEventListener("click", () => {
    if (confirm("Retry all interrupted jobs?")) send("requeue-interrupted", {});
  });
  setInterval(() => { if (due && !loading && !document.hidden) load(); }, RELOAD_MS);
  JobDialog.connect(act);
  return { load, tick };
})();
