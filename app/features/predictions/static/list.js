// The list of batches, one page at a time; each batch shown is followed live.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const PER_PAGE = 20;
  const address = new Address(() => go(pageOf(), { replace: true }));
  let page = pageOf();
  let shown = [];
  let loaded = false;

  function pageOf() {
    return Math.max(1, Math.floor(Number(address.view.page)) || 1);
  }

  function go(asked, options) {
    page = Math.max(1, asked);
    address.set({ page: page > 1 ? page : "" }, options);
    load();
  }

  function item(batch) {
    const element = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/predictions/${batch.id}`;
    link.textContent = batch.name;
    const badge = document.createElement("span");
    badge.className = "badge";
    const counts = document.createElement("span");
    const when = Times.element(batch.created_at);
    const below = document.createElement("div");
    below.className = "row quiet";
    below.append(counts, when);
    const outcomes = document.createElement("div");
    outcomes.className = "outcomes";
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", `Progress of ${batch.name}`);
    const top = document.createElement("div");
    top.className = "row between";
    top.append(link, badge);
    outcomes.append(bar);
    element.append(top, outcomes, below);

    function show() {
      const { status, done, total, failed } = batch;
      badge.dataset.status = status;
      badge.toggleAttribute("data-failures", failed > 0);
      badge.textContent = failed ? `${status}, ${failed.toLocaleString("en")} failed` : status;
      outcomes.style.setProperty("--done", done / total);
      outcomes.style.setProperty("--failed", failed / total);
      bar.max = total;
      bar.value = done;
      outcomes.hidden = status !== "running" && status !== "queued" && !failed;
      counts.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows`;
    }

    // A job does not count failed rows, so the batch is fetched whenever the state changes.
    function onJob(job) {
      const changed = job.state !== batch.status;
      Object.assign(batch, { status: job.state, done: job.state === "queued" ? batch.done : Math.max(job.done, batch.done) });
      show();
      if (changed) Live.api(`/api/predictions/${batch.id}`).then((found) => { Object.assign(batch, found); show(); }, () => {});
    }
    show();
    Live.subscribe(batch.job_id, { onJob });
    return element;
  }

  const hold = new Hold($("batches"), $("new-batches"), () => load());

  /** Fetch the page; `still` leaves the batches where they are while somebody points at one. */
  async function load({ still = false } = {}) {
    const asked = page;
    let answer;
    try {
      answer = await Live.api(`/api/predictions?page=${asked}&per_page=${PER_PAGE}`);
    } catch (error) {
      $("list-error").textContent = error.message;
      $("list-error").hidden = false;
      return;
    }
    $("list-error").hidden = true;
    if (asked !== page) return;
    const known = new Set(shown.map((batch) => batch.id));
    const fresh = answer.items.filter((batch) => !known.has(batch.id)).length;
    if (still && shown.length && hold.held && !same(answer.items)) hold.offer(fresh ? `${fresh} new ${fresh === 1 ? "batch" : "batches"}` : "Update the list");
    else draw(answer);
  }

  function same(batches) {
    const ids = (some) => some.map((batch) => batch.id).join();
    return loaded && ids(batches) === ids(shown);
  }

  function draw(answer) {
    hold.settle();
    if (same(answer.items)) return; // changes within a batch come by socket
    loaded = true;
    for (const batch of shown) Live.unsubscribe(batch.job_id);
    shown = answer.items;
    $("batches").replaceChildren(...shown.map(item));
    $("empty").hidden = answer.total > 0;
    const pages = Math.max(1, Math.ceil(answer.total / PER_PAGE));
    $("pager").hidden = pages === 1;
    $("page").textContent = `Page ${page} of ${pages}`;
    $("newer").disabled = page === 1;
    $("older").disabled = page >= pages;
  }

  $("newer").addEventListener("click", () => go(page - 1));
  $("older").addEventListener("click", () => go(page + 1));
  // Batches that others start are not followed yet, so no event reports them.
  setInterval(() => { if (!document.hidden) load({ still: true }); }, 5000);
  Live.rooms.socket.on("connect", () => { if (loaded) load({ still: true }); });
  load();
})();
