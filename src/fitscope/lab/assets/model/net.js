// The network in the page: forward pass, probabilities, losses and scores, as in `fitscope.network`.
// Arithmetic in float64; one array a unit, so that the loops run along samples.

import { biasIndex, weightIndex } from "./names.js";

/** @typedef {import("./run.js").Dataset} Dataset */
/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {{hidden: Float64Array[][], out: Float64Array[], n: number}} Pass hidden[l][u][i] after the activation; out[k][i] logits or values */

const RELATIVE_FLOOR = Math.fround(0.01); // the loss `relative` divides by |y|, in float32, but never by less than this
const BLOCK = 512; // samples: a hidden layer of 64 units stays in the processor's cache
/** @type {WeakMap<Float32Array, Float64Array>} */
const widened = new WeakMap();

/** A network's shape, and its forward pass. */
export class Net {
  /**
   * @param {number[]} sizes widths of all layers
   * @param {string} activation of the hidden units
   */
  constructor(sizes, activation) {
    this.sizes = sizes;
    this.activation = activation;
    this.nParameters = biasIndex(sizes, sizes.length - 2, sizes[sizes.length - 1]);
    this.flat = new Float64Array(this.nParameters);
  }

  /**
   * What every layer answers.
   * @param {Numbers} params flat parameters (p,)
   * @param {(Float64Array|Float32Array)[]} columns inputs as the network sees them
   * @param {Pass|null} [pass] an older one, whose arrays are written over if they fit
   * @returns {Pass}
   */
  forward(params, columns, pass) {
    const n = columns[0].length, { sizes, flat, activation } = this;
    const found = pass && fits(pass, sizes, n) ? pass : emptyPass(sizes, n);
    const inputs = columns.map(wide), last = sizes.length - 2;
    for (let i = 0; i < flat.length; i++) flat[i] = params[i]; // one kind of array keeps the loops fast
    for (let from = 0; from < n; from += BLOCK) {
      const to = Math.min(n, from + BLOCK);
      for (let l = 0, a = inputs; l <= last; l++) {
        const units = l < last ? found.hidden[l] : found.out;
        weightedSums(units, a, flat, weightIndex(sizes, l, 0, 0), from, to);
        if (l < last) for (const unit of units) activateInPlace(unit, activation, from, to);
        a = units;
      }
    }
    return found;
  }
}

/**
 * @param {Pass} pass
 * @param {number[]} sizes
 * @param {number} n
 */
function fits(pass, sizes, n) {
  const widths = [...pass.hidden.map((units) => units.length), pass.out.length];
  return pass.n === n && sizes.length === widths.length + 1 && widths.every((h, l) => h === sizes[l + 1]);
}

/**
 * @param {number[]} sizes
 * @param {number} n
 * @returns {Pass}
 */
function emptyPass(sizes, n) {
  const layers = sizes.slice(1).map((h) => Array.from({ length: h }, () => new Float64Array(n)));
  return { hidden: layers.slice(0, -1), out: layers[layers.length - 1], n };
}

/**
 * A column in 64 bits; the samples' columns are converted once.
 * @param {Float64Array|Float32Array} column
 */
function wide(column) {
  if (column instanceof Float64Array) return column;
  let found = widened.get(column);
  if (!found) widened.set(column, (found = Float64Array.from(column)));
  return found;
}

/**
 * z = W a + b of one layer: two units and four inputs at a time, so that few numbers are read twice.
 * Of 64 units after 64, 15,000 samples take 32 ms; unit by unit they took 50.
 * @param {Float64Array[]} z
 * @param {Float64Array[]} a
 * @param {Float64Array} flat parameters
 * @param {number} at where the layer's weights begin; its biases follow them
 * @param {number} from
 * @param {number} to
 */
function weightedSums(z, a, flat, at, from, to) {
  const m = a.length, nFirst = m & 3, biasAt = at + z.length * m;
  for (let u = 0; u < z.length; u++) beginSum(z[u], a, nFirst, flat, at + u * m, flat[biasAt + u], from, to);
  for (let u = 0; u < z.length; u += 2) {
    const w = at + u * m;
    for (let j = nFirst; j < m; j += 4) {
      if (u + 1 < z.length) addToTwo(z[u], z[u + 1], a[j], a[j + 1], a[j + 2], a[j + 3], flat, w + j, w + m + j, from, to);
      else addToOne(z[u], a[j], a[j + 1], a[j + 2], a[j + 3], flat, w + j, from, to);
    }
  }
}

