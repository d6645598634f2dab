// The overview: the health with its reasons, and where this page is connected.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const MOVED = { "#jobs": "/jobs", "#brand": "/settings#brand", "#settings": "/settings", "#maintenance": "/schedules" };
  let started = null;
  let whole = null;

  function health(checks) {
    $("checks").replaceChildren(...Object.entries(checks).map(([name, { ok }]) => {
      const element = Object.assign(document.createElement("li"), { textContent: name.replaceAll("_", " ") });
      element.dataset.ok = ok;
      return element;
    }));
    const reasons = Object.entries(checks).filter(([, { ok, detail }]) => !ok || detail !== "ok");
    $("reasons").replaceChildren(...reasons.map(([name, { ok, detail }]) => {
      const element = document.createElement("li");
      element.dataset.ok = ok;
      element.append(Object.assign(document.createElement("strong"), { textContent: name.replaceAll("_", " ") }), ` ${detail}`);
      return element;
    }));
  }

  function worker(sessions) {
    const numbers = Object.values(sessions);
    const all = numbers.reduce((sum, number) => sum + number, 0);
    const open = `${Words.count(all)} sockets: ${numbers.map(Words.count).join(" + ")}`;
    Words.put($("worker"), `pid ${whole.pid}, one of ${whole.workers} (${open})`);
  }

  let failures = null; // their number, when the list was fetched

  /** Fetch the last failed jobs when there are others than before. */
  async function failed(number) {
    if (number === failures) return;
    failures = number;
    const { items } = await Console.get("jobs?state=failed&per_page=5");
    $("none-failed").hidden = items.length > 0;
    $("failed").replaceChildren(...items.map((job) => {
      const [element, about] = [document.createElement("li"), document.createElement("span")];
      about.append(Object.assign(document.createElement("a"), { href: `/admin/console/jobs/${job.id}`, dir: "auto", textContent: job.title }), " ",
        Object.assign(document.createElement("span"), { className: "failure", dir: "auto", textContent: job.error }));
      const when = Object.assign(document.createElement("span"), { className: "quiet" });
      when.append(Times.element(job.finished_at));
      element.append(about, when);
      return element;
    }));
  }

  Console.add({
    begin(stats) {
      started = performance.now() - stats.uptime_seconds * 1000;
      whole = stats.workers > 1 ? stats : null;
      Words.put($("worker"), `pid ${stats.pid}`);
    },
    tick(told) {
      Words.put($("uptime"), Words.span((performance.now() - started) / 1000));
      if (whole) worker(told.sessions_by_pid);
      if (told.checks) health(told.checks);
      if (told.jobs.some((job) => job.state === "failed")) failures = null;
      failed(told.figures.jobs_failed ?? 0).catch(() => { failures = null; }); // it is tried again
    },
  });
  if (MOVED[location.hash]) location.replace(`/admin/console${MOVED[location.hash]}`); // parts that were on this page
})();
