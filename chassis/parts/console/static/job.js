// A job's page: its facts and progress, the steps of its attempts, its error, and its log lines.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const FETCH_MS = 1000;
  const { id } = $("job").dataset;
  let about = null;
  let stale = true;

  function facts(job) {
    return [
      ["Kind", job.kind], ["Attempts", job.attempt], ["Time", Words.took(job)],
      ["Submitted by", job.submitted_by || "–"], ...(job.owner ? [["Worker", Words.worker(job.owner)]] : []),
      ...(job.priority ? [["Priority", job.priority]] : []), ["Created", Times.element(job.created_at)],
      ...(new Date(job.not_before) > Date.now() ? [["Not before", Times.element(job.not_before)]] : []),
    ];
  }

  function progress(job) {
    $("progress").hidden = !job.total;
    $("bar").max = job.total || 1;
    $("bar").value = job.done;
    Words.put($("share"), `${Words.count(job.done)} of ${Words.count(job.total)}`);
    Words.put($("message"), job.message);
    Words.put($("job-state"), job.cancel_requested && job.state === "running" ? "cancelling" : job.state);
    $("job-state").dataset.status = job.state;
  }

  /** Return the steps in words: [time, title, text, state]. */
  function told(job, steps) {
    let attempt = 0; // the last one, which a retry sets to 1 again
    let began = null;
    const found = steps.filter(({ step }) => step !== "job_raised").map(({ at, step, details, worker }) => {
      if (step === "job_started") {
        const retried = attempt > 0 && details.attempt === 1;
        attempt = details.attempt;
        began = at;
        return [at, retried ? "Retried: attempt 1 started" : `Attempt ${attempt} started`, `on ${worker}`, "running"];
      }
      const took = began ? `after ${Words.seconds((new Date(at) - new Date(began)) / 1000)}` : "";
      began = null;
      const why = details.error ? `${took}${took && ": "}${details.error}` : took;
      if (step === "stalled_job_reset") return [at, "The worker of this attempt died", `the job is ${details.state}`, "interrupted"];
      if (step === "job_requeued") return [at, details.reason === "stop" ? "The worker stopped: queued again" : "Attempt failed: queued again", why, details.state];
      return [at, `Attempt ${details.state}`, why, details.state];
    });
    const by = job.submitted_by ? `by ${job.submitted_by}` : "by a schedule or a command";
    const first = [job.created_at, "Created", by, "queued"];
    const last = job.finished_at && !steps.length ? [[job.finished_at, `Ended: ${job.state}`, job.error ?? "", job.state]] : [];
    return [first, ...found, ...last];
  }

  function timeline(job, steps) {
    const entries = told(job, steps);
    const shown = JSON.stringify(entries);
    if (timeline.shown === shown) return;
    timeline.shown = shown;
    $("timeline").replaceChildren(...entries.map(([at, title, text, state]) => {
      const element = document.createElement("li");
      element.dataset.status = state;
      element.append(Object.assign(document.createElement("strong"), { textContent: title }), Times.element(at),
        Object.assign(document.createElement("span"), { className: "quiet", dir: "auto", textContent: text }));
      return element;
    }));
  }

  function error(job, steps) {
    const raised = steps.findLast(({ step }) => step === "job_raised");
    $("error").hidden = !job.error && !(raised && job.state === "failed");
    Words.put($("error-text"), job.error ?? "");
    $("traceback").hidden = !raised;
    Words.put($("traceback"), raised?.text ?? "");
  }

  function show({ job, lines, steps }) {
    about = job;
    const log = $("log");
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
    Words.pairs($("job-facts"), facts(job));
    Words.put($("payload"), JSON.stringify(job.payload, null, 2));
    progress(job);
    timeline(job, steps);
    error(job, steps);
    Words.put(log, lines.join("\n") || "No log lines are kept for this job.");
    if (atEnd) log.scrollTop = log.scrollHeight;
    const ended = Words.ENDED.includes(job.state);
    $("job-requeue").hidden = $("job-delete").hidden = !ended;
    $("job-cancel").hidden = ended || job.cancel_requested;
  }

  async function load() {
    stale = false;
    try {
      show(await Console.get(`jobs/${id}`));
      Console.settle();
    } catch (problem) {
      stale = true;
      Console.say(problem.message, { bad: true, stays: true }); // until the job can be fetched
    }
  }

  async function act(action) {
    if (action !== "requeue" && !await Undo.ask(action, Words.job(about))) return;
    try {
      const { undo } = await Console.post(`jobs/${action}`, { ids: [id] });
      const text = `${Words.job(about)} was ${Undo.DONE[action]}.`;
      const tokens = undo ? [undo] : [];
      if (action !== "delete") Undo.offer(text, tokens);
      if (action !== "delete") return load();
      Undo.carry(text, tokens);
      location.assign("/admin/console/jobs");
    } catch (problem) {
      Console.say(problem.message, { bad: true });
    }
  }

  for (const action of ["requeue", "cancel", "delete"]) {
    $(`job-${action}`).addEventListener("click", () => act(action));
    $(`job-${action}`).disabled = false; // before, a click would have done nothing
  }
  Undo.begin(load);
  Console.add({
    begin: load,
    tick({ jobs }) {
      const changed = jobs.find((job) => job.id === id);
      if (changed) progress(about = { ...about, ...changed });
      stale ||= Boolean(changed);
    },
  });
  // No event reports log lines: those of a job that runs, or has just ended, are fetched.
  let quiet = 0;
  setInterval(() => {
    if (document.hidden || !about) return;
    quiet = Words.ENDED.includes(about.state) && !stale ? quiet + 1 : 0;
    if (quiet < 3) load();
  }, FETCH_MS);
  load();
})();
