// Search and the failed-only filter: they select rows of the table, and are part of the page's address.
"use strict";

window.RowSearch = class {
  static TYPING_MS = 250;

  /** `changed(view)` is called when the visitor asks for other rows. */
  constructor(changed) {
    const $ = (id) => document.getElementById(id);
    Object.assign(this, { text: $("search"), failed: $("only-failed"), found: $("found") });
    const tell = () => { clearTimeout(this.timer); changed(this.view); };
    $("find").addEventListener("submit", (event) => { event.preventDefault(); tell(); });
    this.failed.addEventListener("change", tell);
    this.text.addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(tell, RowSearch.TYPING_MS); });
  }

  get view() {
    return { search: this.text.value.trim(), failed: this.failed.checked ? "true" : "" };
  }

  /** Set the fields to what a view asks for; return the API's parameters, or null if it asks for all rows. */
  show({ search = "", failed = "" }) {
    if (this.text.value.trim() !== search) this.text.value = search;
    this.failed.checked = failed === "true";
    this.found.textContent = "";
    const asked = { ...(search && { search }), ...(failed === "true" && { failed }) };
    return search || failed === "true" ? new URLSearchParams(asked) : null;
  }

  tell(total) {
    this.found.textContent = `${Words.count(total, "row")} found`;
  }
};
