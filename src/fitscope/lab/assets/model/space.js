// Where the samples lie for a hidden layer, and where its answers meet the border: as in `analysis/space.py`.

import { medianOf } from "./moment.js";
import { biasIndex, unitNames, weightIndex } from "./names.js";
import { dot, leadingDirection } from "./principal.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./net.js").Pass} Pass */
/**
 * @typedef {object} HiddenSpace
 * @property {Float64Array[]} answers one array an axis, a number a sample, training first
 * @property {string[]} names h1, h2, ... or PC 1 (80 %), ...
 * @property {number[]} low the least answer along each axis: of the activation, or of the data with a margin
 * @property {number[]} high
 * @property {boolean} bounded whether the activation itself keeps the answers between low and high
 * @property {number[][]} border corners of where the network's logit is 0: a point, the ends of a line, or a polygon
 *   in order; none where no such border is shown
 * @property {string} note what the border is, and what is left out
 */
/** @typedef {{v: Float64Array, c: number}} Border the logit v . a + c over the answers a */

const MOST_AXES = 3;
/** @type {Record<string, [number, number]>} */
const RANGES = { sigmoid: [0, 1], tanh: [-1, 1] };

/**
 * The samples as a hidden layer sees them: a point a sample, an axis a unit or a principal component, at most three.
 * After the last hidden layer of a net for two classes its decision is a plane; units that are left out stand at
 * their medians, components at 0.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @param {Pass} pass the answers to all samples, as `Moment.samples` gives them
 * @param {{layer?: number, units?: number[]|null, pca?: boolean}} [options]
 *   layer: 0 is the first hidden one; units: which, from 0, default the first three; pca: default where there are more
 * @returns {HiddenSpace}
 */
export function hiddenSpace(run, params, pass, options = {}) {
  const { layer = 0, units = null } = options, A = pass.hidden[layer];
  const pca = options.pca ?? (units === null && A.length > MOST_AXES);
  if (!pass.n) throw new Error("The hidden space needs the data; this run was saved without it.");
  const isFinite = A.every((column) => column.every(Number.isFinite));
  if (!isFinite) throw new Error("The hidden space needs finite numbers; at this step they are not.");
  const border = borderAfter(run, params, layer);
  return pca ? componentSpace(A, border) : unitSpace(run, A, border, layer, units);
}

/** @param {number} n */
function firstAxes(n) {
  return Array.from({ length: Math.min(MOST_AXES, n) }, (_, i) => i);
}

/** @param {Run} run @param {Float64Array[]} A @param {Border|null} border @param {number} layer @param {number[]|null} chosen @returns {HiddenSpace} */
function unitSpace(run, A, border, layer, chosen) {
  const units = chosen ?? firstAxes(A.length);
  const bounded = run.activation in RANGES, names = unitNames(run)[layer + 1];
  const box = units.map((u) => (bounded ? RANGES[run.activation] : around(A[u])));
  const rest = A.map((column, u) => (units.includes(u) ? 0 : medianOf(column)));
  const corners = border ? cut(Array.from(units, (u) => border.v[u]), border.c + dot(border.v, rest), box) : [];
  const isPart = units.length < A.length;
  const leftOut = isPart && !chosen ? `the first ${units.length} of ${A.length} units` : "";
  return {
    answers: units.map((u) => A[u]), names: units.map((u) => names[u]), low: box.map(([low]) => low),
    high: box.map(([, high]) => high), bounded, border: corners,
    note: [borderNote(border, units.length, isPart ? ", other units at their medians" : ""), leftOut].filter(Boolean).join("; "),
  };
}

/** @param {Float64Array[]} A @param {Border|null} border @returns {HiddenSpace} */
function componentSpace(A, border) {
  const { answers, directions, shares, means } = components(A, MOST_AXES);
  const box = answers.map(around), isPart = answers.length < A.length;
  const offset = border ? border.c + dot(border.v, means) : 0;
  return {
    answers, names: shares.map((share, i) => `PC ${i + 1} (${Math.round(100 * share)}%)`),
    low: box.map(([low]) => low), high: box.map(([, high]) => high), bounded: false,
    border: border ? cut(directions.map((direction) => dot(direction, border.v)), offset, box) : [],
    note: borderNote(border, answers.length, isPart ? ", other components at 0" : ""),
  };
}

/** @param {Border|null} border @param {number} nAxes @param {string} others */
function borderNote(border, nAxes, others) {
  return border ? `${["point", "line", "plane"][nAxes - 1]}: probability 0.5${others}` : "";
}

/**
 * Weights and bias of the logit after the last hidden layer of a net for two classes, else null.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @param {number} layer
 * @returns {Border|null}
 */
