// One batch, live: the database's rows are authoritative, events are hints, and missed rows are fetched.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const { id, job: jobId, pace } = $("batch").dataset;
  const base = `/api/predictions/${id}`;
  const [MISSED, RENEW_MS, RETRY_MS] = [500, 1000, 2000];
  const figures = new BatchFigures(Number(pace));
  let batch = null;
  let seen = 0;
  let healing = null;
  let again = false;
  let query = null; // of the API, for the selected rows

  const address = new Address(showView);
  const search = new RowSearch((view) => { address.set({ ...view, row: "" }); select(); });
  const details = new RowDetails({ step: (by) => table.open(table.active + by), closed: () => address.set({ row: "" }) });
  const table = new RowTable({
    grid: $("grid"),
    space: $("space"),
    total: Number($("progress").max),
    columns: JSON.parse($("grid").dataset.columns),
    fetchRows: (offset, limit) => Live.api(`${base}/rows?offset=${offset}&limit=${limit}`),
    onOpen: showRow,
    onFound: (total) => search.tell(total),
  });
  new BatchActions(base, (changed, queued) => {
    batch = changed;
    if (queued) restart();
    show();
  });

  function show() {
    if (!batch) return;
    figures.show(batch);
    table.setRunning(batch.status === "running" ? batch.asked : []);
  }

  function showRow(row, place) {
    details.show(row, { first: place === 0, last: place === table.total - 1 });
    address.set({ row: row.position + 1 }, { replace: Boolean(address.view.row) });
  }

  function select() {
    const asked = search.show(address.view);
    if (String(asked ?? "") === String(query ?? "")) return;
    query = asked;
    if (query) table.select((offset, limit) => Live.api(`${base}/rows?${query}&offset=${offset}&limit=${limit}`), 1);
    else table.select(null, Number($("progress").max));
  }

  // What the address asks for, when the page opens and when the visitor goes back or forward.
  async function showView() {
    select();
    const row = Number(address.view.row);
    if (!row) return details.close();
    if (!query) return table.open(row - 1);
    const { items } = await Live.api(`${base}/rows?offset=${row - 1}&limit=1`).catch(() => ({ items: [] }));
    if (items.length) details.show(items[0], { first: true, last: true }); // its place among those selected is unknown
  }

  async function load() {
    const before = batch?.status;
    batch = await Live.api(base);
    if (before !== batch.status) $("error").hidden = true; // what could not be done then may be done now
    figures.note(batch.done);
    show();
  }

  // Fetches the rows that finished while disconnected, in order; repeats if called again meanwhile.
  function heal() {
    again = true;
    healing ??= catchUp().catch(() => setTimeout(heal, RETRY_MS)).finally(() => { healing = null; });
  }

  async function catchUp() {
    while (again) {
      again = false;
      for (let more = true; more;) {
        const { items } = await Live.api(`${base}/rows?after=${seen}&limit=${MISSED}`);
        table.put(items);
        details.update(items);
        seen = Math.max(seen, items.at(-1)?.finish_no ?? 0);
        more = items.length === MISSED;
      }
      await load();
    }
  }

  function onResults(event) {
    table.put(event.rows);
    details.update(event.rows);
    renew();
    if (event.after > seen) heal();
    else seen = Math.max(seen, event.upto);
    if (!batch) return;
    Object.assign(batch, { done: event.done, failed: event.failed, total: event.total, asked: event.asked });
    figures.note(event.done);
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
    if (BatchFigures.ENDED.includes(batch.status)) restart();
    else heal();
  }

  // The batch was queued again, here or by another viewer: failed rows may be waiting again.
  function restart() {
    figures.restart();
    table.refresh();
    heal();
  }

  // Record the batch's position before fetching rows, so that no row is missed in between.
  async function begin() {
    try {
      await load();
    } catch (error) {
      $("error").textContent = error.message;
      $("error").hidden = false;
      setTimeout(begin, RETRY_MS);
      return;
    }
    $("error").hidden = true;
    seen = batch.finish_seq;
    const resync = () => { table.refresh(); heal(); };
    Live.subscribe(jobId, { onJob, resync, on: { "prediction:results": onResults } });
  }

  Live.rooms.socket.on("disconnect", () => figures.restart()); // a rate over the time offline would be wrong
  Live.rooms.socket.on("service:maintenance", ({ reason }) => { if (!reason) $("error").hidden = true; }); // what it refused is possible
  setInterval(show, 1000);
  showView();
  begin();
})();
