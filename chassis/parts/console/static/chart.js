// A figure: its name, its current value, and a chart with axes, units, markers, and a crosshair that all charts share.
// With the focus on it, the arrow keys, Home and End read the values.
"use strict";

window.Tile = class {
  static HEIGHT = 150;
  static KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  static markers = []; // [{at, text}], the same in all charts
  static range = null; // [from, to] in seconds

  /** `of`: at most two figures' names; `as`: formats a value; `beside`: formats the second; `least`: minimum scale. */
  constructor({ name, of, as, beside, least }) {
    Object.assign(this, { name, of, as, second: beside, least, data: [[], ...of.map(() => [])] });
    this.element = document.createElement("figure");
    this.element.className = "tile";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", `${name}; the arrow keys read the values`);
    const caption = document.createElement("figcaption");
    this.when = Object.assign(document.createElement("span"), { className: "when" });
    caption.append(name, this.when);
    const value = Object.assign(document.createElement("p"), { className: "value" });
    this.number = document.createTextNode("–");
    this.beside = document.createElement("small");
    value.append(this.number, this.beside);
    this.spoken = Object.assign(document.createElement("p"), { className: "visually-hidden" });
    this.spoken.setAttribute("aria-live", "polite");
    this.place = Object.assign(document.createElement("div"), { className: "chart" });
    this.element.append(caption, value, this.place, this.spoken);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("blur", () => this.plot?.setCursor({ left: -10, top: -10 }, true, true));
  }

  /** Draw the empty chart; the element must be in the page by now. */
  begin() {
    const grid = { stroke: () => Tile.colours.line, width: 1 };
    const axis = { stroke: () => Tile.colours.quiet, grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const lines = this.of.map((name, at) => ({
      label: name, stroke: () => at ? Tile.colours.warn : Tile.colours.accent, width: 1.6, dash: at ? [4, 3] : undefined,
      fill: at ? undefined : () => Tile.colours.soft, points: { show: (plot) => plot.data[0].length < 4, size: 4 }, spanGaps: false,
    }));
    this.plot = new uPlot({
      width: this.place.clientWidth, height: Tile.HEIGHT, legend: { show: false }, padding: [6, 18, 0, 0],
      cursor: { sync: { key: "console" }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: (plot, from, to) => Tile.range ?? [from, to] },
        y: { range: (plot, from, to) => [0, Math.max(this.least, to ?? 0) * 1.08] },
      },
      axes: [{ ...axis, size: 24, space: 60, values: (plot, times) => times.map((at) => Words.time(at * 1000).slice(0, 5)) }, { ...axis, size: 58, space: 34, values: (plot, values) => values.map((value) => this.as(value)) }],
      series: [{}, ...lines],
      hooks: { setCursor: [() => this.point()], draw: [(plot) => this.mark(plot)] },
    }, this.data, this.place);
    new ResizeObserver(() => {
      const width = this.place.clientWidth;
      if (width && width !== this.plot.width) this.plot.setSize({ width, height: Tile.HEIGHT });
    }).observe(this.place);
  }

  /** Show the current figures. */
  now(figures) {
    this.present = this.of.map((name) => figures[name] ?? null);
    if (this.plot?.cursor.idx === null || this.plot?.cursor.idx === undefined) this.say(this.present);
  }

  say(values) {
    const words = values.map((value) => this.as(value));
    if (this.number.data !== words[0]) this.number.data = words[0];
    if (this.second) Words.put(this.beside, this.second(words[1]));
  }

  /** Draw the samples: `at` in seconds, and the figures' values by name. */
  show(at, series) {
    this.data = [at, ...this.of.map((name) => series[name] ?? at.map(() => null))];
    this.plot.setData(this.data);
  }

  /** Say the values under the crosshair, or the current ones without it. */
  point() {
    const at = this.plot?.cursor.idx;
    if (at === null || at === undefined || this.plot.cursor.left < 0) {
      Words.put(this.when, "");
      if (this.present) this.say(this.present);
      return;
    }
    Words.put(this.when, Words.time(this.data[0][at] * 1000));
    this.say(this.data.slice(1).map((values) => values[at]));
  }

  key(event) {
    const step = Tile.KEYS[event.key];
    const [at] = this.data;
    if (step === undefined || !at.length) return;
    event.preventDefault();
    const from = this.plot.cursor.idx ?? at.length;
    const to = Math.min(at.length - 1, Math.max(0, from + step));
    this.plot.setCursor({ left: this.plot.valToPos(at[to], "x"), top: 10 }, true, true); // in all charts
    const values = this.data.slice(1).map((one) => this.as(one[to]));
    Words.put(this.spoken, `${Words.time(at[to] * 1000)}: ${values.join(", ")}`);
  }

  /** Draw the starts of workers: a line each, whose words are in the list below the charts. */
  mark(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = Tile.colours.warn;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { at } of Tile.markers) {
      const x = Math.round(plot.valToPos(at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Read the page's colours, which a canvas cannot name. */
  static paint() {
    const probe = document.createElement("span");
    document.body.append(probe);
    Tile.colours = Object.fromEntries(["accent", "warn", "quiet", "line", "soft"].map((name) => {
      probe.className = `colour-${name}`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
  }
};
