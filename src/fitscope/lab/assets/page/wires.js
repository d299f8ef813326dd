// The weights: lines between the cards, as wide as they are large, warm or cool by their sign.

import { colours } from "../draw/colours.js";
import { biasIndex, weightIndex } from "../model/names.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {{column: number, unit: number, left: number, right: number, x: number, y: number, side: number, wide: number}} Place
 *  of a card: its map's top left corner, height (side) and width, and where lines arrive and leave */
/** @typedef {{column: number, unit: number}} Spot column 0 is that of the inputs */
/** @typedef {{layer: number, unit: number, input: number, index: number, x0: number, y0: number, x1: number, y1: number}} Wire */

const FLOOR = 1; // a network whose weights are all smaller draws no wide lines
const MOST_ROWS = 2000; // looked through for the largest weight
const N_PIECES = 20; // of a line, when its distance is measured
const THIN = 0.6;
const FAINTEST = { light: 0.3, dark: 0.45 }; // of the colours, for a weight near 0

/** All lines of a diagram, on one canvas. */
export class Wires {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Wire[]} */
    this.wires = [];
    /** @type {(Place & {index: number})[]} */
    this.biases = [];
    this.largest = FLOOR;
    this.widest = 6;
    this.strength = 1; // of the colours: less where many lines cross
  }

  /** Takes the places of a run's cards.
   * @param {Run} run @param {Place[][]} columns @param {{width: number, height: number}} size */
  set(run, columns, { width, height }) {
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.wires = columns.slice(1).flatMap((units, layer) => units.flatMap((unit) => columns[layer].map((input) => wireOf(run, layer, unit, input))));
    this.biases = columns.slice(1).flatMap((units, layer) => units.map((place) => ({ ...place, index: biasIndex(run.sizes, layer, place.unit) })));
    this.largest = largestOf(run, [...this.wires, ...this.biases].map(({ index }) => index));
    const n = this.wires.length;
    this.widest = n <= 16 ? 7 : n <= 64 ? 5 : n <= 120 ? 3.6 : 2.6;
    this.strength = n <= 64 ? 1 : 0.75;
  }

  /** @param {ArrayLike<number>} params @param {Spot|null} spot whose lines are pointed out @param {Wire|null} wire */
  draw(params, spot, wire) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const scale = devicePixelRatio || 1;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.lineCap = "butt";
    const [cool, warm] = [colours.classColour(0), colours.classColour(1)];
    for (const one of this.wires) {
      const value = params[one.index];
      if (!Number.isFinite(value)) continue;
      const share = this.share(value);
      context.globalAlpha = this.strength * alphaOf(one, share, spot, wire);
      context.lineWidth = THIN + share * (this.widest - THIN) + (one === wire ? 1.5 : 0);
      context.strokeStyle = value < 0 ? cool : warm;
      trace(context, one);
    }
    this.#drawBiases(context, params, cool, warm);
  }

  /** Under each map, from its middle: to the right where the bias is positive.
   * @param {CanvasRenderingContext2D} context @param {ArrayLike<number>} params @param {string} cool @param {string} warm */
  #drawBiases(context, params, cool, warm) {
    context.globalAlpha = 1;
    for (const { x, y, side, wide, index } of this.biases) {
      const value = params[index];
      const [middle, top] = [x + wide / 2, y + side + 2];
      context.fillStyle = colours.inks().grid;
      context.fillRect(x, top + 1, wide, 1);
      context.fillStyle = value < 0 ? cool : warm;
      const length = Math.min(1, this.share(value)) * (wide / 2);
      if (length > 0) context.fillRect(value < 0 ? middle - length : middle, top, Math.max(1.5, length), 3);
    }
  }

  /** How large a number is beside the largest of the run.
   * @param {number} value */
  share(value) {
    const share = Math.abs(value) / this.largest;
    return Number.isFinite(share) ? Math.min(1.25, share) : 0;
  }

  /** The line nearest to a place, if it is near.
   * @param {number} x @param {number} y @param {number} reach
   * @returns {Wire|null} */
  near(x, y, reach) {
    let [best, least] = [/** @type {Wire|null} */ (null), reach];
    for (const wire of this.wires) {
      if (x < wire.x0 || x > wire.x1) continue;
      const distance = distanceTo(wire, x, y);
      if (distance < least) [best, least] = [wire, distance];
    }
    return best;
  }
}

/** @param {Run} run @param {number} layer @param {Place} unit @param {Place} input @returns {Wire} */
function wireOf(run, layer, unit, input) {
  return {
    ...{ layer, unit: unit.unit, input: input.unit },
    index: weightIndex(run.sizes, layer, unit.unit, input.unit),
    ...{ x0: input.right, y0: input.y + input.side / 2, x1: unit.left, y1: unit.y + unit.side / 2 },
  };
}

/** Of the numbers that are shown, over all recorded steps.
 * @param {Run} run @param {number[]} indices */
function largestOf(run, indices) {
  const stride = Math.max(1, Math.floor(run.t / MOST_ROWS));
  let most = FLOOR;
  for (let row = run.t - 1; row >= 0; row -= stride) {
    for (const index of indices) {
      const size = Math.abs(run.params[row * run.p + index]);
      if (size > most && size < Infinity) most = size;
    }
  }
  return most;
}

/** @param {Wire} one @param {number} share @param {Spot|null} spot @param {Wire|null} wire */
function alphaOf(one, share, spot, wire) {
  const least = FAINTEST[colours.mode];
  const full = least + (0.92 - least) * Math.sqrt(Math.min(1, share));
  if (wire) return one === wire ? 1 : 0.4 * full;
  if (!spot) return full;
  if (one.layer + 1 === spot.column && one.unit === spot.unit) return Math.max(0.6, full);
  return one.layer === spot.column && one.input === spot.unit ? 0.75 * full : 0.1;
}

/** A line that leaves and arrives level.
 * @param {CanvasRenderingContext2D} context @param {Wire} wire */
function trace(context, { x0, y0, x1, y1 }) {
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  context.stroke();
}

/** @param {Wire} wire @param {number} x @param {number} y */
function distanceTo({ x0, y0, x1, y1 }, x, y) {
  let least = Infinity;
  let [fromX, fromY] = [x0, y0];
  for (let i = 1; i <= N_PIECES; i++) {
    const t = i / N_PIECES;
    const toX = x0 + (x1 - x0) * (1.5 * t - 1.5 * t * t + t * t * t);
    const toY = y0 + (y1 - y0) * (3 * t * t - 2 * t * t * t);
    least = Math.min(least, distanceToPiece(fromX, fromY, toX, toY, x, y));
    [fromX, fromY] = [toX, toY];
  }
  return least;
}

/** @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} x @param {number} y */
function distanceToPiece(ax, ay, bx, by, x, y) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
