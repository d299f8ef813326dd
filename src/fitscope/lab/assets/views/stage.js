// A chart in two layers: what stays for a whole run below, what follows the step above it.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { drawMark } from "../draw/marks.js";
import { Sheet } from "../draw/sheet.js";
import { el } from "../page/dom.js";

/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {import("../draw/axes.js").Options} Options */

const EMPTY = { x: { range: [0, 1] }, y: { range: [0, 1] } };

/** The lower layer is drawn when told to, the upper one for every step. */
export class Stage {
  /** @param {HTMLCanvasElement} canvas which is put into the stage
   * @param {{focus?: boolean}} [options] focus: whether the keyboard reaches the upper layer */
  constructor(canvas, { focus = false } = {}) {
    this.top = el("canvas", { class: "over", "aria-hidden": !focus && "true", tabindex: focus && "0" });
    this.root = el("div", { class: "stage" });
    canvas.replaceWith(this.root);
    this.root.append(canvas, this.top);
    this.chart = new Chart(canvas, EMPTY);
    /** @type {() => void} */
    this.redraw = () => {};
    this.sheet = new Sheet(this.top, () => this.redraw());
    this.key = "";
  }

  /** Draws the lower layer, where what it depends on has changed.
   * @param {string} key @param {() => {options: Options, marks: Mark[]}} made */
  lower(key, made) {
    if (key === this.key) return false;
    this.key = key;
    const { options, marks } = made();
    this.chart.set(options);
    this.chart.draw(marks);
    return true;
  }

  /** Draws the upper layer; `more` draws by hand where marks do not suffice.
   * @param {readonly Mark[]} marks @param {(ctx: CanvasRenderingContext2D) => void} [more] */
  upper(marks, more) {
    const { sheet, chart } = this;
    this.redraw = () => this.upper(marks, more);
    if (!sheet.clear()) return;
    const { box, x, y } = chart.layout;
    const filled = chart.marks.some((mark) => mark.kind === "image");
    const inks = colours.inks();
    const place = { sheet, box, x, y, inks, ground: filled ? colours.white : inks.paper };
    const { ctx } = sheet;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left - 8, box.top - 8, box.width + 16, box.height + 16);
    ctx.clip();
    for (const mark of marks) drawMark(place, mark);
    ctx.restore();
    more?.(ctx);
  }

  /** Follows the pointer over both layers.
   * @param {(x: number, y: number, px: number, py: number) => void} tell @param {() => void} leave */
  onHover(tell, leave) {
    const move = (/** @type {PointerEvent} */ event) => {
      const [px, py] = [event.offsetX, event.offsetY];
      if (!this.chart.inside(px, py)) return leave();
      tell(...this.chart.toData(px, py), px, py);
    };
    this.top.addEventListener("pointermove", move);
    this.top.addEventListener("pointerdown", move);
    this.top.addEventListener("pointerleave", leave);
  }

  /** Follows clicks within the axes. @param {(x: number, y: number) => void} tell */
  onClick(tell) {
    this.top.addEventListener("click", ({ offsetX, offsetY }) => {
      if (this.chart.inside(offsetX, offsetY)) tell(...this.chart.toData(offsetX, offsetY));
    });
  }
}
