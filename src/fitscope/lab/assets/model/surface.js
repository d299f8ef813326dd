// The loss over two parameters, or over a plane through them all, and the path through it: as in `analysis/surface.py`.

import { linspace } from "./moment.js";
import { biasIndex, general, parameterNames, weightIndex } from "./names.js";
import { meanLoss, Net } from "./net.js";
import { dot, leadingDirection, norm, normals, unitVector, without } from "./principal.js";
import { LOSSES, paramsAt } from "./run.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {[number, number]} Range */
/**
 * @typedef {object} Plane the parameters at (x, y) are origin + x axes[0] + y axes[1]
 * @property {"exact"|"parameters"|"pca"|"random"} kind exact where the plane holds all parameters
 * @property {[string, string]} axisNames
 * @property {Float64Array} origin
 * @property {[Float64Array, Float64Array]} axes
 * @property {Range} xRange around the path
 * @property {Range} yRange
 * @property {[number, number]} explained share of the path's variance along the first axis, and what the second adds
 * @property {{x: number, y: number, loss: number}|null} optimum
 * @property {string} note how much of the path lies in the plane, or where the optimum is
 */
/** @typedef {{rows: Int32Array, u: Float64Array, v: Float64Array, distance: Float64Array}} Path distance: from the parameters to the plane */
/** @typedef {{loss?: string, sample?: number, sliceMs?: number}} Effort sample: how many training samples at most; default: as many as take about two seconds */
/** @typedef {{xs: Float64Array, ys: Float64Array, values: Float64Array, nUsed: number, n: number}} LossGrid values[i*side + j] is the loss at (xs[j], ys[i]), on nUsed of n training samples */

const MOST_AROUND = 1000; // places of the path that the window goes around
const MOST_NUMBERS = 4e6; // of the path, of which the principal directions are taken
const MOST_WORK = 2e9; // sums and exponentials: about two seconds
const FEWEST = 64; // samples, whatever the work
const SLICE_MS = 8; // half a frame

/**
 * The plane over which the loss is drawn: all parameters where there are two; two `parameters`, by place or name, the
 * others as they are at `row`; else the plane through the end along the first two principal directions of the path,
 * or, for a path of no length, along two random ones. Random directions are drawn otherwise than in Python.
 * @param {Run} run
 * @param {{kind?: "exact"|"pca"|"random", parameters?: (number|string)[], row?: number, optimum?: {params: ArrayLike<number>, loss: number}|null, span?: number, seed?: number}} [options]
 *   optimum: what `/api/optimum` found, which an exact plane shows; span: how many times the default ranges
 * @returns {Plane}
 */
export function planeOf(run, options = {}) {
  const { kind, parameters, row = run.t - 1, optimum = null, span = 1, seed = 0 } = options;
  const rows = finiteRows(run), here = Float64Array.from(paramsAt(run, lastOf(rows, row)));
  const moved = hasMoved(run, rows);
  const chosen = parameters ? "parameters" : kind ?? (run.p === 2 ? "exact" : moved ? "pca" : "random");
  if (chosen === "exact" && run.p !== 2) throw new Error(`This plane needs a model with two parameters; this one has ${run.p}.`);
  if (chosen === "pca" && !moved) throw new Error("This path has no length, so it has no directions; take a random plane.");
  const place = {
    exact: () => exactPlane(run),
    parameters: () => parameterPlane(run, parameters ?? [], here),
    pca: () => principalPlane(run, rows, seed),
    random: () => randomPlane(run, here, seed),
  }[chosen]();
  const best = chosen === "exact" && optimum ? optimum : null;
  const path = projected(run, place, spread(rows.length, MOST_AROUND).map((i) => rows[i]));
  const [xRange, yRange] = windowAround(path, chosen, best?.params ?? null, span);
  const explained = explainedBy(run, rows, place.axes);
  const note = chosen === "exact" ? foundNote(best) : shareNote(explained, path.distance);
  const shown = best && { x: best.params[0], y: best.params[1], loss: best.loss };
  return { kind: chosen, ...place, xRange, yRange, explained, optimum: shown, note };
}

/**
 * The recorded path as places on the plane: at most `most` rows, evenly taken, those that are finite.
 * @param {Run} run
 * @param {Plane} plane
 * @param {number} [most]
 * @returns {Path}
 */
export function pathOn(run, plane, most = 2000) {
  const rows = finiteRows(run);
  return projected(run, plane, spread(rows.length, most).map((i) => rows[i]));
}

/**
 * The nearest point of the plane, and how far the parameters are from it.
 * @param {Plane} plane
 * @param {ArrayLike<number>} params
 */
