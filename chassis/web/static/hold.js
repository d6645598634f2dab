// Keeps a list still while somebody points at it or has the focus in it: new entries are offered by a button instead.
"use strict";

window.Hold = class {
  /** `area` is the list, `note` a hidden button of class `fresh` that is not in it, and `apply()` brings the list up to date. */
  constructor(area, note, apply) {
    Object.assign(this, { area, note, apply, waiting: false });
    const leave = () => setTimeout(() => { if (this.waiting && !this.held) this.release(); });
    area.addEventListener("pointerleave", leave);
    area.addEventListener("focusout", leave);
    note.addEventListener("click", () => this.release());
  }

  /** Whether the entries must stay where they are. */
  get held() {
    return this.area.matches(":hover") || this.area.contains(document.activeElement);
  }

  /** Offer the changes that wait, in words such as "12 new jobs". */
  offer(words) {
    this.waiting = true;
    if (this.note.textContent !== words) this.note.textContent = words;
    this.note.hidden = false;
  }

  /** Forget what was offered, since the list is up to date. */
  settle() {
    this.waiting = false;
    this.note.hidden = true;
  }

  release() {
    this.settle();
    this.apply();
  }
};