/** @param {Float64Array} z @param {Float64Array[]} a @param {number} nFirst @param {Float64Array} flat @param {number} at @param {number} b @param {number} from @param {number} to */
function beginSum(z, a, nFirst, flat, at, b, from, to) {
  if (nFirst === 0) z.fill(b, from, to);
  else if (nFirst === 1) sumOfOne(z, a[0], flat[at], b, from, to);
  else if (nFirst === 2) sumOfTwo(z, a[0], a[1], flat[at], flat[at + 1], b, from, to);
  else sumOfThree(z, a[0], a[1], a[2], flat[at], flat[at + 1], flat[at + 2], b, from, to);
}

/** @param {Float64Array} z @param {Float64Array} a @param {number} w @param {number} b @param {number} from @param {number} to */
function sumOfOne(z, a, w, b, from, to) {
  for (let i = from; i < to; i++) z[i] = w * a[i] + b;
}

/** @param {Float64Array} z @param {Float64Array} a @param {Float64Array} c @param {number} w @param {number} v @param {number} b @param {number} from @param {number} to */
function sumOfTwo(z, a, c, w, v, b, from, to) {
  for (let i = from; i < to; i++) z[i] = w * a[i] + v * c[i] + b;
}

/** @param {Float64Array} z @param {Float64Array} a @param {Float64Array} c @param {Float64Array} e @param {number} w @param {number} v @param {number} u @param {number} b @param {number} from @param {number} to */
function sumOfThree(z, a, c, e, w, v, u, b, from, to) {
  for (let i = from; i < to; i++) z[i] = w * a[i] + v * c[i] + u * e[i] + b;
}

/** @param {Float64Array} z @param {Float64Array} a @param {Float64Array} c @param {Float64Array} e @param {Float64Array} g @param {Float64Array} flat @param {number} at @param {number} from @param {number} to */
function addToOne(z, a, c, e, g, flat, at, from, to) {
  const w = flat[at], v = flat[at + 1], u = flat[at + 2], t = flat[at + 3];
  for (let i = from; i < to; i++) z[i] += w * a[i] + v * c[i] + u * e[i] + t * g[i];
}

/** @param {Float64Array} y @param {Float64Array} z @param {Float64Array} a @param {Float64Array} c @param {Float64Array} e @param {Float64Array} g @param {Float64Array} flat @param {number} at @param {number} next @param {number} from @param {number} to */
function addToTwo(y, z, a, c, e, g, flat, at, next, from, to) {
  const y0 = flat[at], y1 = flat[at + 1], y2 = flat[at + 2], y3 = flat[at + 3];
  const z0 = flat[next], z1 = flat[next + 1], z2 = flat[next + 2], z3 = flat[next + 3];
  for (let i = from; i < to; i++) {
    const p = a[i], q = c[i], r = e[i], s = g[i];
    y[i] += y0 * p + y1 * q + y2 * r + y3 * s;
    z[i] += z0 * p + z1 * q + z2 * r + z3 * s;
  }
}

/**
 * @param {Float64Array} z
 * @param {string} activation
 * @param {number} from
 * @param {number} to
 */
function activateInPlace(z, activation, from, to) {
  if (activation === "sigmoid") for (let i = from; i < to; i++) z[i] = 1 / (1 + Math.exp(-z[i]));
  else if (activation === "tanh") for (let i = from; i < to; i++) z[i] = 1 - 2 / (1 + Math.exp(2 * z[i]));
  else if (activation === "relu") for (let i = from; i < to; i++) z[i] = z[i] < 0 ? 0 : z[i]; // NaN stays
}

/**
 * 1 / (1 + exp(-z)).
 * @param {number} z
 */
function sigmoid(z) {
  return 1 / (1 + Math.exp(-z));
}

/**
 * One array a class; a single logit gives two, by the sigmoid, more give the softmax.
 * @param {Float64Array[]} out
 * @returns {Float64Array[]}
 */
export function probabilities(out) {
  if (out.length === 1) return [out[0].map((z) => sigmoid(-z)), out[0].map(sigmoid)];
  const n = out[0].length, p = out.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    const most = largest(out, i);
    let total = 0;
    for (let k = 0; k < out.length; k++) total += p[k][i] = Math.exp(out[k][i] - most);
    for (let k = 0; k < out.length; k++) p[k][i] /= total;
  }
  return p;
}

