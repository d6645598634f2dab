// Formats numbers and durations for people; times.js shows moments.
"use strict";

window.Words = (() => {
  const NONE = "–";
  const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const known = (words) => (value) => value === null || value === undefined ? NONE : words(value);
  const steps = (value, units, base) => {
    let step = 0;
    while (Math.abs(value) >= base && step < units.length - 1) { value /= base; step += 1; }
    return `${fine.format(value)} ${units[step]}`;
  };
  return {
    /** The states of a job that has ended. */
    ENDED: ["succeeded", "failed", "cancelled", "interrupted"],
    count: known((value) => plain.format(value)),
    /** 1 is "1 job". */
    jobs: (number) => `${plain.format(number)} ${number === 1 ? "job" : "jobs"}`,
    rate: known((value) => `${fine.format(value)}/s`),
    bytes: known((value) => steps(value, ["B", "kB", "MB", "GB", "TB"], 1000)),
    seconds: known((value) => {
      if (value < 1e-3) return value === 0 ? "0 s" : `${fine.format(value * 1e6)} µs`;
      if (value < 1) return `${fine.format(value * 1e3)} ms`;
      return value < 120 ? `${fine.format(value)} s` : Words.span(value);
    }),
    /** A duration in its two largest units. */
    span(seconds) {
      const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
      const first = Math.max(0, parts.findIndex(([, size]) => seconds >= size));
      return (seconds < 1 ? [["s", 1]] : parts.slice(first, first + 2))
        .map(([unit, size], at) => `${Math.floor(at ? seconds % parts[first][1] / size : seconds / size)} ${unit}`).join(" ");
    },
    time: (milliseconds) => clock.format(milliseconds),
    /** Write a text only if it changed: an unchanged one costs no layout. */
    put(element, text) {
      if (element.textContent !== text) element.textContent = text;
    },
    /** Return the words for a job in questions and labels: its kind and the beginning of its id. */
    job: (job) => `${job.kind} ${job.id.slice(0, 8)}`,
    /** Return how long a job has run. */
    took({ started_at: started, finished_at: ended }) {
      return started ? Words.seconds(Math.max(0, new Date(ended ?? Date.now()) - new Date(started)) / 1000) : "";
    },
    /** Return the pid from a worker's name in the jobs table. */
    worker: (owner) => `pid ${owner.split(":")[2] ?? owner}`,
    /** Fill a <dl class="pairs"> with [name, value], reusing its elements; a value may be an element. */
    pairs(list, values) {
      while (list.children.length > values.length) list.lastElementChild.remove();
      values.forEach(([name, value], at) => {
        let pair = list.children[at];
        if (!pair) {
          pair = document.createElement("div");
          pair.append(document.createElement("dt"), document.createElement("dd"));
          list.append(pair);
        }
        Words.put(pair.firstElementChild, name);
        if (value instanceof Element) pair.lastElementChild.replaceChildren(value);
        else Words.put(pair.lastElementChild, String(value));
      });
    },
  };
})();
