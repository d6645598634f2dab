// A dialog for one job: its details and its log lines.
"use strict";

window.JobDialog = (() => {
  const $ = (id) => document.getElementById(id);
  const FETCH_MS = 2000;
  const dialog = $("job");
  let shown = null;
  let about = null;
  let stale = false;
  let act = () => {};

  function facts(job) {
    const times = [["Created", "created_at"], ["Queued", "queued_at"], ["Started", "started_at"], ["Ended", "finished_at"]];
    return [
      ["Id", job.id], ["Kind", job.kind], ["State", job.state], ["Attempts", job.attempt],
      ["Progress", job.total ? `${Words.count(job.done)} of ${Words.count(job.total)}` : "–"],
      ...(job.message ? [["Message", job.message]] : []), ...(job.error ? [["Error", job.error]] : []),
      ["Submitted by", job.submitted_by || "–"], ...(job.owner ? [["Owner", job.owner]] : []),
      ...(new Date(job.not_before) > Date.now() ? [["Not before", Times.element(job.not_before)]] : []),
      ...times.filter(([, name]) => job[name]).map(([words, name]) => [words, Times.element(job[name])]),
      ["Payload", JSON.stringify(job.payload)],
    ];
  }

  function show({ job, lines, pid }) {
    about = job;
    const log = $("log");
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
    Words.put($("job-title"), `${job.kind} · ${job.state}`);
    Words.pairs($("job-facts"), facts(job));
    Words.put($("log-of"), `of worker ${pid} since its start`);
    Words.put(log, lines.join("\n") || "This worker has no log lines for this job; another process may have run it.");
    if (atEnd) log.scrollTop = log.scrollHeight;
    const ended = Rows.ENDED.includes(job.state);
    $("job-requeue").hidden = !ended;
    $("job-cancel").hidden = ended || job.cancel_requested;
  }

  async function load() {
    const asked = shown;
    stale = false;
    try {
      const answer = await Live.api(`/admin/console/jobs/${asked}`);
      if (shown === asked) show(answer);
    } catch (error) {
      if (shown !== asked) return;
      stale = true; // so that the error goes when its cause has gone
      Words.put($("log"), error.message);
    }
  }

  // No event reports a running job's log lines: they are fetched while the dialog is open.
  setInterval(() => { if (shown && stale && !document.hidden) load(); }, FETCH_MS);
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { shown = null; });
  for (const action of ["requeue", "cancel"]) {
    $(`job-${action}`).addEventListener("click", async () => { await act(action, [about]); if (shown) load(); });
  }
  return {
    /** Set the function to call with (action, jobs) when a button is pressed. */
    connect(action) { act = action; },
    open(job) {
      shown = job.id;
      about = job;
      Words.put($("job-title"), job.kind);
      $("job-facts").replaceChildren();
      Words.put($("log"), "");
      dialog.showModal();
      load();
    },
    /** Show a change of the job. */
    update(job) { if (job.id === shown) stale = true; },
  };
})();
