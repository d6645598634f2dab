// The backends' figures, which come once a second, and the last calls.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const { socket } = Live.rooms;
  const ANSWER_MS = 5000;
  const CALLS_MS = 3000;
  const SHOWN_CALLS = 15;
  const BADGES = { closed: "succeeded", "half open": "interrupted", open: "failed" };
  const GOOD = ["done", "client_gone", "refused"];

  function seconds(value) {
    if (value === null) return "–";
    return value < 1 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${value.toFixed(1)} s`;
  }

  function number(value) {
    return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
  }

  function cell(content) {
    const made = document.createElement("td");
    made.append(content);
    return made;
  }

  function badge(text, status) {
    const made = document.createElement("span");
    made.className = "badge";
    made.dataset.status = status;
    made.textContent = text;
    return made;
  }

  function row(...contents) {
    const made = document.createElement("tr");
    made.append(...contents.map(cell));
    return made;
  }

  function named(backend) {
    const made = document.createElement("div");
    const models = document.createElement("span");
    models.className = "quiet models";
    models.textContent = backend.models.join(", ") || "no models known";
    models.title = models.textContent;
    made.append(backend.name, models);
    return made;
  }

  function state(backend) {
    if (!backend.enabled) return badge("disabled", "pending");
    if (backend.state === "closed" && !backend.healthy) return badge("check failed", "interrupted");
    const made = badge(backend.state === "closed" ? "healthy" : backend.state, BADGES[backend.state]);
    made.title = `Circuit breaker: ${backend.state}`;
    return made;
  }

  function checked(backend) {
    if (!backend.checked_at) return "not yet";
    const made = document.createElement("div");
    made.append(Times.element(backend.checked_at));
    if (backend.check_detail === "ok") return made;
    const detail = document.createElement("span");
    detail.className = "quiet detail";
    detail.textContent = backend.check_detail;
    made.append(detail);
    return made;
  }

  function show(stats) {
    const { backends } = stats;
    const sum = (name) => number(backends.reduce((total, backend) => total + backend[name], 0));
    $("healthy").textContent = `${backends.filter((backend) => backend.healthy && backend.enabled).length} of ${backends.length}`;
    $("in-flight").textContent = sum("in_flight");
    $("waiting").textContent = number(stats.waiting);
    $("requests").textContent = sum("requests");
    $("tokens").textContent = sum("tokens_per_second");
    $("empty").hidden = backends.length > 0;
    $("backends").hidden = backends.length === 0;
    $("backends").tBodies[0].replaceChildren(...backends.map((backend) => row(
      named(backend), state(backend), number(backend.in_flight), number(backend.requests),
      backend.success_rate === null ? "–" : `${(backend.success_rate * 100).toFixed(1)} %`,
      seconds(backend.p50_seconds), seconds(backend.p95_seconds), number(backend.tokens_per_second), checked(backend),
    )));
  }

  function showCalls({ items }) {
    $("no-calls").hidden = items.length > 0;
    $("calls").hidden = items.length === 0;
    $("calls").tBodies[0].replaceChildren(...items.map((call) => row(
      Times.element(call.at),
      badge(call.outcome.replaceAll("_", " "), GOOD.includes(call.outcome) ? "succeeded" : "failed"),
      call.model, call.backend || "–", seconds(call.seconds), `${number(call.input_tokens)}, ${number(call.output_tokens)}`,
    )));
  }

  function watch() {
    const connection = socket.id;
    socket.timeout(ANSWER_MS).emit("gateway:watch", (lost, answer) => {
      if (socket.id !== connection) return;
      if (!lost && answer.ok) show(answer);
      else setTimeout(() => { if (socket.id === connection) watch(); }, ANSWER_MS);
    });
  }

  async function calls() {
    if (!document.hidden) {
      await Live.api(`/api/gateway/calls?per_page=${SHOWN_CALLS}`).then(showCalls, () => {});
    }
    setTimeout(calls, CALLS_MS);
  }

  socket.on("connect", watch);
  socket.on("gateway:stats", show);
  if (socket.connected) watch();
  calls();
})();
