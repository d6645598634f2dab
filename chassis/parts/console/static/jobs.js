// The job list: one page of what the filters in the URL say, updated every second; the list itself is fetched rarely.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const PER_PAGE = 20;
  const RELOAD_MS = 2000;
  const TYPING_MS = 300;
  const fields = { q: $("q"), kind: $("kind"), owner: $("owner") };
  const wanted = { q: "", state: "", kind: "", owner: "", page: 1 };
  let total = 0;
  let at = 0; // seconds since 1970 at the server, when the list was fetched
  let due = false;
  let loading = false;
  let newest = "";
  let interrupted = 0; // jobs
  let all = false; // whether all jobs that match are selected, not only the chosen ones
  const fresh = new Set(); // ids of new jobs that are not shown

  const rows = new Rows($("rows"), PER_PAGE, { act, chosen: () => { all = false; showChosen(); } });
  const hold = new Hold($("rows"), $("new-jobs"), () => load());

  function filters() {
    const { page, ...found } = wanted;
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value));
  }

  /** Read the filters from the URL. */
  function read() {
    const given = new URLSearchParams(location.search);
    for (const name of ["q", "state", "kind", "owner"]) wanted[name] = given.get(name) ?? "";
    wanted.page = Math.max(1, Math.trunc(Number(given.get("page"))) || 1);
    if (wanted.kind && ![...fields.kind.options].some((one) => one.value === wanted.kind)) fields.kind.add(new Option(wanted.kind));
    for (const [name, field] of Object.entries(fields)) field.value = wanted[name];
    for (const button of $("states").children) button.setAttribute("aria-pressed", button.dataset.state === wanted.state);
    $("clear-filters").disabled = !Object.keys(filters()).length;
  }

  /** Show what other filters find, at a URL of its own. */
  function change(values) {
    const { page, ...found } = { ...wanted, page: 1, ...values };
    Console.address({ ...found, page: page > 1 ? page : "" }, { push: true });
    read();
    rows.clear();
    load();
  }

  /** Fetch the page; `still` leaves the rows where they are while somebody points at one. */
  async function load({ still = false } = {}) {
    due = false;
    loading = true;
    const question = `jobs?${new URLSearchParams({ ...filters(), page: wanted.page, per_page: PER_PAGE })}`;
    load.last = question;
    try {
      const answer = await Console.get(question);
      if (load.last !== question) return;
      Console.settle();
      if (still && hold.held && rows.rows[0].job && !rows.shows(answer.items)) wait(answer.items);
      else show(answer);
    } catch (error) {
      Console.say(error.message, { bad: true, stays: true }); // until the list can be fetched
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
    ({ total, at } = answer);
    newest = answer.items[0]?.created_at ?? "";
    rows.show(answer.items);
    $("frame").dataset.loading = "false";
    showChosen();
    const pages = Math.max(1, Math.ceil(total / PER_PAGE));
    $("no-jobs").hidden = total > 0;
    Words.put($("no-jobs"), Object.keys(filters()).length ? "No jobs match." : "No jobs yet.");
    Words.put($("page"), `Page ${Words.count(wanted.page)} of ${Words.count(pages)}, ${Words.jobs(total)}`);
    $("newer").disabled = wanted.page === 1;
    $("older").disabled = wanted.page >= pages;
    if (wanted.page > pages) turn(pages - wanted.page);
  }

  function fits(job) {
    return (!wanted.state || job.state === wanted.state) && (!wanted.kind || job.kind === wanted.kind)
      && (!wanted.owner || job.submitted_by === wanted.owner);
  }

  /** Show the changed jobs; fetch the list again when a job enters or leaves it. */
  function tick({ jobs, more, figures }) {
    for (const job of jobs) {
      const shown = rows.update(job);
      if (!shown && fits(job) && job.created_at > newest) fresh.add(job.id);
      if (shown !== fits(job) && (shown || wanted.page === 1 && (wanted.state || job.created_at >= newest))) due = true;
    }
    due ||= more;
    rows.tick();
    for (const button of $("states").children) {
      const names = Object.keys(figures).filter((name) => name.startsWith("jobs_"));
      const number = button.dataset.state ? figures[`jobs_${button.dataset.state}`] : names.reduce((sum, name) => sum + figures[name], 0);
      Words.put(button.firstElementChild, Words.count(number));
    }
    interrupted = figures.jobs_interrupted ?? 0;
    $("requeue-interrupted").hidden = !interrupted;
    Words.put($("requeue-interrupted"), `Retry all ${Words.count(interrupted)} interrupted`);
  }

  /** Send an action again and again, until it has been carried out on all jobs that match; then offer to undo it. */
  async function send(path, body) {
    let number = 0;
    const tokens = [];
    try {
      for (let more = true; more;) {
        const answer = await Console.post(`jobs/${path}`, body);
        number += answer.changed;
        more = answer.more;
        if (answer.undo) tokens.push(answer.undo);
        if (more) Console.say(`${Words.count(number)} of ${Words.count(total)} …`);
      }
      if (all) rows.clear();
      for (const id of body.ids ?? []) rows.chosen.delete(id);
      const skipped = (body.ids?.length ?? number) - number;
      const rest = skipped ? ` ${Words.jobs(skipped)} could not be.` : "";
      Undo.offer(`${Words.jobs(number)} ${number === 1 ? "was" : "were"} ${Undo.DONE[path]}.${rest}`, tokens);
    } catch (error) {
      Console.say(error.message, { bad: true });
    }
    load();
  }

  function named(jobs) {
    const most = 5;
    if (jobs.length === 1) return Words.job(jobs[0]);
    const names = jobs.slice(0, most).map(Words.job).join(", ");
    return `these ${Words.count(jobs.length)} jobs: ${names}${jobs.length > most ? " and more" : ""}`;
  }

  async function act(action, jobs) {
    const asks = action !== "requeue" || jobs.length > 1;
    if (!asks || await Undo.ask(action, named(jobs), { number: jobs.length })) send(action, { ids: jobs.map((job) => job.id) });
  }

  /** Carry out an action on the selected jobs, or on all that match. */
  async function actOnChosen(action) {
    if (!all) return act(action, [...rows.chosen.values()]);
    const found = Object.entries(filters()).map(([name, value]) => `${name === "q" ? "text" : name} “${value}”`).join(", ");
    const first = rows.rows.filter((row) => row.job).slice(0, 3).map((row) => Words.job(row.job)).join(", ");
    const matching = { matching: filters(), until: at };
    const every = `all ${Words.jobs(total)}${found ? ` that match ${found}` : ""}`;
    if (await Undo.ask(action, every, { then: `The newest are ${first}.`, number: total })) send(action, matching);
  }

  function showChosen() {
    const number = rows.chosen.size;
    $("chosen").hidden = !number;
    const here = rows.rows.filter((row) => row.job);
    const seen = here.filter((row) => rows.chosen.has(row.job.id)).length;
    const words = number > seen ? `${number} selected, ${number - seen} not on this page` : `${number} selected`;
    Words.put($("chosen-count"), all ? `All ${Words.count(total)} that match are selected` : words);
    $("choose-matching").hidden = all || seen < here.length || total <= here.length;
    Words.put($("choose-matching"), `Select all ${Words.count(total)} that match`);
    $("choose-all").checked = seen > 0 && seen === here.length;
    $("choose-all").indeterminate = seen > 0 && seen < here.length;
  }

  /** Show another page; the selection stays. */
  function turn(by) {
    const page = Math.max(1, wanted.page + by);
    Console.address({ ...filters(), page: page > 1 ? page : "" }, { push: true });
    read();
    load();
  }

  $("states").addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (pressed) change({ state: pressed.dataset.state });
  });
  for (const name of ["kind", "owner"]) fields[name].addEventListener("change", () => change({ [name]: fields[name].value.trim() }));
  fields.q.addEventListener("input", () => {
    clearTimeout(fields.q.timer);
    fields.q.timer = setTimeout(() => change({ q: fields.q.value.trim() }), TYPING_MS);
  });
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); change({ q: fields.q.value.trim(), owner: fields.owner.value.trim() }); });
  $("clear-filters").addEventListener("click", () => change({ q: "", state: "", kind: "", owner: "" }));
  $("newer").addEventListener("click", () => turn(-1));
  $("older").addEventListener("click", () => turn(1));
  $("choose-all").addEventListener("change", (event) => rows.choose(event.target.checked));
  $("choose-matching").addEventListener("click", () => { all = true; showChosen(); });
  for (const action of ["requeue", "cancel", "delete"]) $(`${action}-chosen`).addEventListener("click", () => actOnChosen(action));
  $("clear-chosen").addEventListener("click", () => rows.clear());
  $("requeue-interrupted").addEventListener("click", async () => {
    const matching = { matching: { state: "interrupted" }, until: at };
    const every = `all ${Words.count(interrupted)} interrupted jobs`;
    if (await Undo.ask("requeue", every, { number: interrupted })) send("requeue", matching);
  });
  Undo.begin(load);
  window.addEventListener("popstate", () => { read(); load(); });
  setInterval(() => { if (due && !loading && !document.hidden) load({ still: true }); }, RELOAD_MS);
  Console.add({ begin: () => load({ still: true }), tick });
  read();
  load();
})();
