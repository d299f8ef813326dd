// Losses over a plane as colours: which range, on which scale, and a bar that says so.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { el } from "../page/dom.js";

/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {{low: number, high: number, isLog: boolean}} Heights */

const LEAST = 1e-6; // of the largest loss: what lies below is drawn alike on a log scale
const SHADES = 256;
const N_LEVELS = 14;
const ROOM = { at: [NaN], labels: ["0.000"] }; // beside the bar, for half of its first number

/** The range of losses that is drawn, and whether their logarithms are.
 * @param {ArrayLike<number>} values @returns {Heights} */
export function heightsOf(values) {
  let [low, high] = [Infinity, 0];
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  high ||= 1;
  low = Math.min(low, high);
  const isLog = high > 10 * low;
  if (isLog) low = Math.max(low, LEAST * high);
  return high <= low * (1 + 1e-9) ? { low: 0.9 * low, high: 1.1 * high, isLog } : { low, high, isLog };
}

/** How high a loss stands: itself, or its decimal logarithm, within the range.
 * @param {number} value @param {Heights} heights */
export function heightOf(value, { low, high, isLog }) {
  const kept = Math.min(high, Math.max(low, value));
  return isLog ? Math.log10(kept) : kept;
}

/** The colours of a square of losses; what is no number is left out.
 * @param {ArrayLike<number>} values row-major from the lowest y @param {number} side
 * @param {Heights} heights @param {Uint8ClampedArray} [ramp] from the lowest to the highest */
export function heatImage(values, side, heights, ramp = colours.lossRamp(SHADES)) {
  const image = new ImageData(side, values.length / side);
  const [bottom, top] = [heightOf(heights.low, heights), heightOf(heights.high, heights)];
  const last = ramp.length / 3 - 1;
  for (let k = 0; k < values.length; k += 1) {
    if (Number.isNaN(values[k])) continue;
    const row = image.height - 1 - Math.floor(k / side);
    const shade = Math.round((last * (heightOf(values[k], heights) - bottom)) / (top - bottom));
    const to = 4 * (row * side + (k % side));
    image.data.set(ramp.subarray(3 * shade, 3 * shade + 3), to);
    image.data[to + 3] = 255;
  }
  return image;
}

/** Losses at which a line is drawn, of equal ratio or of equal distance. @param {Heights} heights */
export function levelsOf({ low, high, isLog }) {
  return Float64Array.from({ length: N_LEVELS }, (_, i) => {
    const share = (i + 0.5) / N_LEVELS;
    return isLog ? low * (high / low) ** share : low + (high - low) * share;
  });
}

/** A bar of the colours, with the present loss on it. */
export class ColourBar {
  constructor() {
    this.canvas = el("canvas", { class: "colour-bar", role: "img", "aria-label": "Colours of the losses" });
    this.chart = new Chart(this.canvas, { x: { range: [0, 1] }, y: { range: [0, 1], ticks: ROOM } });
    /** @type {Mark[]} */
    this.marks = [];
  }

  /** @param {Heights} heights @param {string} label @param {Uint8ClampedArray} [ramp] */
  show({ low, high, isLog }, label, ramp = colours.lossRamp(SHADES)) {
    const image = new ImageData(ramp.length / 3, 1);
    for (let i = 0; i < image.width; i += 1) image.data.set([...ramp.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    this.chart.set({ x: { label, range: [low, high], scale: isLog ? "log" : "linear" } });
    this.marks = [{ kind: "image", image, x: [low, high], y: [0, 1] }];
    this.chart.describe(`Colours: ${label}, from ${low.toPrecision(3)} (dark) to ${high.toPrecision(3)} (light).`);
    this.chart.draw(this.marks);
  }

  /** @param {number} loss */
  point(loss) {
    const { range } = this.chart.options.x;
    const x = Math.min(range[1], Math.max(range[0], loss));
    const { line } = colours;
    this.chart.draw([...this.marks, { kind: "rule", x, colour: colours.white, width: 5 }, { kind: "rule", x, colour: Number.isFinite(loss) ? colours.highlight : line, width: 2.5 }]);
  }
}
