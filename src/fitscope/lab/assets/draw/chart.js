// Two axes on a canvas, and the marks between them.

import { colours } from "./colours.js";
import { drawAxes, drawGrid, layout } from "./axes.js";
import { entriesOf } from "./legend.js";
import { drawMark } from "./marks.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("./axes.js").Options} Options */
/** @typedef {import("./axes.js").Axis} Axis */
/** @typedef {import("./axes.js").Layout} Layout */
/** @typedef {import("./marks.js").Mark} Mark */

/** Axes that draw marks as fast as a step follows the other. */
export class Chart {
  /**
   * @param {HTMLCanvasElement} canvas its CSS size comes from the stylesheet
   * @param {Options} options
   */
  constructor(canvas, options) {
    this.options = options;
    /** @type {readonly Mark[]} */
    this.marks = [];
    this.key = "";
    this.sheet = new Sheet(canvas, () => this.redraw());
    this.layout = this.laidOut();
  }

  /** Changes axes, ranges, the title or the legend; `draw` or `redraw` shows it.
   * @param {Partial<Options>} changed */
  set(changed) {
    this.options = { ...this.options, ...changed };
    this.layout = this.laidOut();
  }

  /** Clears the canvas and draws; the marks are kept and drawn again when its size changes.
   * @param {readonly Mark[]} marks */
  draw(marks) {
    this.marks = marks;
    const { sheet, options } = this;
    if (!sheet.clear()) return;
    this.layout = this.laidOut();
    const { box, x, y } = this.layout;
    const inks = colours.inks();
    const filled = marks.some((mark) => mark.kind === "image");
    const grid = !options.bare && !filled && options.grid !== false;
    if (grid) drawGrid(sheet, this.layout, inks, Boolean(options.equal));
    const place = { sheet, box, x, y, inks, ground: filled ? colours.white : inks.paper };
    this.drawClipped(marks, place);
    if (!options.bare) drawAxes(sheet, options, this.layout, inks, filled);
  }

  /** Marks within the box; points and texts whole, so that none is cut at its edge.
   * @param {readonly Mark[]} marks @param {import("./marks.js").Place} place */
  drawClipped(marks, place) {
    const { ctx } = this.sheet;
    const { left, top, width, height } = place.box;
    let clipped = false;
    for (const mark of marks) {
      const whole = mark.kind === "points" || mark.kind === "text";
      if (clipped && whole) ctx.restore();
      if (!clipped && !whole) {
        ctx.save();
        ctx.beginPath();
        ctx.rect(left, top, width, height);
        ctx.clip();
      }
      clipped = !whole;
      drawMark(place, mark);
    }
    if (clipped) ctx.restore();
  }

  /** Draws the last marks again: after `set`, or when the page turned dark. */
  redraw() {
    this.draw(this.marks);
  }

  /** @returns {Layout} as the last one, where nothing that it depends on has changed */
  laidOut() {
    const { options, sheet } = this;
    const entries = options.legend === false || options.bare ? [] : entriesOf(this.marks);
    const names = entries.map((entry) => entry.name + entry.sample);
    const axes = [options.x, options.y].map(({ range, ...rest }) => [range[0], range[1], rest]);
    const key = JSON.stringify([
      sheet.key,
      axes,
      names,
      options.title,
      options.equal,
      options.bare,
    ]);
    const same = key === this.key;
    this.key = key;
    const made = same ? this.layout : layout(sheet, options, entries);
    made.head.placed.forEach((place) => {
      const { entry } = place;
      if (entry) place.entry = entries.find(({ name }) => name === entry.name) ?? entry;
    });
    return made;
  }

  /** What stands at a place of the canvas. @param {number} px @param {number} py in CSS pixels
   * @returns {[number, number]} */
  toData(px, py) {
    return [this.layout.x.value(px), this.layout.y.value(py)];
  }

  /** Where a place of the data stands. @param {number} x @param {number} y
   * @returns {[number, number]} CSS pixels from the canvas' top left; NaN where it has none */
  toPixel(x, y) {
    return [this.layout.x.pixel(x), this.layout.y.pixel(y)];
  }

  /** Whether a place of the canvas lies between the axes. @param {number} px @param {number} py */
  inside(px, py) {
    const { left, top, width, height } = this.layout.box;
    return px >= left && px <= left + width && py >= top && py <= top + height;
  }

  /**
   * Follows the pointer between the axes.
   * @param {(x: number, y: number, px: number, py: number) => void} tell
   * @param {() => void} [leave] when it leaves them
   * @returns {() => void} ends it
   */
  onHover(tell, leave) {
    const { canvas } = this.sheet;
    let within = false;
    const out = () => {
      if (within) leave?.();
      within = false;
    };
    const move = (/** @type {PointerEvent} */ event) => {
      const [px, py] = [event.offsetX, event.offsetY];
      if (!this.inside(px, py)) return out();
      within = true;
      tell(...this.toData(px, py), px, py);
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerdown", move);
    canvas.addEventListener("pointerleave", out);
    return () => {
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerdown", move);
      canvas.removeEventListener("pointerleave", out);
    };
  }

  /** Says what the picture shows to those who do not see it. @param {string} text */
  describe(text) {
    this.sheet.describe(text);
  }

  /** Stops following the canvas' size. */
  close() {
    this.sheet.close();
  }
}
