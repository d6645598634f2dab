// The form: images are sent with their progress, and the wall shows the new inspection.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const form = $("upload");
  const drop = $("drop");

  function show(sending, text = "") {
    $("send").disabled = sending;
    $("sent").hidden = !sending;
    $("sending").textContent = text;
  }

  // fetch() does not tell how much of a body was sent.
  function send(body) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.upload.addEventListener("progress", (event) => {
        $("sent").value = event.loaded / event.total;
        if (event.loaded === event.total) show(true, "The images are being checked…");
      });
      request.addEventListener("error", () => reject(new Error("The upload broke off; nothing was stored.")));
      request.addEventListener("load", () => {
        let answer = null;
        try { answer = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
        if (request.status === 202) resolve(answer);
        else reject(new Error(answer?.error?.message ?? `The upload was refused (${request.status}).`));
      });
      request.open("POST", "/api/inspections");
      const token = document.querySelector("meta[name=csrf-token]")?.content;
      if (token) request.setRequestHeader("X-CSRF-Token", token);
      request.send(body);
    });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    $("error").hidden = true;
    show(true, "Uploading…");
    try {
      const made = await send(new FormData(form));
      form.reset();
      document.dispatchEvent(new CustomEvent("inspections:made", { detail: made }));
      show(false);
    } catch (error) {
      show(false);
      $("error").textContent = error.message;
      $("error").hidden = false;
    }
  });

  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") $("files").files = event.dataTransfer.files;
    });
  }
})();
