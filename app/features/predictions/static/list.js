// The list of batches, one page at a time; each batch shown is followed live.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const PER_PAGE = 20;
  let page = 1;
  let shown = [];
  let loaded = false;

  function item(batch) {
    const element = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/predictions/${batch.id}`;
    link.textContent = batch.name;
    const badge = document.createElement("span");
    badge.className = "badge";
    const counts = document.createElement("span");
    counts.className = "quiet";
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", `Progress of ${batch.name}`);
    const top = document.createElement("div");
    top.className = "row between";
    top.append(link, badge);
    element.append(top, bar, counts);

    function show() {
      const { status, done, total, failed } = batch;
      badge.textContent = badge.dataset.status = status;
      bar.max = total;
      bar.value = done;
      bar.hidden = status !== "running" && status !== "queued";
      const errors = failed ? ` · ${failed.toLocaleString("en")} failed` : "";
      const when = new Date(batch.created_at).toLocaleString();
      counts.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows${errors} · ${when}`;
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

  async function load() {
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
    if (asked === page) draw(answer);
  }

  function draw(answer) {
    const ids = (batches) => batches.map((batch) => batch.id).join();
    if (loaded && ids(answer.items) === ids(shown)) return; // changes within a batch come by socket
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

  $("newer").addEventListener("click", () => { page -= 1; load(); });
  $("older").addEventListener("click", () => { page += 1; load(); });
  // Batches that others start are not followed yet, so no event reports them.
  setInterval(() => { if (!document.hidden) load(); }, 5000);
  load();
})();
