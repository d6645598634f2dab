// The view in the page's address, such as ?failed=true&row=12, so that it can be linked, and Back works.
"use strict";

window.Address = class {
  /** `show(view)` is called when the visitor goes back or forward. */
  constructor(show) {
    addEventListener("popstate", () => show(this.view));
  }

  get view() {
    return Object.fromEntries(new URLSearchParams(location.search));
  }

  /** Change parts of the view; an empty part is left out. `replace` adds no step to go back to. */
  set(changes, { replace = false } = {}) {
    const all = Object.entries({ ...this.view, ...changes }).filter(([, value]) => value);
    const query = new URLSearchParams(all).toString();
    if (query === new URLSearchParams(location.search).toString()) return;
    history[replace ? "replaceState" : "pushState"](null, "", query ? `?${query}` : location.pathname);
  }
};
