// The wall of images: the database's rows are authoritative, and events bring single images up to date.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const API = "/api/inspections";
  const PER_PAGE = 60;
  const COUNTS_MS = 1000; // between two looks at the numbers while verdicts come
  const tiles = new Map(); // by the image's id, in the order of the wall
  const followed = new Set(); // ids of jobs
  let inspection = null; // the one that is shown, or null for all
  let pages = 1;
  let loading = null;
  let again = false;
  let listed = false; // whether the list of inspections is up to date
  let later = null;

  const wanted = () => document.querySelector("#filter input:checked").value;
  const state = (image) => image.corrected_to ?? image.verdict ?? image.status;
  const fits = (image) => !wanted() || (wanted() === "corrected" ? image.corrected_to !== null : state(image) === wanted());

  function part(kind, className, text) {
    return Object.assign(document.createElement(kind), { className, textContent: text });
  }

  function tile(image) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const picture = image.status === "done" ? part("img", "picture", "") : part("span", "picture", "");
    if (image.status === "done") Object.assign(picture, { src: `${API}/images/${image.id}/thumbnail`, alt: "", loading: "lazy" });
    const badge = part("span", "badge", Detail.words[state(image)] ?? state(image));
    badge.dataset.verdict = state(image);
    const line = part("span", "row", "");
    line.append(badge);
    if (image.corrected_to) line.append(part("span", "quiet", "corrected"));
    button.append(picture, line, part("span", "name", image.name), part("span", "reason", image.note || image.detail || ""));
    button.addEventListener("click", () => Detail.open(image));
    item.append(button);
    return item;
  }

  function put(image) {
    const before = tiles.get(image.id);
    const now = tile(image);
    if (before) before.replaceWith(now);
    else $("wall").append(now);
    tiles.set(image.id, now);
  }

  function tell(error) {
    $("error").hidden = !error;
    $("error").textContent = error?.message ?? "";
  }

  function count(counts) {
    for (const place of document.querySelectorAll("[data-count]")) {
      const name = place.dataset.count;
      const all = Object.entries(counts).reduce((sum, [key, number]) => sum + (key === "corrected" ? 0 : number), 0);
      place.textContent = (name ? counts[name] ?? 0 : all).toLocaleString("en");
    }
  }

  function query(page, size) {
    const asked = new URLSearchParams({ page, per_page: size });
    if (wanted()) asked.set("verdict", wanted());
    if (inspection) asked.set("inspection", inspection.id);
    return Live.api(`${API}/images?${asked}`);
  }

  async function fetchAll() {
    while (again) {
      again = false;
      if (!listed) await listInspections();
      const answers = await Promise.all(Array.from({ length: pages }, (_, number) => query(number + 1, PER_PAGE)));
      const images = answers.flatMap((answer) => answer.items);
      tiles.clear();
      $("wall").replaceChildren();
      images.forEach(put);
      count(answers[0].counts);
      $("empty").hidden = images.length > 0;
      $("more").hidden = pages * PER_PAGE >= answers[0].total;
    }
  }

  // Fetches the wall; called again meanwhile, it fetches once more.
  function load() {
    again = true;
    loading ??= fetchAll().then(() => tell(null), tell).finally(() => { loading = null; });
    return loading;
  }

  // The numbers follow with the next look, however many verdicts come at once.
  function countSoon() {
    later ??= setTimeout(() => {
      later = null;
      query(1, 1).then((answer) => count(answer.counts), () => {});
    }, COUNTS_MS);
  }

  function onImage(image) {
    Detail.update(image);
    if (inspection && image.inspection_id !== inspection.id) return;
    if (tiles.has(image.id) && fits(image)) put(image);
    else if (tiles.has(image.id)) {
      tiles.get(image.id).remove();
      tiles.delete(image.id);
    } else if (fits(image)) load(); // its place among the others is known to the server
    countSoon();
  }

  const active = (status) => status === "queued" || status === "running";

  function onJob(job) {
    if (job.id === inspection?.job_id) drawJob(job);
    if (active(job.state)) return;
    if (followed.delete(job.id)) Live.unsubscribe(job.id);
    load(); // images without a verdict no longer wait
  }

  // Of all that waits or runs, the end matters; of the one that is shown, its progress too.
  function follow(jobId) {
    if (followed.has(jobId)) return;
    followed.add(jobId);
    Live.subscribe(jobId, { onJob });
  }

  function drawJob(job) {
    const { total } = inspection;
    $("status").textContent = $("status").dataset.status = job.state;
    $("done").textContent = `${job.done.toLocaleString("en")} of ${total.toLocaleString("en")} images`;
    $("progress").max = total;
    $("progress").value = job.done;
    $("cancel").hidden = $("progress").hidden = !active(job.state);
    $("remove").hidden = active(job.state);
    $("continue").hidden = active(job.state) || job.done >= total;
  }

  async function choose(id) {
    inspection = id ? await Live.api(`${API}/${id}`).catch((error) => { tell(error); return null; }) : null;
    $("which").value = inspection?.id ?? "";
    $("one").hidden = !inspection;
    pages = 1;
    if (inspection) {
      for (const kind of ["csv", "json"]) $(kind).href = `${API}/${inspection.id}/results.${kind}`;
      drawJob({ state: inspection.status, done: inspection.done });
      if (active(inspection.status)) follow(inspection.job_id);
    }
    load();
  }

  async function listInspections() {
    listed = true;
    const { items } = await Live.api(`${API}?per_page=50`);
    const options = items.map((item) => new Option(`${item.name} (${item.total})`, item.id));
    $("which").replaceChildren(new Option("All inspections", ""), ...options);
    $("which").value = inspection?.id ?? "";
    items.filter((item) => active(item.status)).forEach((item) => follow(item.job_id));
  }

  async function act(method, path) {
    try {
      await Live.api(path, { method });
    } catch (error) {
      tell(error);
    }
  }

  function onChanged(change) {
    listed = false;
    if (inspection?.id !== change.id) load();
    else choose(change.change === "deleted" ? "" : change.id);
  }

  $("which").addEventListener("change", () => choose($("which").value));
  $("filter").addEventListener("change", () => { pages = 1; load(); });
  $("more").addEventListener("click", () => { pages += 1; load(); });
  $("cancel").addEventListener("click", () => act("POST", `${API}/${inspection.id}/cancel`));
  $("continue").addEventListener("click", () => act("POST", `${API}/${inspection.id}/continue`));
  $("remove").addEventListener("click", async () => {
    if (await ask("Delete this inspection with its images?", { label: "Delete" })) act("DELETE", `${API}/${inspection.id}`);
  });
  document.addEventListener("inspections:made", async (event) => {
    await listInspections();
    choose(event.detail.id);
  });
  Live.rooms.follow($("wall").dataset.room, {
    event: "inspections:follow",
    on: { "inspections:image": onImage, "inspections:changed": onChanged },
    resync: () => { listed = false; load(); },
  });
})();
