// All times on pages: a <time datetime="..."> shows the local time and how long ago that is, and UTC in its title.
// Templates write it with the filter `day_and_time`; scripts call Times.element() and Times.show().
"use strict";

window.Times = (() => {
  const NONE = "–";
  const REFRESH_MS = 30_000;
  const DAY_MS = 86_400_000;
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const old = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
  const UNITS = [["year", 365 * DAY_MS], ["month", 30 * DAY_MS], ["day", DAY_MS], ["hour", 3_600_000], ["minute", 60_000]];

  /** The local time: today to the second, this year without the year. */
  function local(when) {
    const now = new Date();
    if (when.toDateString() === now.toDateString()) return clock.format(when);
    return (when.getFullYear() === now.getFullYear() ? day : old).format(when);
  }

  /** How long ago, or in how long. */
  function ago(when) {
    const left = when - Date.now();
    const [unit, size] = UNITS.find(([, length]) => Math.abs(left) >= length) ?? [];
    if (!unit) return left > 0 ? "in a moment" : "just now";
    return relative.format(Math.trunc(left / size), unit);
  }

  const utc = (when) => `${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;

  function write(element) {
    const when = new Date(element.dateTime);
    if (Number.isNaN(when.getTime())) return;
    const far = Math.abs(when - Date.now()) > 30 * DAY_MS;
    const words = element.dataset.form === "short" || far ? local(when) : `${local(when)}, ${ago(when)}`;
    if (element.textContent !== words) element.textContent = words;
    const title = `${ago(when)}, ${utc(when)}`;
    if (element.title !== title) element.title = title;
  }

  /** Show another time (ISO 8601) in an element; null shows a dash. */
  function show(element, text) {
    if (text) {
      if (element.dateTime !== text) element.dateTime = text;
      write(element);
    } else {
      element.removeAttribute("datetime");
      element.removeAttribute("title");
      element.textContent = NONE;
    }
  }

  function all() { document.querySelectorAll("time[datetime]").forEach(write); }

  all();
  setInterval(() => { if (!document.hidden) all(); }, REFRESH_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) all(); });
  return {
    show,
    /** Return a <time>; `short` leaves out how long ago it is, which its title says. */
    element(text, { short = false } = {}) {
      const element = document.createElement("time");
      if (short) element.dataset.form = "short";
      show(element, text);
      return element;
    },
  };
})();