export function placeOn({ origin, axes: [a, b] }, params) {
  const away = origin.map((value, i) => params[i] - value);
  const aa = dot(a, a), ab = dot(a, b), bb = dot(b, b), det = aa * bb - ab * ab;
  const ya = dot(away, a), yb = dot(away, b);
  const u = (bb * ya - ab * yb) / det, v = (aa * yb - ab * ya) / det;
  return { u, v, distance: norm(away.map((value, i) => value - u * a[i] - v * b[i])) };
}

/**
 * The loss on the training part over a plane; hands over the number of rows done after each slice of time.
 * @param {Run} run
 * @param {Plane} plane
 * @param {Effort & {side: number, xRange?: Range, yRange?: Range}} options
 * @returns {Generator<number, LossGrid, void>}
 */
export function* lossGrid(run, plane, { side, xRange = plane.xRange, yRange = plane.yRange, ...effort }) {
  const xs = linspace(...xRange, side), ys = linspace(...yRange, side);
  const paramsOf = (/** @type {number} */ k) => paramsFrom(plane, xs[k % side], ys[Math.floor(k / side)]);
  const work = lossesAt(run, paramsOf, side * side, effort);
  for (;;) {
    const { done, value } = work.next();
    if (done) return { xs, ys, ...value };
    yield Math.floor(value / side);
  }
}

/**
 * The loss at every place of a path: at the parameters themselves, or at the nearest points of the plane.
 * @param {Run} run
 * @param {Plane} plane
 * @param {Path} path
 * @param {Effort & {onPlane?: boolean}} [options]
 * @returns {Generator<number, {values: Float64Array, nUsed: number, n: number}, void>}
 */
export function pathLosses(run, plane, path, { onPlane = false, ...effort } = {}) {
  const paramsOf = (/** @type {number} */ k) =>
    onPlane ? paramsFrom(plane, path.u[k], path.v[k]) : paramsAt(run, path.rows[k]);
  return lossesAt(run, paramsOf, path.rows.length, effort);
}

/**
 * The parameters at a place of the plane.
 * @param {Plane} plane
 * @param {number} x
 * @param {number} y
 * @returns {Float64Array}
 */
function paramsFrom({ origin, axes: [a, b] }, x, y) {
  return origin.map((value, i) => value + x * a[i] + y * b[i]);
}

/**
 * @param {Run} run
 * @param {(k: number) => ArrayLike<number>} paramsOf
 * @param {number} count
 * @param {Effort} effort
 * @returns {Generator<number, {values: Float64Array, nUsed: number, n: number}, void>}
 */
function* lossesAt(run, paramsOf, count, { loss = run.loss, sample, sliceMs = SLICE_MS }) {
  const { columns, y, weights, nUsed, n } = trainingSample(run, sample ?? affordable(run, count));
  const { task } = run.dataset;
  if (!LOSSES[task].includes(loss)) throw new Error(`The loss \`${loss}\` has no meaning for ${task}.`);
  const net = new Net(run.sizes, run.activation), values = new Float64Array(count);
  let pass = null, begin = performance.now();
  for (let k = 0; k < count; k++) {
    pass = net.forward(paramsOf(k), columns, pass);
    values[k] = meanLoss(loss, task, pass.out, y, 0, nUsed, weights);
    if (performance.now() - begin < sliceMs) continue;
    yield k + 1;
    begin = performance.now();
  }
  return { values, nUsed, n };
}

/** @param {Run} run @param {number} count */
function affordable(run, count) {
  const nUnits = run.sizes.slice(1).reduce((a, b) => a + b, 0);
  return Math.max(FEWEST, Math.floor(MOST_WORK / (count * (run.p + 8 * nUnits))));
}

/** The training part, or an evenly spaced subset of it.
 * @param {Run} run @param {number} most */
function trainingSample(run, most) {
  const { columns, y, weights, nTrain: n } = run.dataset;
  if (!y.length) throw new Error("The loss needs the data; this run was saved without it.");
  const rows = spread(n, most), nUsed = rows.length;
  const taken = columns.map((column) => Float64Array.from(rows, (i) => column[i]));
  const weighed = weights && Float32Array.from(rows, (i) => weights[i]);
  return { columns: taken, y: Float64Array.from(rows, (i) => y[i]), weights: weighed, nUsed, n };
}

/**
 * At most so many of n places, evenly spread, the first and the last among them, as `analysis.models.spread`.
 * @param {number} n
 * @param {number} most
 * @returns {Int32Array}
 */
export function spread(n, most) {
  const m = Math.min(n, most), step = m > 1 ? (n - 1) / (m - 1) : 0;
  return Int32Array.from({ length: m }, (_, i) => (i === m - 1 && m > 1 ? n - 1 : roundEven(i * step)));
}

