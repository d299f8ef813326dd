// What every unit answers over the inputs: a small map on its card, or a curve for one input.

import { colours, ramp, tint } from "../draw/colours.js";
import { fieldImage, unitImage } from "../draw/field.js";
import { probabilities } from "../model/net.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/moment.js").Field} Field */
/** @typedef {{column: number, unit: number, side: number, wide: number, canvas: HTMLCanvasElement}} Mapped side is the height */
/** @typedef {{values: Float64Array, kind: string, ramp: Uint8ClampedArray|null}} Answer kind is the activation whose ends the colours have */

const SHADES = 256;
const STRONGEST = 0.75; // of a class's colour, where it is certain
const PIXELS = 0.75; // of a map, a pixel of the page: the rest is smooth anyway

/** Paints the maps of all cards of one moment.
 * @param {Moment} moment @param {Mapped[][]} columns */
export function paintMaps(moment, columns) {
  const { run } = moment;
  if (!run.dataset.y.length) return columns.flat().forEach(({ canvas }) => blank(canvas));
  const field = moment.picture;
  const last = columns.length - 1;
  for (const [c, cards] of columns.entries()) {
    if (!cards.length) continue;
    const coarse = field.ys ? coarser(field, cards[0].side) : field;
    const every = c === last ? outputsOf(run, coarse) : null;
    for (const card of cards) {
      const answer = c === 0 ? inputOf(moment, coarse, card.unit) : every ? every(card.unit) : hiddenOf(run, coarse, c - 1, card.unit);
      if (field.ys) paintMap(card.canvas, run, coarse, answer);
      else paintCurve(card, run, coarse, answer);
    }
  }
}

/** Every so many places of a field: as many as a small map shows.
 * @param {Field} field @param {number} side of the map, in pixels of the page
 * @returns {Field & {stride: number, fine: number}} */
function coarser(field, side) {
  const stride = Math.max(1, Math.floor(field.side / Math.max(24, side * PIXELS)));
  return { ...field, side: Math.floor((field.side - 1) / stride) + 1, stride, fine: field.side };
}

/** @param {any} field @param {Float64Array} values @returns {Float64Array} */
function taken({ side, stride, fine, ys }, values) {
  if (!ys || stride === 1) return values;
  const made = new Float64Array(side * side);
  for (let i = 0, to = 0; i < side; i++) {
    for (let j = 0, from = i * stride * fine; j < side; j++, from += stride) made[to++] = values[from];
  }
  return made;
}

/** An input answers itself: from its least to its greatest value. One that no axis shows stands at
 * its median all over the plane, and is white.
 * @param {Moment} moment @param {Field} field @param {number} unit @returns {Answer} */
function inputOf(moment, field, unit) {
  const { side } = field;
  const axis = moment.features.indexOf(unit);
  const values = new Float64Array(field.ys ? side * side : side).fill(0.5);
  if (axis >= 0) {
    for (let i = 0; i < values.length; i++) {
      values[i] = (axis === 0 ? i % side : Math.floor(i / side)) / (side - 1);
    }
  }
  return { values, kind: "sigmoid", ramp: null };
}

/** @param {Run} run @param {Field} field @param {number} layer @param {number} unit @returns {Answer} */
function hiddenOf(run, field, layer, unit) {
  return { values: taken(field, field.pass.hidden[layer][unit]), kind: run.activation, ramp: null };
}

/** @param {Run} run @param {Field} field @returns {(unit: number) => Answer} */
function outputsOf(run, field) {
  const out = field.pass.out.map((values) => taken(field, values));
  if (run.dataset.task === "regression") return () => ({ values: out[0], kind: "value", ramp: null });
  const chances = probabilities(out);
  if (run.dataset.task === "binary") return () => ({ values: chances[1], kind: "sigmoid", ramp: null });
  return (unit) => ({ values: chances[unit], kind: "sigmoid", ramp: ramp([colours.white, tint(colours.classColour(unit), STRONGEST)], SHADES) });
}

/** @param {Run} run @param {Field} field @param {Answer} answer */
function imageOf(run, field, { values, kind, ramp: own }) {
  if (kind === "value") return fieldImage(run, field, [values]);
  return own ? shaded(values, own, field.side) : unitImage(values, kind, field.side);
}

/** @param {HTMLCanvasElement} canvas @param {Run} run @param {Field} field @param {Answer} answer */
function paintMap(canvas, run, field, answer) {
  const image = imageOf(run, field, answer);
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** Shares from 0 to 1 in the colours of a class; the top row is the highest y.
 * @param {Float64Array} shares @param {Uint8ClampedArray} shades @param {number} side */
function shaded(shares, shades, side) {
  const rows = shares.length / side;
  const image = new ImageData(side, rows);
  for (let i = 0; i < shares.length; i++) {
    const to = 4 * ((rows - 1 - Math.floor(i / side)) * side + (i % side));
    const shade = 3 * Math.round(Math.max(0, Math.min(1, shares[i])) * (SHADES - 1));
    if (Number.isNaN(shade)) continue;
    for (let c = 0; c < 3; c++) image.data[to + c] = shades[shade + c];
    image.data[to + 3] = 255;
  }
  return image;
}

const strip = document.createElement("canvas");

/** The curve over its own colours.
 * @param {Mapped} card @param {Run} run @param {Field} field @param {Answer} answer */
function paintCurve({ canvas, side, wide }, run, field, answer) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(wide * scale), Math.round(side * scale)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paintMap(strip, run, field, answer);
  context.drawImage(strip, 0, 0, width, height);
  const [low, high] = endsOf(run, answer);
  const margin = 0.1 * (high - low);
  context.beginPath();
  for (const [j, value] of answer.values.entries()) {
    const y = (high + margin - value) / (high - low + 2 * margin);
    context.lineTo((j / (answer.values.length - 1)) * width, Math.max(-1, Math.min(2, y)) * height);
  }
  context.lineWidth = 1.5 * scale;
  context.strokeStyle = colours.line;
  context.stroke();
}

/** From where to where a unit answers: its activation's ends, or those of the training targets.
 * @param {Run} run @param {Answer} answer @returns {[number, number]} */
function endsOf({ dataset }, { values, kind }) {
  if (kind === "sigmoid") return [0, 1];
  if (kind === "tanh") return [-1, 1];
  const seen = kind === "value" ? dataset.y.subarray(0, dataset.nTrain) : values;
  let [low, high] = [Infinity, -Infinity];
  for (const value of seen) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (kind === "value") return high > low ? [low, high] : [low - 1, low + 1];
  const most = Math.max(Math.abs(low), Math.abs(high));
  return most > 0 && most < Infinity ? [-most, most] : [-1, 1];
}

/** Of a run without its samples nobody knows where its inputs lie.
 * @param {HTMLCanvasElement} canvas */
function blank(canvas) {
  canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
}
