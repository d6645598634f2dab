// The form: has the server read the file's first row, to show columns and a filled prompt before the upload.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const form = $("form");
  const BEGINNING_BYTES = 60000;
  let sample = null;
  let rows = 0;
  let mistake = "";

  const usesFile = () => form.elements.source.value === "file";

  async function firstRow(file) {
    const body = new FormData();
    body.set("file", file.slice(0, BEGINNING_BYTES), file.name);
    try {
      return [(await Live.api("/api/predictions/first-row", { method: "POST", body })).row, ""];
    } catch (error) {
      return [null, error.message];
    }
  }

  async function changedSource() {
    $("file-field").hidden = !usesFile();
    $("lines-field").hidden = usesFile();
    const line = $("lines").value.split(/[\r\n]/).find((text) => text.trim());
    const file = usesFile() ? $("file").files[0] : undefined;
    rows = file ? await Estimate.rowsOf(file) : Estimate.lines($("lines").value);
    [sample, mistake] = file ? await firstRow(file) : [!usesFile() && line ? { text: line.trim() } : null, ""];
    if (file && !$("name").value) $("name").value = file.name.replace(/\.\w+$/, "");
    showChips();
    check();
  }

  function showChips() {
    $("chips").replaceChildren(...Object.keys(sample ?? {}).map((name) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.textContent = `{${name}}`;
      chip.setAttribute("aria-label", `Insert the column ${name}`);
      chip.addEventListener("click", () => {
        $("prompt").setRangeText(`{${name}}`, $("prompt").selectionStart, $("prompt").selectionEnd, "end");
        $("prompt").focus();
        check();
      });
      return chip;
    }));
  }

  function check() {
    const prompt = $("prompt").value;
    const unknown = [...prompt.matchAll(/\{\{|\}\}|\{([^{}]*)\}/g)].map((m) => m[1]?.trim()).find((n) => n !== undefined && sample && !Object.hasOwn(sample, n));
    const reason = mistake ? mistake : !sample ? (usesFile() ? "Choose a file first." : "Paste at least one line.")
      : !prompt.trim() ? "Write a prompt."
      : unknown !== undefined ? `There is no column {${unknown}}.` : "";
    $("run").disabled = Boolean(reason);
    $("hint").textContent = reason;
    $("preview").hidden = Boolean(reason);
    const filled = reason ? "" : prompt.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (m, n) => n === undefined ? m[0] : sample[n.trim()]);
    if (!reason) $("preview").textContent = `First row: ${filled}`;
    $("estimate").textContent = reason ? "" : Estimate.words(form.dataset, rows, filled.length);
  }

  async function send(path, options) {
    $("error").hidden = true;
    $("run").disabled = $("example").disabled = true;
    $("hint").textContent = "Sending…";
    try {
      const made = await Live.api(path, { method: "POST", ...options });
      location.assign(`/predictions/${made.id}`);
    } catch (error) {
      $("error").textContent = error.message;
      $("error").hidden = false;
      $("example").disabled = false;
      check();
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new FormData();
    body.set("prompt", $("prompt").value);
    body.set("name", $("name").value || (usesFile() ? "" : "Pasted lines"));
    if (usesFile()) body.set("file", $("file").files[0]);
    else body.set("lines", $("lines").value);
    send("/api/predictions", { body });
  });
  $("example").addEventListener("click", () => send("/api/predictions/example", {}));
  for (const radio of form.elements.source) radio.addEventListener("change", changedSource);
  $("file").addEventListener("change", changedSource);
  $("lines").addEventListener("input", changedSource);
  $("prompt").addEventListener("input", check);

  // A file may be dropped anywhere on the page.
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      $("file-field").classList.toggle("over", name === "dragover");
      if (name !== "drop" || !event.dataTransfer.files.length) return;
      form.elements.source.value = "file";
      $("file").files = event.dataTransfer.files;
      changedSource();
    });
  }

  changedSource();
})();
