// The whole of one row, in a dialog with the rows before and after it.
"use strict";

window.RowDetails = class {
  /** `step(by)` opens another row; `closed()` is called when the dialog was closed. */
  constructor({ step, closed }) {
    this.parts = Object.fromEntries(["detail", "detail-title", "detail-list", "previous", "next", "copy", "copied"]
      .map((id) => [id, document.getElementById(id)]));
    this.parts.previous.addEventListener("click", () => step(-1));
    this.parts.next.addEventListener("click", () => step(1));
    this.parts.copy.addEventListener("click", () => this.copy());
    this.parts.detail.addEventListener("close", () => { this.row = null; closed(); });
  }

  /** Show a row; `first` and `last` say whether it has no neighbour on that side. */
  show(row, { first, last }) {
    this.fill(row);
    this.parts.previous.disabled = first;
    this.parts.next.disabled = last;
    this.parts.copied.textContent = "";
    if (!this.parts.detail.open) this.parts.detail.showModal();
    this.parts.detail.scrollTop = 0;
  }

  close() {
    this.parts.detail.close();
  }

  /** Show what is new of the open row. */
  update(rows) {
    const row = this.row && rows.find(({ position }) => position === this.row.position);
    if (row) this.fill(row);
  }

  fill(row) {
    this.row = row;
    this.parts["detail-title"].textContent = `Row ${row.position + 1}`;
    this.parts.copy.hidden = !row.output || !navigator.clipboard; // which only pages by HTTPS have
    const entries = [...Object.entries(row.input), ["Status", row.cached ? `${row.status}, from the cache` : row.status],
      ["Answer", row.output], ["Error", row.error], ["Model", row.model]];
    this.parts["detail-list"].replaceChildren(...entries.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) => [
      Object.assign(document.createElement("dt"), { textContent: name, dir: "auto" }),
      Object.assign(document.createElement("dd"), { textContent: value, dir: "auto" }),
    ]));
  }

  async copy() {
    await navigator.clipboard.writeText(this.row.output).catch(() => null);
    this.parts.copied.textContent = "Copied";
  }
};