/** Halves to the even neighbour, as numpy rounds.
 * @param {number} x */
function roundEven(x) {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

/** A diverged run may end with parameters that are not finite.
 * @param {Run} run */
function finiteRows(run) {
  const rows = Array.from({ length: run.t }, (_, row) => row);
  const found = rows.filter((row) => paramsAt(run, row).every(Number.isFinite));
  return Int32Array.from(found);
}

/** @param {Int32Array} rows @param {number} row */
function lastOf(rows, row) {
  return rows.findLast((known) => known <= row) ?? rows[0];
}

/** @param {Run} run @param {Int32Array} rows */
function hasMoved(run, rows) {
  const start = paramsAt(run, rows[0]);
  return rows.some((row) => paramsAt(run, row).some((value, i) => value !== start[i]));
}

/** @typedef {{axisNames: [string, string], origin: Float64Array, axes: [Float64Array, Float64Array]}} Place */

/** @param {Run} run @returns {Place} */
function exactPlane({ dataset }) {
  const scaled = dataset.spec.standardize ? ", standardised" : "";
  return {
    axisNames: [`w (weight of ${dataset.featureNames[0]}${scaled})`, "b (bias)"],
    origin: new Float64Array(2),
    axes: [Float64Array.of(1, 0), Float64Array.of(0, 1)],
  };
}

/** @param {Run} run @param {(number|string)[]} pair @param {Float64Array} here @returns {Place} */
function parameterPlane(run, pair, here) {
  const names = parameterNames(run.sizes);
  const [i, j] = pair.map((one) => (typeof one === "number" ? one : names.indexOf(one)));
  const areTwo = names[i] !== undefined && names[j] !== undefined && i !== j;
  if (!areTwo) throw new Error("This plane needs two different parameters of the network.");
  const origin = here.slice();
  origin[i] = origin[j] = 0;
  const axis = (/** @type {number} */ at) => here.map((_, k) => Number(k === at));
  return { axisNames: [names[i], names[j]], origin, axes: [axis(i), axis(j)] };
}

/** @param {Run} run @param {Int32Array} rows @param {number} seed @returns {Place} */
function principalPlane(run, rows, seed) {
  const first = paramsAt(run, rows[0]), end = Float64Array.from(paramsAt(run, rows[rows.length - 1]));
  const product = scatter(centred(run, rows), run.p);
  const one = leadingDirection(product, run.p, []), two = leadingDirection(product, run.p, [one.direction]);
  const isLine = Math.sqrt(two.size) <= 1e-9 * Math.sqrt(one.size);
  const ones = new Float64Array(run.p).fill(1);
  const second = isLine ? unitVector(without(randomAxis(run.sizes, ones, seed), [one.direction])) : two.direction;
  const way = end.map((value, i) => value - first[i]);
  const towards = (/** @type {Float64Array} */ axis) => (dot(way, axis) >= 0 ? axis : axis.map((x) => -x));
  return {
    axisNames: ["first principal direction", "second principal direction"],
    origin: end, axes: [towards(one.direction), towards(second)],
  };
}

/** The path about its mean, row after row; of a very long one, rows evenly taken.
 * @param {Run} run @param {Int32Array} all */
function centred(run, all) {
  const rows = spread(all.length, Math.max(2, Math.floor(MOST_NUMBERS / run.p))).map((i) => all[i]);
  const { p } = run, mean = new Float64Array(p), away = new Float64Array(rows.length * p);
  for (const row of rows) paramsAt(run, row).forEach((value, i) => (mean[i] += value));
  mean.forEach((sum, i) => (mean[i] = sum / rows.length));
  rows.forEach((row, at) => paramsAt(run, row).forEach((value, i) => (away[at * p + i] = value - mean[i])));
  return away;
}

/** v -> X' X v.
 * @param {Float64Array} X @param {number} p @returns {(v: Float64Array) => Float64Array} */
function scatter(X, p) {
  return (v) => {
    const sum = new Float64Array(p);
    for (let at = 0; at < X.length; at += p) {
      let along = 0;
      for (let i = 0; i < p; i++) along += X[at + i] * v[i];
      for (let i = 0; i < p; i++) sum[i] += along * X[at + i];
    }
    return sum;
  };
}

/** @param {Run} run @param {Float64Array} here @param {number} seed @returns {Place} */
function randomPlane(run, here, seed) {
  const first = randomAxis(run.sizes, here, seed);
  for (let attempt = 1; attempt <= 100; attempt++) { // of a handful of parameters, two directions may be one
    const second = randomAxis(run.sizes, here, seed + 7919 * attempt), rest = without(second, [unitVector(first)]);
    if (norm(first) > 0 && norm(rest) > 1e-9 * norm(second)) {
      return { axisNames: ["random direction 1", "random direction 2"], origin: here, axes: [first, second] };
    }
  }
  throw new Error("Random directions need parameters that are not 0, to be in proportion to; choose two parameters as the plane.");
}

/** A random direction in which each unit's weights, and its bias, have the norms of `params` (Li et al. 2018).
 * @param {number[]} sizes @param {Float64Array} params @param {number} seed */
function randomAxis(sizes, params, seed) {
  const axis = normals(params.length, seed);
  for (let layer = 0; layer < sizes.length - 1; layer++) {
    for (let u = 0; u < sizes[layer + 1]; u++) {
      const from = weightIndex(sizes, layer, u, 0), to = from + sizes[layer], at = biasIndex(sizes, layer, u);
      const factor = norm(params.subarray(from, to)) / norm(axis.subarray(from, to));
      for (let i = from; i < to; i++) axis[i] *= factor;
      axis[at] = Math.sign(axis[at]) * Math.abs(params[at]);
    }
  }
  return axis;
}

/** @param {Run} run @param {Place} place @param {Int32Array} rows @returns {Path} */
function projected(run, place, rows) {
  const n = rows.length, u = new Float64Array(n), v = new Float64Array(n), distance = new Float64Array(n);
  rows.forEach((row, k) => {
    const found = placeOn(/** @type {Plane} */ (place), paramsAt(run, row));
    [u[k], v[k], distance[k]] = [found.u, found.v, found.distance];
  });
  return { rows, u, v, distance };
}

/** @param {Run} run @param {Int32Array} rows @param {[Float64Array, Float64Array]} axes @returns {[number, number]} */
function explainedBy(run, rows, axes) {
  const first = unitVector(axes[0]), second = unitVector(without(axes[1], [first]));
  const away = centred(run, rows), { p } = run;
  let total = 0, one = 0, two = 0;
  for (let at = 0; at < away.length; at += p) {
    const row = away.subarray(at, at + p);
    total += dot(row, row);
    one += dot(row, first) ** 2;
    two += dot(row, second) ** 2;
  }
  return total > 0 ? [one / total, two / total] : [0, 0];
}

/** Ranges of x and y around the path, with the origin and the optimum where they are near.
 * @param {Path} path @param {string} kind @param {ArrayLike<number>|null} best @param {number} span @returns {[Range, Range]} */
function windowAround({ u, v }, kind, best, span) {
  const ends = [u, v].map((along) => [along.reduce((a, b) => Math.min(a, b)), along.reduce((a, b) => Math.max(a, b))]);
  const reach = Math.max(1, ...ends.map(([low, high]) => high - low));
  const near = kind === "random" ? Infinity : 5 * reach;
  for (const point of wantedPoints(kind, best)) {
    if (!ends.every(([low, high], c) => Math.abs(point[c] - (low + high) / 2) <= near)) continue;
    ends.forEach((range, c) => (ends[c] = [Math.min(range[0], point[c]), Math.max(range[1], point[c])]));
  }
  const size = Math.max(...ends.map(([low, high]) => high - low)), least = size > 0 ? 0.1 * size : 2;
  const [x, y] = ends.map(([low, high]) => {
    const middle = (low + high) / 2, half = 0.5 * span * (1.3 * Math.max(high - low, least));
    return /** @type {Range} */ ([middle - half, middle + half]);
  });
  return [x, y];
}

/** A random direction is as long as the model, as in the paper's pictures.
 * @param {string} kind @param {ArrayLike<number>|null} best @returns {ArrayLike<number>[]} */
function wantedPoints(kind, best) {
  if (kind === "random") return [[1, 1], [-1, -1]];
  if (kind !== "exact") return [];
  return best ? [best, [0, 0]] : [[0, 0]];
}

/** @param {{params: ArrayLike<number>, loss: number}|null} best */
function foundNote(best) {
  if (!best) return "";
  const [w, b, loss] = [best.params[0], best.params[1], best.loss].map((value) => general(value, 4));
  return `The optimum is w = ${w}, b = ${b}, where the loss is ${loss}.`;
}

/** @param {[number, number]} explained @param {Float64Array} distance */
function shareNote([one, two], distance) {
  if (one === 0 && two === 0) return "The path has no length in this plane.";
  const share = 100 * (one + two), furthest = distance.reduce((a, b) => Math.max(a, b));
  const said = share < 99 ? share.toFixed(0) : general(Math.floor(10 * share + 1e-9) / 10, 6);
  const away = furthest > 1e-9 ? `the path leaves it by up to ${general(furthest, 2)}` : "the path does not leave it";
  return `${said} % of the path's variance lies in this plane; ${away}.`;
}
