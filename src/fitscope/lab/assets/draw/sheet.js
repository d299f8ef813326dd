// A canvas that is as sharp as the screen and follows its own size on the page.

import { colours } from "./colours.js";

/** @typedef {CanvasRenderingContext2D} Context */

/** The 2-D context of a canvas in CSS pixels, redrawn whenever the size or sharpness changes. */
export class Sheet {
  /** @param {HTMLCanvasElement} canvas its CSS size comes from the stylesheet
   * @param {() => void} redraw */
  constructor(canvas, redraw) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser draws no 2-D canvas.");
    this.canvas = canvas;
    this.ctx = context;
    this.ratio = 1;
    this.width = 0;
    this.height = 0;
    this.family = "sans-serif";
    this.fit(canvas.clientWidth, canvas.clientHeight);
    // Drawing within the observer's call comes before the page is painted: nothing flickers.
    this.observer = new ResizeObserver((entries) => {
      const { inlineSize, blockSize } = entries[entries.length - 1].contentBoxSize[0];
      if (this.fit(inlineSize, blockSize)) redraw();
    });
    this.observer.observe(canvas);
  }

  /** Whether anything changed. @param {number} width @param {number} height */
  fit(width, height) {
    const ratio = Math.min(Math.max(globalThis.devicePixelRatio || 1, 1), 4);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    this.family = getComputedStyle(this.canvas).fontFamily || this.family;
    Object.assign(this, { width, height, ratio });
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
    return true;
  }

  /** Empties the sheet; false where there is nothing to draw on. */
  clear() {
    this.fit(this.width, this.height);
    if (!(this.width >= 1 && this.height >= 1)) return false;
    this.ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.ctx.globalAlpha = 1;
    this.ctx.setLineDash([]);
    return true;
  }

  /** The width of the thinnest line, in CSS pixels. */
  get hair() {
    return Math.max(1, Math.floor(this.ratio * 0.75)) / this.ratio;
  }

  /** Where a thin line stands so that it covers whole pixels. @param {number} place */
  crisp(place) {
    const odd = Math.round(this.hair * this.ratio) % 2;
    return (Math.round(place * this.ratio - odd / 2) + odd / 2) / this.ratio;
  }

  /** @param {number} size in pixels @param {number} [weight] */
  font(size, weight = 400) {
    return `${weight} ${size}px ${this.family}`;
  }

  /** Says what the picture shows to those who do not see it. @param {string} text */
  describe(text) {
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", text);
  }

  /** What the layout depends on besides its options. */
  get key() {
    return `${this.width} ${this.height} ${this.ratio} ${this.family} ${colours.mode}`;
  }

  close() {
    this.observer.disconnect();
  }
}

/**
 * A text that fits a width, cut where it does not.
 * @param {Context} ctx
 * @param {string} text
 * @param {number} width
 */
export function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}
