// The outside API: what its client does now, and its calls since the worker's start.
"use strict";

(() => {
  function show(state) {
    const outcomes = Object.entries(state.outcomes).map(([name, number]) => `${Words.count(number)} ${name.replaceAll("_", " ")}`);
    Words.pairs(document.getElementById("upstream"), [
      ["Model", state.model],
      ["Address", `${state.host}${state.has_key ? "" : ", no API key"}`],
      ["State", state.problem || "responding"],
      ["Next call", state.paused_seconds ? `in ${Words.seconds(state.paused_seconds)}: the API asked to wait` : "now"],
      ["In flight", `${state.in_flight} of ${state.limit}, ${state.waiting} waiting`],
      ["Calls since start", outcomes.join(", ") || "none"],
    ]);
  }

  Console.add({ tick(told) { show(told.upstream); } });
})();
