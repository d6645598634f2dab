// The charts: the stored figures of up to a day, then those that this page's worker sends, a sample every five seconds.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const KEPT = 720;
  const EVERY_SECONDS = 5;
  const STORED_MS = 30_000;
  const HOURS = ["1", "6", "24"];
  const HERE = "here";
  const { count, rate, seconds, bytes } = Words;
  const every = [
    { name: "Connections", of: ["connections"], as: count, least: 4 },
    { name: "Events", of: ["events_per_second"], as: rate, least: 1 },
    { name: "Requests", of: ["requests_per_second"], as: rate, least: 1 },
    { name: "Request latency, p95", of: ["request_p95_seconds", "request_p50_seconds"], as: seconds, beside: (half) => `p50 ${half}`, least: 0.01 },
    { name: "Event latency, p95", of: ["event_p95_seconds"], as: seconds, least: 0.01 },
    { name: "Event-loop lag", of: ["hub_lag_seconds"], as: seconds, least: 0.01 },
    { name: "Memory", of: ["memory_bytes"], as: bytes, least: 1e8 },
    { name: "Oldest queued job", of: ["queue_age_seconds"], as: seconds, least: 1 },
    { name: "Jobs running", of: ["jobs_running", "jobs_queued"], as: count, beside: (queued) => `${queued} queued`, least: 4 },
  ];
  const upstream = [
    { name: "Upstream calls", of: ["upstream_calls_per_second"], as: rate, least: 1 },
    { name: "Upstream latency, p95", of: ["upstream_p95_seconds"], as: seconds, least: 0.1 },
    { name: "Upstream calls in flight", of: ["upstream_in_flight"], as: count, least: 4 },
    { name: "Upstream calls failed", of: ["upstream_errors_per_second", "upstream_rate_limited_per_second"], as: rate, beside: (limited) => `${limited} rate-limited`, least: 1 },
  ];
  const place = $("tiles");
  const tiles = (place.dataset.about === "upstream" ? upstream : every).map((given) => new Tile(given));
  let own = { at: [] }; // this page's worker, in the last hour
  let stored = { at: [], service: {}, workers: {}, markers: [], step: 300 };
  let present = null;

  const asked = new URLSearchParams(location.search);
  let hours = HOURS.includes(asked.get("hours")) ? asked.get("hours") : "1";
  let whose = asked.get("worker") ?? "";

  /** Whether the samples of this page's worker are shown: the only one, or the chosen one. */
  const live = () => whose === HERE || !whose && !Object.keys(stored.workers).length;

  /** Return [times, values by name] of what is chosen. */
  function chosen() {
    const from = Date.now() / 1000 - Number(hours) * 3600;
    const kept = stored.workers[whose] ?? stored.service;
    if (!live()) return [stored.at, kept];
    const [, values] = joined(whose === HERE ? { at: [], values: {} } : { at: stored.at, values: kept }, from);
    return [values.at, values];
  }

  /** Return what is stored, followed by the worker's samples, or by the last one for longer than an hour. */
  function joined({ at, values }, from) {
    const first = hours === "1" ? own.at.findIndex((one) => one >= from) : own.at.length - 1;
    const recent = first < 0 ? own.at.length : first;
    const before = hours === "1" ? own.at[recent] ?? Infinity : Infinity;
    const old = at.map((one, index) => index).filter((index) => at[index] >= from - stored.step && at[index] < before);
    const found = { at: [...old.map((index) => at[index]), ...own.at.slice(recent)] };
    for (const name of Object.keys(own)) {
      if (name !== "at") found[name] = [...old.map((index) => values[name]?.[index] ?? null), ...own[name].slice(recent)];
    }
    return [found.at, found];
  }

  function draw() {
    if (document.hidden) return;
    const now = Date.now() / 1000;
    Tile.range = [now - Number(hours) * 3600, now];
    Tile.markers = stored.markers;
    const [at, values] = chosen();
    for (const tile of tiles) tile.show(at, values);
  }

  function say() {
    if (live() && present) for (const tile of tiles) tile.now(present);
    if (live()) return;
    const [, values] = chosen();
    const last = Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1)]));
    for (const tile of tiles) tile.now(last);
  }

  function keep(figures) {
    for (const [name, values] of Object.entries(own)) {
      values.push(figures[name] ?? null);
      if (values.length > KEPT) values.shift();
    }
    draw();
  }

  async function load() {
    try {
      stored = await Console.get(`figures?hours=${hours}`);
    } catch {
      return; // the next call may succeed, and the worker's own samples are shown meanwhile
    }
    workers();
    marks();
    draw();
    say();
  }

  /** Offer the workers to choose from, if there are several. */
  function workers() {
    const names = Object.keys(stored.workers);
    $("worker-choice").hidden = !names.length;
    const options = [["", "Whole service"], ...names.map((name) => [name, `pid ${name.split(":").at(-1)}`]), [HERE, "This page's worker, live"]];
    const same = JSON.stringify(options);
    if (workers.same !== same) $("of-worker").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    workers.same = same;
    if (!options.some(([value]) => value === whose)) whose = "";
    $("of-worker").value = whose;
  }

  function marks() {
    const same = JSON.stringify(stored.markers);
    if (marks.same === same) return;
    marks.same = same;
    $("markers").replaceChildren(...stored.markers.slice(-6).map(({ at, text }) => {
      const element = document.createElement("li");
      element.append(`${text} `, Times.element(new Date(at * 1000).toISOString()));
      return element;
    }));
  }

  function choose(values) {
    ({ hours = hours, whose = whose } = values);
    Console.address({ hours: hours === "1" ? "" : hours, worker: whose }, { push: true });
    press();
    load();
  }

  function press() {
    for (const button of $("range").children) button.setAttribute("aria-pressed", button.dataset.hours === hours);
  }

  Tile.paint();
  place.append(...tiles.map((tile) => tile.element));
  for (const tile of tiles) tile.begin();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { Tile.paint(); draw(); });
  addEventListener("themechange", () => { Tile.paint(); draw(); });
  document.addEventListener("visibilitychange", draw);
  $("range").addEventListener("click", (event) => {
    if (event.target.dataset.hours) choose({ hours: event.target.dataset.hours });
  });
  $("of-worker").addEventListener("change", () => choose({ whose: $("of-worker").value }));
  window.addEventListener("popstate", () => {
    const given = new URLSearchParams(location.search);
    [hours, whose] = [given.get("hours") ?? "1", given.get("worker") ?? ""];
    press();
    load();
  });
  setInterval(() => { if (!document.hidden) load(); }, STORED_MS);
  press();
  Console.add({
    /** Replace the whole state, after each connect. */
    begin(stats) {
      own = stats.series;
      present = stats.figures;
      keep(stats.figures);
      load();
    },
    /** Show an update. */
    tick({ figures }) {
      present = figures;
      if (live()) say();
      if (!own.at.length || figures.at - own.at.at(-1) >= EVERY_SECONDS - 0.5) keep(figures);
    },
  });
})();
