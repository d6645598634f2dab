// Numbers and times as people read them.
"use strict";

window.Words = (() => {
  const NONE = "–";
  const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const known = (words) => (value) => value === null || value === undefined ? NONE : words(value);
  const steps = (value, units, base) => {
    let step = 0;
    while (Math.abs(value) >= base && step < units.length - 1) { value /= base; step += 1; }
    return `${fine.format(value)} ${units[step]}`;
  };
  return {
    count: known((value) => plain.format(value)),
    rate: known((value) => `${fine.format(value)}/s`),
    bytes: known((value) => steps(value, ["B", "kB", "MB", "GB", "TB"], 1000)),
    seconds: known((value) => {
      if (value < 1e-3) return value === 0 ? "0 s" : `${fine.format(value * 1e6)} µs`;
      if (value < 1) return `${fine.format(value * 1e3)} ms`;
      return value < 120 ? `${fine.format(value)} s` : Words.span(value);
    }),
    /** A longer time in its two largest units. */
    span(seconds) {
      const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
      const first = Math.max(0, parts.findIndex(([, size]) => seconds >= size));
      return (seconds < 1 ? [["s", 1]] : parts.slice(first, first + 2))
        .map(([unit, size], at) => `${Math.floor(at ? seconds % parts[first][1] / size : seconds / size)} ${unit}`).join(" ");
    },
    time: (milliseconds) => clock.format(milliseconds),
    /** Today's times to the second, others with their day. */
    moment(text) {
      if (!text) return NONE;
      const when = new Date(text);
      return when.toDateString() === new Date().toDateString() ? clock.format(when) : day.format(when);
    },
    /** Write a text where it changed: what stays costs no layout. */
    put(element, text) {
      if (element.textContent !== text) element.textContent = text;
    },
    /** Fill a <dl class="pairs"> with [name, value], in the elements that are there already. */
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
        Words.put(pair.lastElementChild, String(value));
      });
    },
  };
})();
