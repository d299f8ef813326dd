// What is shown at one step: parameters -> answers on the samples and on a grid, each computed once, when asked for.

import { decided, meanLoss, Net, probabilities, scores } from "./net.js";
import { biasIndex, weightIndex } from "./names.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./run.js").Dataset} Dataset */
/** @typedef {import("./net.js").Pass} Pass */
/** @typedef {{xs: Float64Array, ys: Float64Array|null, pass: Pass, side: number}} Field row-major from the lowest y: index i*side + j is (xs[j], ys[i]), in the data's units */
/** @typedef {{xs: Float64Array, ys: Float64Array|null, columns: Float64Array[]}} Grid columns as the network sees them */
/** @typedef {{near: Uint8Array, nNear: number, note: string}} Slice */

const MOST_WORK = 4e6; // of a field: sums and exponentials that take about 4 ms
const MOST_GRIDS = 8;
const FINEST = 121; // points along a side of a field on the page
const ALONG = 400; // points along a single input
/** @type {WeakMap<Dataset, Map<string, Grid>>} */
const grids = new WeakMap();
/** @type {WeakMap<Dataset, Float64Array>} */
const medians = new WeakMap();

/** A run at one step, or with parameters set by hand. */
export class Moment {
  /** @type {Pass|null} */ #samples = null;
  /** @type {Field|null} */ #field = null;
  /** @type {{samples: Pass|null, field: Pass|null}} */ #spare;

  /**
   * @param {Run} run
   * @param {ArrayLike<number>} params flat (p,)
   * @param {{step: number, features?: [number, number]|number[], last?: Moment|null}} options
   *   last: an older moment, whose arrays this one writes over; asked again, it computes anew
   */
  constructor(run, params, { step, features = [0, 1], last = null }) {
    this.run = run;
    this.params = params;
    this.step = step;
    this.features = run.dataset.d > 1 ? features : [0];
    this.#spare = last ? last.#given() : { samples: null, field: null };
  }

  #given() {
    const spare = { samples: this.#samples ?? this.#spare.samples, field: this.#field?.pass ?? this.#spare.field };
    this.#samples = this.#field = null;
    this.#spare = { samples: null, field: null };
    return spare;
  }

  /**
   * The answers to all samples, training first.
   * @returns {Pass}
   */
  get samples() {
    if (!this.#samples) {
      const net = new Net(this.run.sizes, this.run.activation);
      this.#samples = net.forward(this.params, this.run.dataset.columns, this.#spare.samples);
      this.#spare.samples = null;
    }
    return this.#samples;
  }

  /**
   * The run's own loss on both parts; NaN without samples, null without a test part.
   * @returns {{train: number, test: number|null}}
   */
  get losses() {
    const { loss, dataset } = this.run, { task, y, weights } = dataset;
    return this.#byPart((from, to) => meanLoss(loss, task, this.samples.out, y, from, to, weights));
  }

  /**
   * Accuracy, or rmse and r2, on both parts; NaN without samples, null without a test part.
   * @returns {{train: Record<string, number>, test: Record<string, number>|null}}
   */
  get scores() {
    return this.#byPart((from, to) => scores(this.run.dataset, this.samples.out, from, to));
  }

  /**
   * @template T
   * @param {(from: number, to: number) => T} measure
   * @returns {{train: T, test: T|null}}
   */
  #byPart(measure) {
    const { nTrain, y } = this.run.dataset, n = y.length;
    return { train: measure(0, Math.min(n, nTrain)), test: n > nTrain ? measure(nTrain, n) : null };
  }

  /**
   * The field as the page shows it: the answer and all unit maps share one forward pass.
   * @returns {Field}
   */
  get picture() {
    return this.field(this.run.dataset.d > 1 ? gridSide(this.run, FINEST) : ALONG);
  }

  /**
   * The answers over two inputs, the others at their medians; along the input where there is one.
   * @param {number} side points along each side
   * @returns {Field}
   */
  field(side) {
    if (this.#field?.side === side) return this.#field;
    const { run, features } = this, grid = gridOf(run.dataset, features, side);
    const net = new Net([features.length, ...run.sizes.slice(1)], run.activation);
    const params = sliceParams(run, this.params, features);
    const pass = net.forward(params, grid.columns, this.#field?.pass ?? this.#spare.field);
    this.#spare.field = null;
    this.#field = { xs: grid.xs, ys: grid.ys, pass, side };
    return this.#field;
  }
}

/**
 * What the model answers at one place.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @param {ArrayLike<number>} point d numbers in the data's units
 * @returns {{probabilities?: number[], label?: string|number|boolean, value?: number}}
 */
export function answerAt(run, params, point) {
  const { dataset } = run, { mean, scale } = dataset;
  const columns = Array.from(point, (x, c) => Float64Array.of((x - mean[c]) / scale[c]));
  const { out } = new Net(run.sizes, run.activation).forward(params, columns);
  if (dataset.task === "regression") return { value: out[0][0] * dataset.yScale + dataset.yMean };
  return { probabilities: probabilities(out).map((p) => p[0]), label: dataset.classes[decided(out)[0]] };
}

/**
 * The finest side of a field whose forward pass stays in a frame.
 * @param {Run} run
 * @param {number} most
 */
export function gridSide(run, most) {
  const nUnits = run.sizes.slice(1).reduce((a, b) => a + b, 0);
  const side = Math.floor(Math.sqrt(MOST_WORK / (run.p + 8 * nUnits)));
  return Math.min(most, Math.max(24, side));
}

/**
 * Which samples lie near the slice that a field shows: each other input within half a deviation of its median.
 * @param {Dataset} dataset
 * @param {number[]} features the inputs that vary
 * @returns {Slice}
 */
export function sliceOf(dataset, features) {
  const n = dataset.y.length, near = new Uint8Array(n).fill(1), middle = mediansOf(dataset);
  const others = dataset.inputs.map((_, c) => c).filter((c) => !features.includes(c));
  for (const c of others) {
    const column = dataset.inputs[c], reach = 0.5 * deviation(column);
    for (let i = 0; i < n; i++) if (Math.abs(column[i] - middle[c]) > reach) near[i] = 0;
  }
  const nNear = near.reduce((sum, is) => sum + is, 0);
  return { near, nNear, note: sliceNote(others.length, nNear, n) };
}

/** @param {number} nOthers @param {number} nNear @param {number} n */
function sliceNote(nOthers, nNear, n) {
  if (!nOthers) return "";
  const others = nOthers === 1 ? "1 other input at its median" : `${nOthers} other inputs at their medians`;
  return `${others}; ${nNear.toLocaleString("en-US")} of ${n.toLocaleString("en-US")} points lie near this slice`;
}

/** @param {Float64Array} column */
function deviation(column) {
  const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
  return Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length);
}

