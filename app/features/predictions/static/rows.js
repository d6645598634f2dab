// A table of any length: only visible rows have elements, and rows are fetched when they become visible.
// The grid itself keeps the focus and names its active row, so that a row can be removed while scrolling.
"use strict";

window.RowTable = class {
  static CHUNK = 200;
  static MARGIN = 8;
  static WORDS = { pending: "waiting", running: "in progress" };

  constructor({ grid, space, total, columns, fetchRows, onOpen, onFound }) {
    Object.assign(this, { grid, space, total, columns, fetchRows, onOpen, onFound });
    this.selected = null;
    this.running = new Set();
    this.opening = null;
    this.head = grid.firstElementChild;
    this.drawn = new Map();
    this.old = new Map();
    this.active = 0;
    this.refresh();
    this.resize();
    grid.style.setProperty("--inputs", columns.length);
    grid.addEventListener("scroll", () => this.schedule());
    addEventListener("resize", () => this.resize());
    grid.addEventListener("keydown", (event) => this.onKey(event));
    space.addEventListener("click", (event) => {
      const element = event.target.closest("[data-position]");
      if (!element) return;
      grid.focus({ preventScroll: true });
      this.open(Number(element.dataset.position));
    });
  }

  /** Show another selection of rows: `fetchRows` returns `{ items, total }` by their place in it; null shows all rows. */
  select(fetchRows, total) {
    this.selected = fetchRows;
    this.rows = new Map();
    this.old = new Map();
    this.asked = new Set();
    this.drawn.forEach((element) => element.remove());
    this.drawn.clear();
    this.active = 0;
    this.grid.scrollTop = 0;
    this.setTotal(total);
    this.schedule();
  }

  /** Show which rows without an answer are being asked. */
  setRunning(positions) {
    if (positions.length === this.running.size && positions.every((position) => this.running.has(position))) return;
    this.running = new Set(positions);
    this.schedule();
  }

  setTotal(total) {
    if (this.total === total) return;
    this.total = total;
    this.grid.setAttribute("aria-rowcount", total + 1);
    this.resize();
  }

  /** Add rows of the whole batch; of a selection, only those change that are shown. Of two states of a row the one that finished later is newer, whatever the order of arrival. */
  put(rows) {
    for (const row of rows) {
      const place = this.selected ? this.placeOf(row) : row.position;
      const known = this.rows.get(place);
      if (place !== null && (row.finish_no ?? 0) >= (known?.finish_no ?? 0)) this.rows.set(place, row);
    }
    this.schedule();
  }

  placeOf(row) {
    for (const [place, shown] of this.rows) if (shown.position === row.position) return place;
    return null;
  }

  /** Fetch the visible rows again; the known ones are shown until then. */
  refresh() {
    for (const [position, row] of this.rows ?? []) this.old.set(position, row);
    this.rows = new Map();
    this.asked = new Set();
    this.schedule();
  }

  /** Call onOpen(row, place) with a row, once it is here. */
  open(position) {
    this.opening = this.within(position);
    this.activate(position);
  }

  within(position) {
    return Math.min(this.total - 1, Math.max(0, position));
  }

  /** The height of the rows in sight, which the head covers no part of. */
  get sight() {
    return this.grid.clientHeight - this.head.offsetHeight;
  }

  at(position) {
    return this.rows.get(position) ?? this.old.get(position);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.sight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.total, End: this.total };
    if (event.key === "Enter" || event.key === " ") this.open(this.active);
    else if (event.key in steps) this.activate(this.active + steps[event.key]);
    else return;
    event.preventDefault();
  }

  activate(position) {
    this.active = this.within(position);
    const [top, { scrollTop }, sight] = [this.active * this.height, this.grid, this.sight];
    if (top < scrollTop) this.grid.scrollTop = top;
    if (top + this.height > scrollTop + sight) this.grid.scrollTop = top + this.height - sight;
    this.draw();
  }

  resize() {
    this.height = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row-height"));
    this.space.style.height = `${this.total * this.height}px`;
    this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    const { MARGIN, CHUNK } = RowTable;
    const inSight = Math.ceil(this.sight / this.height);
    const first = Math.max(0, Math.floor(this.grid.scrollTop / this.height) - MARGIN);
    const last = Math.min(this.total, first + inSight + 2 * MARGIN);
    for (const [position, element] of this.drawn) {
      if (position < first || position >= last) { element.remove(); this.drawn.delete(position); }
    }
    for (let position = first; position < last; position += 1) this.drawRow(position);
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < last; chunk += 1) this.fetchChunk(chunk);
    if (this.drawn.has(this.active)) this.grid.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.grid.removeAttribute("aria-activedescendant");
    const opened = this.opening === null ? null : this.at(this.opening);
    if (!opened) return;
    this.opening = null;
    this.onOpen(opened, this.active);
  }

  async fetchChunk(chunk) {
    const { asked } = this;
    if (asked.has(chunk)) return;
    asked.add(chunk);
    try {
      const { selected } = this;
      const { items, total } = await (selected ?? this.fetchRows)(chunk * RowTable.CHUNK, RowTable.CHUNK);
      if (asked !== this.asked) return;
      if (!selected) return this.put(items);
      items.forEach((row, at) => this.rows.set(chunk * RowTable.CHUNK + at, row));
      this.setTotal(total);
      this.onFound?.(total);
      this.schedule();
    } catch {
      setTimeout(() => { asked.delete(chunk); this.schedule(); }, 2000);
    }
  }

  drawRow(position) {
    let element = this.drawn.get(position);
    if (!element) {
      element = this.newElement(position);
      this.drawn.set(position, element);
      this.space.append(element);
    }
    element.style.top = `${position * this.height}px`;
    element.classList.toggle("active", position === this.active);
    const row = this.at(position);
    const status = row?.status === "pending" && this.running.has(row.position) ? "running" : row?.status;
    if (!row || element.shown === row && element.status === status) return;
    Object.assign(element, { shown: row, status });
    element.firstElementChild.textContent = row.position + 1;
    const { inputs, output, badge } = element.parts;
    inputs.forEach((cell, i) => { cell.textContent = row.input[this.columns[i]]; });
    output.textContent = row.output ?? row.error ?? "";
    output.classList.toggle("failure", row.status === "failed");
    badge.dataset.status = status;
    badge.textContent = row.cached ? "cached" : RowTable.WORDS[status] ?? status;
  }

  newElement(position) {
    const element = document.createElement("div");
    const cell = (className) => {
      const made = document.createElement("span");
      made.setAttribute("role", "gridcell");
      made.dir = "auto";
      made.className = className;
      element.append(made);
      return made;
    };
    element.className = "grid-row";
    element.id = `row-${position}`;
    element.setAttribute("role", "row");
    element.setAttribute("aria-rowindex", position + 2);
    element.dataset.position = position;
    cell("number").textContent = this.selected ? "" : position + 1;
    const inputs = this.columns.map(() => cell("input"));
    const output = cell("output");
    const badge = document.createElement("span");
    badge.className = "badge";
    cell("state").append(badge);
    element.parts = { inputs, output, badge };
    return element;
  }
};
