// One batch, live: the database's rows are authoritative, events are hints, and missed rows are fetched.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const { id, job: jobId } = $("batch").dataset;
  const base = `/api/predictions/${id}`;
  const MISSED = 500;
  const QUIET_MS = 2000;
  const TYPING_MS = 250;
  const RENEW_MS = 1000;
  const ENDED = ["succeeded", "failed", "cancelled", "interrupted"];
  const HINTS = {
    interrupted: "The process that ran this batch stopped. Resume processes only the rows without an answer.",
    cancelled: "Cancelled. Resume processes only the rows without an answer.",
  };
  const samples = [];
  const ownTitle = document.title;
  let batch = null;
  let seen = 0;
  let healing = null;
  let again = false;

  const table = new RowTable({
    grid: $("grid"),
    viewport: $("viewport"),
    space: $("space"),
    total: Number($("progress").max),
    columns: JSON.parse($("grid").dataset.columns),
    fetchRows: (offset, limit) => Live.api(`${base}/rows?offset=${offset}&limit=${limit}`),
    onOpen: showDetail,
    onFound: (total) => { $("found").textContent = `${total.toLocaleString("en")} ${total === 1 ? "row" : "rows"} found`; },
  });

  function seconds(value) {
    const whole = Math.max(0, Math.round(value));
    const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return parts[0] ? `${parts[0]} h ${parts[1]} min` : parts[1] ? `${parts[1]} min ${parts[2]} s` : `${parts[2]} s`;
  }

  function percent(share) {
    return share > 0 && share < 0.01 ? "under 1%" : share > 0.99 && share < 1 ? "over 99%" : `${Math.round(share * 100)}%`;
  }

  function titleOf({ status, done, total, failed }) {
    if (!ENDED.includes(status)) return status === "queued" && !done ? "Queued" : `${Math.floor(done / total * 100)}%`;
    return failed && status === "succeeded" ? `${failed.toLocaleString("en")} failed` : { succeeded: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" }[status];
  }

  function rate() {
    const oldest = samples[0];
    const newest = samples.at(-1);
    if (samples.length < 2) return 0;
    const now = performance.now();
    const until = now - newest.at > QUIET_MS ? now : newest.at; // while no row finishes, the rate falls
    return until > oldest.at ? (newest.done - oldest.done) / (until - oldest.at) * 1000 : 0;
  }

  function note(done) {
    const at = performance.now();
    if (samples.at(-1)?.done !== done) samples.push({ at, done });
    while (samples.length > 2 && samples[0].at < at - 10000) samples.shift();
  }

  function show() {
    if (!batch) return;
    const running = batch.status === "running";
    const share = batch.failed / batch.total;
    $("status").dataset.status = batch.status;
    $("status").toggleAttribute("data-failures", batch.failed > 0);
    const words = batch.failed ? `${batch.status}, ${percent(share)} failed` : batch.status;
    if ($("status").textContent !== words) $("status").textContent = words;
    $("progress").value = batch.done;
    $("progress").parentElement.style.setProperty("--done", batch.done / batch.total);
    $("progress").parentElement.style.setProperty("--failed", share);
    document.title = `${titleOf(batch)} · ${ownTitle}`;
    $("done").textContent = `${batch.done.toLocaleString("en")} of ${batch.total.toLocaleString("en")}`;
    $("failed").textContent = batch.failed.toLocaleString("en");
    $("rate").textContent = running && rate() ? `${rate().toFixed(rate() < 10 ? 1 : 0)} rows/s` : "–";
    $("remaining").textContent = running && rate() ? seconds((batch.total - batch.done) / rate()) : "–";
    const end = batch.finished_at ? new Date(batch.finished_at) : new Date();
    $("elapsed").textContent = batch.started_at ? seconds((end - new Date(batch.started_at)) / 1000) : "–";
    $("cancel").hidden = ENDED.includes(batch.status);
    $("continue").hidden = !ENDED.includes(batch.status) || batch.done >= batch.total && batch.status !== "failed";
    $("retry").hidden = !ENDED.includes(batch.status) || !batch.failed;
    const failed = `Retry ${batch.failed.toLocaleString("en")} failed ${batch.failed === 1 ? "row" : "rows"}`;
    if ($("retry").textContent !== failed) $("retry").textContent = failed;
    const text = batch.status === "failed" ? batch.message : HINTS[batch.status] ?? "";
    $("message").textContent = text;
    $("message").hidden = !text;
  }

  async function load() {
    const before = batch?.status;
    batch = await Live.api(base);
    if (before !== batch.status) $("error").hidden = true; // what could not be done then may be done now
    note(batch.done);
    show();
  }

  // Fetches the rows that finished while disconnected, in order; repeats if called again meanwhile.
  function heal() {
    again = true;
    healing ??= catchUp().catch(() => setTimeout(heal, 2000)).finally(() => { healing = null; });
  }

  async function catchUp() {
    while (again) {
      again = false;
      for (let more = true; more;) {
        const { items } = await Live.api(`${base}/rows?after=${seen}&limit=${MISSED}`);
        table.put(items);
        seen = Math.max(seen, items.at(-1)?.finish_no ?? 0);
        more = items.length === MISSED;
      }
      await load();
    }
  }

  function onResults(event) {
    table.put(event.rows);
    renew();
    if (event.after > seen) heal();
    else seen = Math.max(seen, event.upto);
    if (!batch) return;
    Object.assign(batch, { done: event.done, failed: event.failed, total: event.total });
    note(event.done);
    show();
  }

  // A selection is fetched again when rows finish, unless somebody is pointing at one.
  function renew() {
    if (table.selected) renew.timer ??= setTimeout(() => {
      renew.timer = null;
      if ($("grid").matches(":hover")) renew();
      else if (table.selected) table.refresh();
    }, RENEW_MS);
  }

  function onJob(job) {
    if (job.state === batch.status) return;
    if (ENDED.includes(batch.status)) restart();
    else heal();
  }

  // The batch was queued again, here or by another viewer: failed rows may be waiting again.
  function restart() {
    samples.length = 0;
    table.refresh();
    heal();
  }

  function showDetail(row) {
    $("detail-title").textContent = `Row ${row.position + 1}`;
    const entries = [...Object.entries(row.input), ["Status", row.cached ? `${row.status}, from the cache` : row.status],
      ["Answer", row.output], ["Error", row.error], ["Model", row.model]];
    $("detail").scrollTop = 0;
    $("detail-list").replaceChildren(...entries.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }));
    $("detail").showModal();
  }

  async function act(path, body) {
    $("error").hidden = true;
    try {
      const headers = { "Content-Type": "application/json", Accept: "application/json" };
      batch = await Live.api(`${base}/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      if (path === "requeue") restart();
      show();
    } catch (error) {
      $("error").textContent = error.message;
      $("error").hidden = false;
    }
  }

  $("cancel").addEventListener("click", () => act("cancel", {}));
  $("continue").addEventListener("click", () => act("requeue", {}));
  $("retry").addEventListener("click", () => act("requeue", { failed: true }));
  Live.rooms.socket.on("disconnect", () => { samples.length = 0; }); // a rate over the time offline would be wrong

  function find() {
    const search = $("search").value.trim();
    const failed = $("only-failed").checked;
    $("found").textContent = "";
    if (!search && !failed) return table.select(null, Number($("progress").max));
    const asked = new URLSearchParams({ ...(search && { search }), ...(failed && { failed: "true" }) });
    table.select((offset, limit) => Live.api(`${base}/rows?${asked}&offset=${offset}&limit=${limit}`), 1);
  }
  $("find").addEventListener("submit", (event) => { event.preventDefault(); find(); });
  $("only-failed").addEventListener("change", find);
  $("search").addEventListener("input", () => { clearTimeout(find.timer); find.timer = setTimeout(find, TYPING_MS); });
  setInterval(show, 1000);

  // Record the batch's position before fetching rows, so that no row is missed in between.
  async function begin() {
    try {
      await load();
    } catch (error) {
      $("error").textContent = error.message;
      $("error").hidden = false;
      setTimeout(begin, 3000);
      return;
    }
    $("error").hidden = true;
    seen = batch.finish_seq;
    const resync = () => { table.refresh(); heal(); };
    Live.subscribe(jobId, { onJob, resync, on: { "prediction:results": onResults } });
  }
  begin();
})();
