// The figures of a batch above its rows: counts, rate, times, and the progress in the tab's title.
"use strict";

window.BatchFigures = class {
  static QUIET_MS = 2000;
  static RATE_MS = 10_000;
  static LEAST_MS = 1000; // what was missed comes all at once after a reconnect
  static ENDED = ["succeeded", "failed", "cancelled", "interrupted"];
  static HINTS = {
    interrupted: "The process that ran this batch stopped. Resume processes only the rows without an answer.",
    cancelled: "Cancelled. Resume processes only the rows without an answer.",
  };

  constructor(rowsPerSecond) {
    Object.assign(this, { rowsPerSecond, samples: [], app: document.title.split(" · ").at(-1) });
  }

  /** Forget the rate, since the batch stood still or the page was offline. */
  restart() {
    this.samples.length = 0;
  }

  note(done) {
    const at = performance.now();
    if (this.samples.at(-1)?.done !== done) this.samples.push({ at, done });
    while (this.samples.length > 2 && this.samples[0].at < at - BatchFigures.RATE_MS) this.samples.shift();
  }

  rate() {
    const [oldest, newest, now] = [this.samples[0], this.samples.at(-1), performance.now()];
    if (this.samples.length < 2) return 0;
    const until = now - newest.at > BatchFigures.QUIET_MS ? now : newest.at; // while no row finishes, the rate falls
    return until - oldest.at >= BatchFigures.LEAST_MS ? (newest.done - oldest.done) / (until - oldest.at) * 1000 : 0;
  }

  show(batch) {
    const { status, done, total, failed, asked } = batch;
    const [rate, running] = [this.rate(), status === "running"];
    const end = batch.finished_at ? new Date(batch.finished_at) : new Date();
    const texts = {
      status: failed ? `${status}, ${Words.percent(failed / total)} failed` : status,
      name: batch.name,
      done: `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`,
      asked: running ? asked.length.toLocaleString("en") : "0",
      waiting: Math.max(0, total - done - (running ? asked.length : 0)).toLocaleString("en"),
      failed: failed.toLocaleString("en"),
      rate: running && rate ? `${rate.toFixed(rate < 10 ? 1 : 0)} rows/s` : "–",
      remaining: this.remaining(batch, rate),
      elapsed: batch.started_at ? Words.duration((end - new Date(batch.started_at)) / 1000) : "–",
      retry: `Retry ${Words.count(failed, "failed row")}`,
      message: status === "failed" ? batch.message : BatchFigures.HINTS[status] ?? "",
    };
    for (const [id, text] of Object.entries(texts)) this.write(id, text);
    this.showState(batch, texts.message);
    document.title = `${this.inTitle(batch)} · ${batch.name} · ${this.app}`;
  }

  write(id, text) {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  }

  showState({ status, done, total, failed }, message) {
    const $ = (id) => document.getElementById(id);
    const ended = BatchFigures.ENDED.includes(status);
    $("status").dataset.status = status;
    $("status").toggleAttribute("data-failures", failed > 0);
    $("progress").value = done;
    $("progress").parentElement.style.setProperty("--done", done / total);
    $("progress").parentElement.style.setProperty("--failed", failed / total);
    $("cancel").hidden = ended;
    $("again").hidden = $("delete").hidden = !ended;
    $("continue").hidden = !ended || done >= total && status !== "failed";
    $("retry").hidden = !ended || !failed;
    $("message").hidden = !message;
  }

  /** The time that is left: by the rate of the last seconds, before there is one by the rate that the service allows. */
  remaining({ status, done, total }, rate) {
    if (BatchFigures.ENDED.includes(status)) return "–";
    return rate ? Words.duration((total - done) / rate) : `about ${Words.duration((total - done) / this.rowsPerSecond)}`;
  }

  inTitle({ status, done, total, failed }) {
    if (!BatchFigures.ENDED.includes(status)) return status === "queued" && !done ? "Queued" : `${Math.floor(done / total * 100)}%`;
    if (failed && status === "succeeded") return `${failed.toLocaleString("en")} failed`;
    return { succeeded: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" }[status];
  }
};
