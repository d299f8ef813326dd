// Paints what a network, or one unit of it, answers over the plane of two inputs.

import { probabilities } from "../model/net.js";
import { colours, rgb } from "./colours.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/moment.js").Field} Field */

const SHADES = 256;
const STRONGEST = 0.65; // of a class's colour, where it is certain; its points are darker

/**
 * The answer over a field: a binary one's probability of class 1, the likeliest of several classes
 * (paler where less sure), or a regression's value (white in the middle of the training targets).
 * Of a single input, one row.
 * @param {Run} run
 * @param {Field} field
 * @param {Float64Array[]|null} answers logits or values to paint in place of the field's own
 * @returns {ImageData} its top row is the highest y
 */
export function fieldImage(run, field, answers) {
  const out = answers ?? field.pass.out;
  const width = field.side;
  const height = field.ys ? field.side : 1;
  if (run.dataset.task === "regression") return shaded(scaledValues(run, out[0]), width, height);
  const chances = probabilities(out);
  if (chances.length === 2) return shaded(chances[1], width, height);
  return likeliest(chances, width, height);
}

/**
 * What a unit says: warm where yes, white where undecided, cool where no.
 * @param {ArrayLike<number>} values row-major from the lowest y
 * @param {string} activation "sigmoid", "tanh", "relu" or "identity"; the last two, which have no
 *   ends, are scaled by their largest answer
 * @param {number} side
 * @returns {ImageData} its top row is the highest y
 */
export function unitImage(values, activation, side) {
  const half = activation === "sigmoid" ? 0.5 : activation === "tanh" ? 1 : largest(values);
  const middle = activation === "sigmoid" ? 0.5 : 0;
  const shares = new Float64Array(values.length);
  for (let i = 0; i < shares.length; i++) shares[i] = 0.5 + (values[i] - middle) / (2 * half);
  return shaded(shares, side, values.length / side);
}

/** The largest finite size; 1 where all are 0, so that a dead unit is white.
 * @param {ArrayLike<number>} values */
function largest(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > most && size < Infinity) most = size;
  }
  return most || 1;
}

/** Values as shares of the range of the training targets; of their own where a file has no data.
 * @param {Run} run @param {Float64Array} values */
function scaledValues(run, values) {
  const targets = run.dataset.y.length ? run.dataset.y : values;
  const end = run.dataset.y.length ? run.dataset.nTrain : values.length;
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < end; i++) {
    if (targets[i] < low) low = targets[i];
    if (targets[i] > high) high = targets[i];
  }
  const width = high > low ? high - low : 1;
  const middle = high >= low ? (low + high) / 2 : 0;
  return values.map((value) => 0.5 + (value - middle) / width);
}

/** Shares from 0 to 1 in the colours of a field; what is not a number is left out.
 * @param {ArrayLike<number>} shares row-major from the lowest y
 * @param {number} width @param {number} height */
function shaded(shares, width, height) {
  const shades = words(colours.fieldRamp(SHADES));
  return painted(width, height, (i) => {
    const share = shares[i];
    if (!(share > 0)) return share <= 0 ? shades[0] : 0;
    return shades[share < 1 ? Math.round(share * (SHADES - 1)) : SHADES - 1];
  });
}

/**
 * The colour of the likeliest class.
 * @param {Float64Array[]} chances
 * @param {number} width
 * @param {number} height
 */
function likeliest(chances, width, height) {
  const k = chances.length;
  const shades = chances.map((_, index) => words(towardsWhite(colours.classColour(index))));
  return painted(width, height, (i) => {
    let best = 0;
    for (let c = 1; c < k; c++) if (chances[c][i] > chances[best][i]) best = c;
    const sure = (chances[best][i] - 1 / k) / (1 - 1 / k);
    return sure >= 0 ? shades[best][Math.round(Math.min(sure, 1) * (SHADES - 1))] : 0;
  });
}

/** @param {string} colour */
function towardsWhite(colour) {
  const [own, white] = [rgb(colour), rgb(colours.white)];
  const made = new Uint8ClampedArray(3 * SHADES);
  for (let i = 0; i < made.length; i++) {
    const share = (STRONGEST * Math.floor(i / 3)) / (SHADES - 1);
    made[i] = white[i % 3] + (own[i % 3] - white[i % 3]) * share;
  }
  return made;
}

/** Each colour as one opaque pixel, in this machine's order of bytes.
 * @param {Uint8ClampedArray} ramp */
function words(ramp) {
  const bytes = new Uint8ClampedArray((ramp.length / 3) * 4);
  for (let i = 0; i < ramp.length / 3; i++) {
    bytes.set(ramp.subarray(3 * i, 3 * i + 3), 4 * i);
    bytes[4 * i + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

/** @param {number} width @param {number} height @param {(i: number) => number} pixelOf */
function painted(width, height, pixelOf) {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < height; row++) {
    const to = (height - 1 - row) * width;
    for (let j = 0; j < width; j++) pixels[to + j] = pixelOf(row * width + j);
  }
  return image;
}