/**
 * @param {Float64Array[]} out
 * @param {number} i
 */
function largest(out, i) {
  let most = out[0][i];
  for (let k = 1; k < out.length; k++) if (out[k][i] > most) most = out[k][i];
  return most;
}

/**
 * Class indices: of two classes the second where its probability is at least 0.5, else the likeliest.
 * @param {Float64Array[]} out
 * @returns {Int32Array}
 */
export function decided(out) {
  if (out.length <= 2) return Int32Array.from(probabilities(out)[1], (p) => (p >= 0.5 ? 1 : 0));
  return Int32Array.from(out[0], (_, i) => {
    let best = 0;
    for (let k = 1; k < out.length; k++) if (out[k][i] > out[best][i]) best = k;
    return best;
  });
}

/**
 * The mean loss over the samples `from` to `to`, each times its weight; NaN where there are none.
 * @param {string} loss cross_entropy (nats per sample), mse, smooth_l1 or relative
 * @param {string} task
 * @param {Float64Array[]} out logits or values
 * @param {Float64Array} y targets as the network sees them
 * @param {number} from
 * @param {number} to
 * @param {Float32Array|null} [weights] of the samples; null counts all alike
 */
export function meanLoss(loss, task, out, y, from, to, weights = null) {
  const each = lossOfSample(loss, task, out, y);
  let total = 0;
  for (let i = from; i < to; i++) total += weights ? weights[i] * each(i) : each(i);
  return total / (to - from);
}

/**
 * @param {string} loss
 * @param {string} task
 * @param {Float64Array[]} out
 * @param {Float64Array} y
 * @returns {(i: number) => number}
 */
function lossOfSample(loss, task, out, y) {
  const z = out[0];
  if (loss === "cross_entropy" && task === "binary") return (i) => softplus(z[i]) - z[i] * y[i];
  if (loss === "cross_entropy") return (i) => logSumExp(out, i) - out[y[i]][i];
  if (task === "binary") return (i) => (sigmoid(z[i]) - y[i]) ** 2;
  if (task === "multiclass") return squaredError(probabilities(out), y);
  if (loss === "mse") return (i) => (z[i] - y[i]) ** 2;
  if (loss === "relative") return (i) => Math.abs(z[i] - y[i]) / Math.max(Math.abs(y[i]), RELATIVE_FLOOR);
  return (i) => {
    const error = Math.abs(z[i] - y[i]);
    return error < 1 ? error ** 2 / 2 : error - 0.5;
  };
}

/**
 * @param {Float64Array[]} p
 * @param {Float64Array} y
 * @returns {(i: number) => number}
 */
function squaredError(p, y) {
  return (i) => {
    let total = 0;
    for (let k = 0; k < p.length; k++) total += (p[k][i] - Number(y[i] === k)) ** 2;
    return total / p.length;
  };
}

/**
 * log(1 + exp(z)), without overflow.
 * @param {number} z
 */
function softplus(z) {
  return Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)));
}

/**
 * @param {Float64Array[]} out
 * @param {number} i
 */
function logSumExp(out, i) {
  const most = largest(out, i);
  if (Math.abs(most) === Infinity) return most;
  let total = 0;
  for (let k = 0; k < out.length; k++) total += Math.exp(out[k][i] - most);
  return most + Math.log(total);
}

/**
 * `accuracy` for classes; `rmse` (the target's units) and `r2` (NaN where the target does not vary) for regression.
 * @param {Dataset} dataset
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @returns {Record<string, number>}
 */
export function scores(dataset, out, from, to) {
  const { y } = dataset, n = to - from;
  if (dataset.task !== "regression") {
    const said = decided(out);
    let nRight = 0;
    for (let i = from; i < to; i++) nRight += Number(said[i] === y[i]);
    return { accuracy: nRight / n };
  }
  let mean = 0, spread = 0;
  for (let i = from; i < to; i++) mean += y[i] / n;
  for (let i = from; i < to; i++) spread += (y[i] - mean) ** 2 / n;
  const mse = meanLoss("mse", "regression", out, y, from, to);
  return { rmse: Math.sqrt(mse) * dataset.yScale, r2: spread > 0 ? 1 - mse / spread : NaN };
}
