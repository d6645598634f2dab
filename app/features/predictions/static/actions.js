// The buttons of a batch: each calls the API, and shows its refusal.
"use strict";

window.BatchActions = class {
  /** `changed(batch, queued)` is called with the batch after a change; `queued` if its rows run again. */
  constructor(base, changed) {
    Object.assign(this, { base, changed, error: document.getElementById("error"), dialog: document.getElementById("rename-dialog") });
    this.on("cancel", () => this.post("cancel", {}).then(changed));
    this.on("continue", () => this.post("requeue", {}).then((batch) => changed(batch, true)));
    this.on("retry", () => this.post("requeue", { failed: true }).then((batch) => changed(batch, true)));
    this.on("again", () => this.post("run-again", {}).then(({ id }) => location.assign(`/predictions/${id}`)));
    this.on("delete", () => this.remove());
    this.on("rename", () => this.askName());
    this.dialog.addEventListener("close", () => { if (this.dialog.returnValue === "save") this.run(() => this.rename()); });
  }

  on(id, act) {
    document.getElementById(id).addEventListener("click", () => this.run(act));
  }

  async run(act) {
    this.error.hidden = true;
    try {
      await act();
    } catch (error) {
      this.error.textContent = error.message;
      this.error.hidden = false;
    }
  }

  async remove() {
    const { textContent: name } = document.getElementById("name");
    const question = `Delete the batch “${name}” with all its answers?`;
    if (!await ask(question, { then: "This cannot be undone.", label: "Delete batch" })) return;
    await Live.api(this.base, { method: "DELETE" });
    location.assign("/predictions");
  }

  askName() {
    document.getElementById("new-name").value = document.getElementById("name").textContent;
    this.dialog.returnValue = ""; // it keeps what the dialog returned before
    this.dialog.showModal();
  }

  async rename() {
    const name = document.getElementById("new-name").value;
    this.changed(await this.send("PATCH", this.base, { name }));
  }

  post(path, body) {
    return this.send("POST", `${this.base}/${path}`, body);
  }

  send(method, path, body) {
    return Live.api(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }
};
