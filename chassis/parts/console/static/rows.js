// The rows of the job table: one page of elements, which are filled again rather than created again.
"use strict";

window.Rows = class {
  static SETTLE_MS = 1000;

  /** Create `size` rows in a <tbody>; `on` holds act(action, jobs) and chosen(). */
  constructor(body, size, on) {
    this.on = on;
    this.chosen = new Map(); // jobs by id, also those on other pages
    this.rows = Array.from({ length: size }, () => this.make());
    body.append(...this.rows.map((row) => row.element));
  }

  make() {
    const cell = (name, ...inside) => {
      const element = Object.assign(document.createElement("td"), { className: name });
      element.append(...inside);
      return element;
    };
    const element = document.createElement("tr");
    const row = { element, job: null };
    row.box = Object.assign(document.createElement("input"), { type: "checkbox" });
    row.badge = Object.assign(document.createElement("span"), { className: "badge" });
    row.open = Object.assign(document.createElement("a"), { className: "open" });
    row.kind = Object.assign(document.createElement("small"), { className: "quiet" });
    row.bar = document.createElement("progress");
    row.count = document.createElement("span");
    row.share = Object.assign(document.createElement("div"), { className: "share" });
    row.share.append(row.bar, row.count);
    row.owner = cell("owner");
    row.message = cell("said");
    row.message.dir = row.owner.dir = row.open.dir = "auto";
    row.time = document.createTextNode("");
    row.attempts = Object.assign(document.createElement("small"), { className: "quiet" });
    row.took = cell("took", row.time, row.attempts);
    row.made = cell("made", row.created = Times.element(null, { short: true }));
    row.act = Object.assign(document.createElement("button"), { type: "button" });
    element.append(cell("choose", row.box), cell("badges", row.badge), cell("kind", row.open, row.kind), row.owner,
      cell("done", row.share), row.message, row.took, row.made, cell("act", row.act));
    element.hidden = true;
    this.listen(row);
    return row;
  }

  listen(row) {
    row.box.addEventListener("change", () => {
      if (row.box.checked) this.chosen.set(row.job.id, row.job); else this.chosen.delete(row.job.id);
      this.on.chosen();
    });
    row.act.addEventListener("click", () => { if (!row.settling) this.on.act(row.act.dataset.act, [row.job]); });
    row.element.addEventListener("click", (event) => {
      if (!event.target.closest("input, a, .act, .choose") && !getSelection().toString()) row.open.click();
    });
  }

  /** Whether the page shows these jobs, in this order. */
  shows(jobs) {
    return this.rows.every((row, at) => row.job?.id === jobs[at]?.id);
  }

  /** Show a page of jobs. */
  show(jobs) {
    this.rows.forEach((row, at) => {
      row.element.hidden = at >= jobs.length;
      if (at < jobs.length) this.fill(row, jobs[at]); else row.job = null;
    });
  }

  /** Show a job's new state if it is on the page; return whether it is. */
  update(job) {
    const row = this.rows.find((one) => one.job?.id === job.id);
    if (row && row.job.revision < job.revision) this.fill(row, job);
    return row !== undefined;
  }

  /** Show how long the running jobs have taken by now. */
  tick() {
    for (const row of this.rows) if (row.job?.state === "running") Words.put(row.time, Words.took(row.job));
  }

  fill(row, job) {
    if (row.job?.id !== job.id) this.name(row, job);
    row.job = job;
    row.box.checked = this.chosen.has(job.id);
    Words.put(row.badge, job.cancel_requested && job.state === "running" ? "cancelling" : job.state);
    row.badge.dataset.status = row.element.dataset.state = job.state;
    row.share.hidden = !job.total;
    if (row.bar.max !== (job.total || 1)) row.bar.max = job.total || 1;
    if (row.bar.value !== job.done) row.bar.value = job.done;
    Words.put(row.count, `${Words.count(job.done)} of ${Words.count(job.total)}`);
    Words.put(row.message, job.error || job.message || "");
    row.message.classList.toggle("failure", Boolean(job.error));
    Words.put(row.time, Words.took(job));
    Words.put(row.attempts, job.attempt > 1 ? `${job.attempt} attempts` : "");
    const ended = Words.ENDED.includes(job.state);
    this.setAction(row, ended ? "requeue" : "cancel");
    row.act.hidden = job.state === "succeeded" || job.cancel_requested && !ended;
    row.act.classList.toggle("danger", !ended);
    Words.put(row.act, ended ? "Retry" : "Cancel");
  }

  /** Set what the row's button does; one that changes under the pointer does nothing for a moment. */
  setAction(row, action) {
    if (row.act.dataset.act === action) return;
    if (row.act.matches(":hover, :focus")) {
      row.settling = true;
      setTimeout(() => { row.settling = false; }, Rows.SETTLE_MS);
    }
    row.act.dataset.act = action;
  }

  /** Write the fields of a job that never change. */
  name(row, job) {
    row.box.setAttribute("aria-label", `Select ${Words.job(job)}`);
    row.bar.setAttribute("aria-label", `Progress of ${Words.job(job)}`);
    row.open.href = `/admin/console/jobs/${job.id}`;
    Words.put(row.open, job.title);
    Words.put(row.kind, Words.job(job) + (job.arguments ? ` · ${job.arguments}` : ""));
    row.kind.title = job.arguments;
    Words.put(row.owner, job.submitted_by);
    row.owner.title = job.submitted_by;
    Times.show(row.created, job.created_at);
  }

  choose(all) {
    for (const row of this.rows) if (row.job) {
      row.box.checked = all;
      if (all) this.chosen.set(row.job.id, row.job); else this.chosen.delete(row.job.id);
    }
    this.on.chosen();
  }

  /** Select nothing. */
  clear() {
    this.chosen.clear();
    this.choose(false);
  }
};
