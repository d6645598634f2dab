// The tiles: an hour of samples, with a new one every five seconds from the updates that come every second.
"use strict";

window.Figures = (() => {
  const KEPT = 720;
  const EVERY_SECONDS = 5;
  const { count, rate, seconds, bytes } = Words;
  const tiles = [
    { name: "Connections", of: ["connections"], as: count, least: 4 },
    { name: "Events", of: ["events_per_second"], as: rate, least: 1 },
    { name: "Requests", of: ["requests_per_second"], as: rate, least: 1 },
    { name: "Request time, p95", of: ["request_p95_seconds", "request_p50_seconds"], as: seconds, beside: (half) => `p50 ${half}`, least: 0.01 },
    { name: "Event time, p95", of: ["event_p95_seconds"], as: seconds, least: 0.01 },
    { name: "Event-loop lag", of: ["hub_lag_seconds"], as: seconds, least: 0.01 },
    { name: "Memory", of: ["memory_bytes"], as: bytes, least: 1e8 },
    { name: "Queue age", of: ["queue_age_seconds"], as: seconds, least: 1 },
    { name: "Jobs running", of: ["jobs_running", "jobs_queued"], as: count, beside: (queued) => `${queued} queued`, least: 4 },
    { name: "API calls", of: ["upstream_calls_per_second"], as: rate, least: 1 },
    { name: "API calls in flight", of: ["upstream_in_flight"], as: count, least: 4 },
    { name: "API calls failed", of: ["upstream_errors_per_second", "upstream_rate_limited_per_second"], as: rate, beside: (limited) => `${limited} rate-limited`, least: 1 },
  ].map((given) => new Tile(given));
  document.getElementById("tiles").append(...tiles.map((tile) => tile.element));
  let series = { at: [] };

  function draw() {
    for (const tile of tiles) tile.show(series.at, series);
    const { at } = series;
    const span = at.length > 1 ? at.at(-1) - at[0] : 0;
    Words.put(document.getElementById("figures-title"), span > 3500 || !span ? "The last hour" : `The last ${Words.span(span)}`);
  }

  function keep(figures) {
    for (const [name, values] of Object.entries(series)) {
      values.push(figures[name] ?? null);
      if (values.length > KEPT) values.shift();
    }
    draw();
  }

  return {
    /** Replace the whole state, after each connect. */
    begin(stats) {
      series = stats.series;
      for (const tile of tiles) tile.now(stats.figures);
      keep(stats.figures);
    },
    /** Show an update. */
    tick(figures) {
      for (const tile of tiles) tile.now(figures);
      if (!series.at.length || figures.at - series.at.at(-1) >= EVERY_SECONDS - 0.5) keep(figures);
    },
  };
})();