function borderAfter({ sizes, dataset }, params, layer) {
  const last = sizes.length - 2;
  if (dataset.task !== "binary" || layer !== last - 1) return null;
  const v = Float64Array.from({ length: sizes[last] }, (_, i) => params[weightIndex(sizes, last, 0, i)]);
  return { v, c: params[biasIndex(sizes, last, 0)] };
}

/**
 * The first principal components of some columns, each with its share of the variance; signs as scikit-learn's.
 * @param {Float64Array[]} A one array a column
 * @param {number} most
 */
export function components(A, most) {
  const n = A[0].length, means = Float64Array.from(A, (column) => column.reduce((sum, a) => sum + a, 0) / n);
  const centred = A.map((column, u) => column.map((a) => a - means[u]));
  const S = scatterMatrix(centred), total = S.reduce((sum, row, u) => sum + row[u], 0) || 1;
  /** @type {Float64Array[]} */
  const directions = [], shares = [];
  while (directions.length < Math.min(most, A.length, n)) {
    const product = (/** @type {Float64Array} */ v) => Float64Array.from(S, (row) => dot(row, v));
    const { direction, size } = leadingDirection(product, A.length, directions);
    directions.push(signed(direction));
    shares.push(size / total);
  }
  const answers = directions.map((direction) => {
    const along = new Float64Array(n);
    centred.forEach((column, u) => column.forEach((a, i) => (along[i] += direction[u] * a)));
    return along;
  });
  return { answers, directions, shares, means };
}

/** @param {Float64Array[]} columns */
function scatterMatrix(columns) {
  const S = columns.map(() => new Float64Array(columns.length));
  columns.forEach((column, u) => {
    for (let w = 0; w <= u; w++) S[u][w] = S[w][u] = dot(column, columns[w]);
  });
  return S;
}

/** Turned so that its largest number is positive.
 * @param {Float64Array} direction */
function signed(direction) {
  const largest = direction.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
  return largest < 0 ? direction.map((x) => -x) : direction;
}

/** A range around some answers, with a margin of 5 % on each side.
 * @param {Float64Array} column @returns {[number, number]} */
function around(column) {
  const low = column.reduce((a, b) => Math.min(a, b)), high = column.reduce((a, b) => Math.max(a, b));
  const margin = 0.05 * (high > low ? high - low : 1);
  return [low - margin, high + margin];
}

/**
 * The corners of w . a + c = 0 in a box: where it meets the box's edges.
 * @param {number[]} w
 * @param {number} c
 * @param {[number, number][]} box
 * @returns {number[][]}
 */
function cut(w, c, box) {
  const m = w.length, corners = Array.from({ length: 2 ** m }, (_, i) => box.map((range, axis) => range[(i >> (m - 1 - axis)) & 1]));
  const side = corners.map((corner) => dot(corner, w) + c);
  /** @type {number[][]} */
  const found = [];
  for (let i = 0; i < corners.length; i++) {
    for (let bit = 1; bit < corners.length; bit *= 2) {
      const j = i | bit;
      if (j === i || side[i] * side[j] > 0 || side[i] === side[j]) continue;
      const t = side[i] / (side[i] - side[j]);
      found.push(corners[i].map((a, axis) => a + t * (corners[j][axis] - a)));
    }
  }
  return found.length < m ? [] : inOrder(different(found), w); // fewer: it misses the box, or touches a corner
}

/** @param {number[][]} points */
function different(points) {
  const sorted = points.sort(firstDifference);
  return sorted.filter((point, i) => !i || point.some((x, axis) => x !== sorted[i - 1][axis]));
}

/** @param {number[]} a @param {number[]} b */
function firstDifference(a, b) {
  const axis = a.findIndex((x, i) => x !== b[i]);
  return axis < 0 ? 0 : a[axis] - b[axis];
}

/** The corners of a plane polygon, one after the other around its middle.
 * @param {number[][]} points @param {number[]} w */
function inOrder(points, w) {
  if (w.length < 3) return points;
  const middle = w.map((_, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const away = points.map((point) => point.map((x, axis) => x - middle[axis]));
  const across = away.reduce((best, arrow) => (dot(arrow, arrow) > dot(best, best) ? arrow : best));
  const length = Math.sqrt(dot(w, w)), [x, y, z] = w.map((value) => value / length);
  const up = [y * across[2] - z * across[1], z * across[0] - x * across[2], x * across[1] - y * across[0]];
  const angles = away.map((arrow) => Math.atan2(dot(arrow, up), dot(arrow, across)));
  return points.map((_, i) => i).sort((i, j) => angles[i] - angles[j]).map((i) => points[i]);
}
