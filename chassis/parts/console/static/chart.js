// One figure as a tile: its name, its value now, and the last hour as a line or two.
"use strict";

window.Tile = class {
  static WIDTH = 300;
  static HEIGHT = 60;
  static POINTS = 150; // more than there are pixels to show
  static LEAST_SECONDS = 120;

  /** `of`: the figures' names, at most two; `as`: their words; `beside`: those of the second; `least`: a full height. */
  constructor({ name, of, as, beside, least }) {
    Object.assign(this, { name, of, as, second: beside, least, at: [], series: [] });
    this.element = document.createElement("figure");
    this.element.className = "tile";
    this.caption = document.createElement("figcaption");
    this.when = Object.assign(document.createElement("span"), { className: "when" });
    this.caption.append(name, this.when);
    this.value = Object.assign(document.createElement("p"), { className: "value" });
    this.number = document.createTextNode("–");
    this.beside = document.createElement("small");
    this.value.append(this.number, this.beside);
    this.draw();
    this.element.append(this.caption, this.value, this.svg);
  }

  draw() {
    const make = (kind, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      return element;
    };
    const viewBox = `0 0 ${Tile.WIDTH} ${Tile.HEIGHT}`;
    this.svg = make("svg", { viewBox, preserveAspectRatio: "none", role: "img", "aria-label": this.name });
    this.area = make("path", { class: "area" });
    this.lines = this.of.map((_, at) => make("path", { class: at ? "second" : "first" }));
    this.cross = make("line", { y1: 0, y2: Tile.HEIGHT, visibility: "hidden" });
    this.svg.append(this.area, ...this.lines.reverse(), this.cross);
    this.lines.reverse();
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.leave());
  }

  /** Show the present figures. */
  now(figures) {
    this.present = this.of.map((name) => figures[name] ?? null);
    if (!this.pointed) this.say(this.present);
  }

  say(values) {
    const words = values.map((value) => this.as(value));
    if (this.number.data !== words[0]) this.number.data = words[0];
    if (this.second) Words.put(this.beside, this.second(words[1]));
  }

  /** Draw the samples: `at` in seconds, and the figures' values by name. */
  show(at, series) {
    this.at = at;
    this.series = this.of.map((name) => series[name] ?? []);
    if (!at.length) return;
    this.end = at.at(-1);
    this.span = Math.max(this.end - at[0], Tile.LEAST_SECONDS);
    const highest = Math.max(this.least, ...this.series.flat().filter((value) => value !== null)) * 1.08;
    const paths = this.series.map((values) => this.path(values, highest));
    paths.forEach(({ line }, index) => this.lines[index].setAttribute("d", line));
    this.area.setAttribute("d", paths[0].area);
    const said = this.of.map((_, index) => this.as(this.series[index].at(-1))).join(" and ");
    this.svg.setAttribute("aria-label", `${this.name} over the last hour, at the end ${said}`);
  }

  x(seconds) {
    return Math.round((1 - (this.end - seconds) / this.span) * Tile.WIDTH * 10) / 10;
  }

  /** A line through the highest of each few samples, with gaps where nothing was observed. */
  path(values, highest) {
    const group = Math.ceil(values.length / Tile.POINTS);
    let line = "";
    let area = "";
    let run = [];
    const end = () => {
      if (!run.length) return;
      const text = run.join("L");
      line += `M${text}${run.length === 1 ? "h1" : ""}`;
      area += `M${run[0].split(" ")[0]} ${Tile.HEIGHT}L${text}L${run.at(-1).split(" ")[0]} ${Tile.HEIGHT}Z`;
      run = [];
    };
    for (let first = 0; first < values.length; first += group) {
      const some = values.slice(first, first + group).filter((value) => value !== null);
      if (!some.length) { end(); continue; }
      const y = Tile.HEIGHT * (1 - Math.max(...some) / highest);
      run.push(`${this.x(this.at[Math.min(first + group, values.length) - 1])} ${Math.round(y * 10) / 10}`);
    }
    end();
    return { line, area };
  }

  point(event) {
    if (!this.at.length) return;
    const box = this.svg.getBoundingClientRect();
    const seconds = this.end - this.span * (1 - (event.clientX - box.left) / box.width);
    let nearest = this.at.findIndex((at) => at >= seconds);
    if (nearest < 0) nearest = this.at.length - 1;
    this.pointed = true;
    Words.put(this.when, Words.time(this.at[nearest] * 1000));
    this.say(this.series.map((values) => values[nearest]));
    for (const end of ["x1", "x2"]) this.cross.setAttribute(end, this.x(this.at[nearest]));
    this.cross.setAttribute("visibility", "visible");
  }

  leave() {
    this.pointed = false;
    Words.put(this.when, "");
    this.cross.setAttribute("visibility", "hidden");
    if (this.present) this.say(this.present);
  }
};
