// The documents: uploaded here, and followed by their jobs until they can be asked about.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const API = "/api/chat/documents";
  const WORDS = { queued: "Waiting", running: "Reading", ready: "", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" };
  const followed = new Set();

  function tell(error) {
    $("upload-error").hidden = !error;
    $("upload-error").textContent = error?.message ?? "";
  }

  function button(label, named, action) {
    const element = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: label });
    element.setAttribute("aria-label", `${label} ${named}`);
    element.addEventListener("click", () => act(action));
    return element;
  }

  async function act(action) {
    tell(null);
    try {
      await action();
      await list.load();
    } catch (error) {
      tell(error);
    }
  }

  function item(document_) {
    const { id, job_id: job, name, status, error } = document_;
    const element = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: `/api/files/${id}/content`, textContent: name });
    const remove = button("Delete", name, () => Live.api(`${API}/${id}`, { method: "DELETE" }));
    element.append(link, remove);
    if (WORDS[status]) {
      const badge = Object.assign(document.createElement("span"), { className: "badge", textContent: WORDS[status] });
      badge.dataset.status = status;
      element.insertBefore(badge, remove);
    }
    if (error) element.append(Object.assign(document.createElement("p"), { className: "failure", textContent: error }));
    if (["queued", "running"].includes(status)) follow(job);
    return element;
  }

  function follow(job) {
    if (followed.has(job)) return;
    followed.add(job);
    Live.subscribe(job, {
      onJob: ({ state }) => {
        if (["queued", "running"].includes(state)) return;
        followed.delete(job);
        Live.unsubscribe(job);
        list.load().catch(tell);
      },
    });
  }

  const list = new Listing(API, $("documents"), $("more-documents"), { item });

  async function upload(files) {
    const body = new FormData();
    for (const file of files) body.append("files", file, file.name);
    $("drop").dataset.busy = "";
    await act(() => Live.api(API, { method: "POST", body }));
    delete $("drop").dataset.busy;
    $("files").value = "";
  }

  $("files").addEventListener("change", () => { if ($("files").files.length) upload($("files").files); });
  for (const name of ["dragover", "dragleave", "drop"]) {
    $("drop").addEventListener(name, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) upload(event.dataTransfer.files);
    });
  }
  list.load().catch(tell);
})();
