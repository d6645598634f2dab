// The dialog with one image, in which a person corrects its verdict.
"use strict";

window.Detail = (() => {
  const $ = (id) => document.getElementById(id);
  const API = "/api/inspections/images";
  const words = { pending: "waiting", skipped: "not inspected" }; // for states that are no verdicts
  let shown = null;

  function draw(image) {
    const counts = image.corrected_to ?? image.verdict ?? image.status;
    $("detail-name").textContent = image.name;
    $("detail-verdict").dataset.verdict = counts;
    $("detail-verdict").textContent = words[counts] ?? counts;
    $("detail-score").textContent = image.score === null ? "" : `classified as ${image.verdict}, ${Math.round(image.score * 100)} % certain`;
    $("detail-reason").textContent = image.detail ?? "";
    $("detail-corrected").replaceChildren();
    if (image.corrected_to) {
      const from = `Corrected from ${image.verdict ?? image.status} by ${image.corrected_by || "a visitor"}, `;
      $("detail-corrected").append(from, Times.element(image.corrected_at), image.note ? `: ${image.note}` : "");
    }
    $("withdraw").hidden = !image.corrected_to;
    $("correction").hidden = image.status === "pending" || image.status === "skipped";
  }

  async function correct(verdict) {
    $("detail-error").hidden = true;
    try {
      const body = JSON.stringify({ verdict: verdict || null, note: $("note").value });
      const headers = { "Content-Type": "application/json" };
      update(await Live.api(`${API}/${shown.id}/correction`, { method: "PUT", headers, body }));
      $("note").value = "";
    } catch (error) {
      $("detail-error").textContent = error.message;
      $("detail-error").hidden = false;
    }
  }

  /** Show an image that changed, if it is the one in the dialog. */
  function update(image) {
    if (image.id !== shown?.id) return;
    shown = image;
    draw(image);
  }

  function open(image) {
    shown = image;
    $("note").value = "";
    $("detail-error").hidden = true;
    $("detail-image").src = `${API}/${image.id}/content`;
    $("detail-image").alt = image.name;
    draw(image);
    $("detail").showModal();
  }

  for (const button of $("correction").querySelectorAll("button")) {
    button.addEventListener("click", () => correct(button.dataset.verdict));
  }
  $("correction").addEventListener("submit", (event) => event.preventDefault());
  return { open, update, words };
})();