/**
 * The median of every input, in the data's units.
 * @param {Dataset} dataset
 * @returns {Float64Array}
 */
export function mediansOf(dataset) {
  let found = medians.get(dataset);
  if (!found) medians.set(dataset, (found = Float64Array.from(dataset.inputs, medianOf)));
  return found;
}

/**
 * The middle value, or the mean of both middle ones; NaN of none.
 * @param {Float64Array} values
 */
export function medianOf(values) {
  const sorted = values.slice().sort(), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Places from `low` to `high`, both included, evenly spread.
 * @param {number} low
 * @param {number} high
 * @param {number} n
 * @returns {Float64Array}
 */
export function linspace(low, high, n) {
  const step = (high - low) / (n - 1), places = Float64Array.from({ length: n }, (_, i) => i * step + low);
  places[n - 1] = high;
  return places;
}

/**
 * From where to where a picture of an input reaches: a margin of 12 % on each side; 3 % of a single input.
 * @param {Dataset} dataset
 * @param {number} feature
 * @returns {[number, number]}
 */
export function rangeOf(dataset, feature) {
  if (!dataset.y.length) throw new Error("This picture needs the data; this run was saved without it.");
  let low = Infinity, high = -Infinity;
  for (const x of dataset.inputs[feature]) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const margin = (dataset.d > 1 ? 0.12 : 0.03) * (high > low ? high - low : 1);
  return [low - margin, high + margin];
}

/**
 * @param {Dataset} dataset
 * @param {number[]} features
 * @param {number} side
 */
function gridOf(dataset, features, side) {
  const known = grids.get(dataset) ?? new Map(), key = `${features} ${side}`;
  grids.set(dataset, known);
  if (!known.has(key)) {
    if (known.size >= MOST_GRIDS) known.clear();
    known.set(key, madeGrid(dataset, features, side));
  }
  return /** @type {Grid} */ (known.get(key));
}

/**
 * @param {Dataset} dataset
 * @param {number[]} features
 * @param {number} side
 * @returns {Grid}
 */
function madeGrid(dataset, features, side) {
  const [xs, ys] = features.map((c) => linspace(...rangeOf(dataset, c), side));
  const scaled = features.map((c, axis) => [xs, ys][axis].map((x) => (x - dataset.mean[c]) / dataset.scale[c]));
  if (features.length === 1) return { xs, ys: null, columns: scaled };
  const x = new Float64Array(side * side), y = new Float64Array(side * side);
  for (let i = 0; i < side; i++) {
    x.set(scaled[0], i * side);
    y.fill(scaled[1][i], i * side, (i + 1) * side);
  }
  return { xs, ys, columns: [x, y] };
}

/**
 * Parameters of the network that sees only `features`: the other inputs, at their medians, are part of the biases.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @param {number[]} features
 */
function sliceParams(run, params, features) {
  const { sizes, dataset } = run, [d, h] = sizes, m = features.length;
  const { mean, scale } = dataset, middle = mediansOf(dataset);
  const own = new Float64Array(run.p - (d - m) * h);
  for (let u = 0; u < h; u++) {
    let b = params[biasIndex(sizes, 0, u)];
    for (let c = 0; c < d; c++) {
      const w = params[weightIndex(sizes, 0, u, c)], at = features.indexOf(c);
      if (at < 0) b += (w * (middle[c] - mean[c])) / scale[c];
      else own[u * m + at] = w;
    }
    own[h * m + u] = b;
  }
  for (let i = (d + 1) * h; i < run.p; i++) own[i - (d - m) * h] = params[i];
  return own;
}
