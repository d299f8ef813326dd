// The lines of the first layer's units in the data's units, clipped to a window, as in `analysis/lines.py`.

import { biasIndex, unitName, weightIndex } from "./names.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {{w: number[], b: number, name: string}} Line on where w . x + b > 0, for x in the data's own units */

/**
 * Weights and bias of every unit of the first layer, for inputs in the data's own units.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @returns {Line[]}
 */
export function linesOf(run, params) {
  const { sizes, dataset } = run, { mean, scale } = dataset;
  return Array.from({ length: sizes[1] }, (_, unit) => {
    const w = Array.from({ length: sizes[0] }, (_, i) => params[weightIndex(sizes, 0, unit, i)] / scale[i]);
    const b = params[biasIndex(sizes, 0, unit)] - w.reduce((sum, wi, i) => sum + wi * mean[i], 0);
    return { w, b, name: unitName(run, 0, unit) };
  });
}

/**
 * Both ends, on the window's border, of the line w[0] x + w[1] y + b = 0; null where it does not cross.
 * @param {number[]} w
 * @param {number} b
 * @param {{x: number[], y: number[]}} window [left, right] and [bottom, top]
 * @returns {[[number, number], [number, number]]|null}
 */
export function clipLine(w, b, { x: [left, right], y: [bottom, top] }) {
  const width = right - left, height = top - bottom, length = Math.hypot(w[0] * width, w[1] * height);
  if (!(length > 0) || length === Infinity || !Number.isFinite(b)) return null;
  // In a window whose sides are 1 (Liang and Barsky 1984); n is of length 1.
  const n = [(w[0] * width) / length, (w[1] * height) / length];
  const offset = (w[0] * left + w[1] * bottom + b) / length, middle = (n[0] + n[1]) / 2 + offset;
  const foot = [0.5 - middle * n[0], 0.5 - middle * n[1]], along = [-n[1], n[0]];
  const [enter, leave] = stay(foot, along);
  if (!(enter < leave)) return null;
  /** @type {(t: number) => [number, number]} */
  const at = (t) => [left + unit(foot[0] + t * along[0]) * width, bottom + unit(foot[1] + t * along[1]) * height];
  return [at(enter), at(leave)];
}

/**
 * From where to where a line is inside the unit square.
 * @param {number[]} foot
 * @param {number[]} along
 */
function stay(foot, along) {
  let enter = -Infinity, leave = Infinity;
  for (const c of [0, 1]) {
    if (along[c] === 0) {
      if (foot[c] < 0 || foot[c] > 1) return [1, 0];
      continue;
    }
    const ends = [-foot[c] / along[c], (1 - foot[c]) / along[c]];
    enter = Math.max(enter, Math.min(...ends));
    leave = Math.min(leave, Math.max(...ends));
  }
  return [enter, leave];
}

/** @param {number} value */
function unit(value) {
  return Math.min(1, Math.max(0, value));
}
