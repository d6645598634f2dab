// A list of what the API returns in pages: fetched again as often as needed, once at a time, with a button for more.
"use strict";

window.Listing = class {
  static PAGE = 50;

  /** `item(one)` returns the element of an entry; `more` is the button; `told(total)` is called with the number. */
  constructor(path, element, more, { item, told = () => {} }) {
    Object.assign(this, { path, element, more, item, told, pages: 1, loading: null, again: false });
    more.addEventListener("click", () => {
      this.pages += 1;
      this.load();
    });
  }

  /** Fetch what is shown; called again meanwhile, it fetches once more. */
  load() {
    this.again = true;
    this.loading ??= this.#fetch().finally(() => { this.loading = null; });
    return this.loading;
  }

  async #fetch() {
    while (this.again) {
      this.again = false;
      const numbers = Array.from({ length: this.pages }, (_, at) => at + 1);
      const found = await Promise.all(numbers.map((page) => Live.api(`${this.path}?per_page=${Listing.PAGE}&page=${page}`)));
      this.element.replaceChildren(...found.flatMap(({ items }) => items).map((one) => this.item(one)));
      this.more.hidden = found[0].total <= this.pages * Listing.PAGE;
      this.told(found[0].total);
    }
  }
};
