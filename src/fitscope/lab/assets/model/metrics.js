// How good the answers are, and how good those of a baseline: as in `analysis/metrics.py`, `mistakes.py` and
// `probabilities.py`, whose conventions are scikit-learn's. A part is the samples `from` to `to`.

import { medianOf, linspace } from "./moment.js";
import { decided, meanLoss, probabilities } from "./net.js";
import { general, labelText } from "./names.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./run.js").Dataset} Dataset */
/** @typedef {{name: string, higherIsBetter: boolean, model: number, baseline: number}} Row */
/** @typedef {{label: number, falsePositive: Float64Array, truePositive: Float64Array, thresholds: Float64Array, area: number}} RocLine label is the class's index */
/** @typedef {{label: number, recall: Float64Array, precision: Float64Array, average: number, share: number}} PrecisionLine */
/** @typedef {{label: number, predicted: Float64Array, observed: Float64Array, counts: Int32Array, brier: number}} CalibrationLine */
/** @typedef {{thresholds: number[], tps: number[], fps: number[]}} Counts samples of the class, and others, at or above each threshold */

const RARE = 1e-300; // the probability of a class that the training part lacks
const FEW = 10; // a share of fewer samples than this is a rough guess
/** @type {[string, boolean][]} */
const OF_CLASSES = [
  ["accuracy", true], ["balanced accuracy", true], ["log-loss (nats)", false], ["Brier score", false],
  ["AUC", true], ["precision", true], ["recall", true], ["F1", true],
];
/** @type {[string, boolean][]} */
const OF_REGRESSION = [
  ["R²", true], ["RMSE", false], ["mean absolute error", false], ["median absolute error", false], ["largest error", false],
];

/**
 * Throws a sentence where there is nothing to measure: no samples, or answers of a diverged run.
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 */
export function checkAnswers(out, from, to) {
  if (!(to > from)) throw new Error("This needs the data; this run was saved without it.");
  const isFinite = out.every((column) => column.subarray(from, to).every(Number.isFinite));
  if (!isFinite) throw new Error("This needs finite answers; at this step the model's are not all finite.");
}

/**
 * Samples by true (rows) and predicted (columns) class.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @returns {number[][]}
 */
export function confusion(run, out, from, to) {
  checkAnswers(out, from, to);
  const { classes, y } = run.dataset, said = decided(out);
  const counts = classes.map(() => new Array(classes.length).fill(0));
  for (let i = from; i < to; i++) counts[y[i]][said[i]]++;
  return counts;
}

/**
 * The table of scores beside those of a baseline that looks at no input; NaN where one is undefined.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @returns {{rows: Row[], baselineName: string, note: string}}
 */
export function metrics(run, out, from, to) {
  checkAnswers(out, from, to);
  const d = run.dataset, { answer, said } = baselineOf(d);
  const n = out[0].length, trivial = answer.map((value) => new Float64Array(n).fill(value));
  const model = columnOf(d, out, from, to), baseline = columnOf(d, trivial, from, to);
  const names = d.classes.length ? OF_CLASSES : OF_REGRESSION;
  const rows = names.map(([name, higherIsBetter], i) => ({ name, higherIsBetter, model: model[i], baseline: baseline[i] }));
  return { rows, baselineName: said, note: undefinedNote(d, from, to) };
}

/**
 * The answer that the baseline always gives, as the network would, and in words; both from the training part.
 * @param {Dataset} d
 * @returns {{answer: number[], said: string}}
 */
function baselineOf(d) {
  const y = d.y.subarray(0, d.nTrain);
  if (!d.classes.length) {
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
    return { answer: [mean], said: `always ${general(mean * d.yScale + d.yMean, 4)}, the mean` };
  }
  const shares = d.classes.map((_, c) => y.reduce((sum, value) => sum + Number(value === c), 0) / y.length);
  const logs = shares.map((share) => Math.log(Math.max(share, RARE)));
  const commonest = d.k > 1 ? shares.indexOf(Math.max(...shares)) : Number(shares[1] >= shares[0]);
  const said = `always ${labelText(d.classes[commonest])}, the commonest class`;
  return { answer: d.k > 1 ? logs : [logs[1] - logs[0]], said };
}

/** @param {Dataset} d @param {Float64Array[]} out @param {number} from @param {number} to */
function columnOf(d, out, from, to) {
  return d.classes.length ? classScores(d, out, from, to) : errorScores(d, out, from, to);
}

/** @param {Dataset} d @param {Float64Array[]} out @param {number} from @param {number} to */
function errorScores(d, out, from, to) {
  const n = to - from, y = d.y.subarray(from, to);
  const errors = y.map((value, i) => Math.abs(out[0][from + i] - value) * d.yScale);
  const mean = y.reduce((sum, value) => sum + value, 0) / n;
  const spread = y.reduce((sum, value) => sum + ((value - mean) * d.yScale) ** 2, 0);
  const squared = errors.reduce((sum, error) => sum + error ** 2, 0);
  return [
    varies(y) ? 1 - squared / spread : NaN,
    Math.sqrt(squared / n),
    errors.reduce((sum, error) => sum + error, 0) / n,
    medianOf(errors),
    errors.reduce((most, error) => Math.max(most, error), 0),
  ];
}

/** @param {Float64Array} y */
function varies(y) {
  return y.some((value) => value !== y[0]);
}

/** @param {Dataset} d @param {Float64Array[]} out @param {number} from @param {number} to */
function classScores(d, out, from, to) {
  const n = to - from, p = probabilities(out), said = decided(out), c = d.classes.length;
  const own = new Float64Array(c), found = new Float64Array(c), right = new Float64Array(c);
  for (let i = from; i < to; i++) {
    own[d.y[i]]++;
    found[said[i]]++;
    if (said[i] === d.y[i]) right[said[i]]++;
  }
  const occurs = d.classes.map((_, k) => k).filter((k) => own[k] > 0);
  const recall = right.map((count, k) => (own[k] ? count / own[k] : 0));
  const precision = right.map((count, k) => (found[k] ? count / found[k] : 0));
  const f1 = right.map((count, k) => (own[k] + found[k] ? (2 * count) / (own[k] + found[k]) : 0));
  const averaged = d.k > 1 ? occursAtAll(own, found) : [1];
  return [
    right.reduce((sum, count) => sum + count, 0) / n,
    mean(occurs.map((k) => recall[k])),
    meanLoss("cross_entropy", d.task, out, d.y, from, to),
    brierScore(d, p, from, to),
    occurs.length > 1 ? mean(occurs.map((k) => rankingArea(d, p, k, from, to))) : NaN,
    ...[precision, recall, f1].map((share) => mean(averaged.map((k) => share[k]))),
  ];
}

/** Classes that are true or predicted somewhere: scikit-learn's macro mean is over these.
 * @param {Float64Array} own @param {Float64Array} found */
function occursAtAll(own, found) {
  return [...own.keys()].filter((k) => own[k] + found[k] > 0);
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sum over classes of (probability - 1 or 0)^2; of two classes, half of that.
 * @param {Dataset} d @param {Float64Array[]} p @param {number} from @param {number} to */
function brierScore(d, p, from, to) {
  let total = 0;
  for (let k = 0; k < p.length; k++) {
    for (let i = from; i < to; i++) total += (p[k][i] - Number(d.y[i] === k)) ** 2;
  }
  return total / (to - from) / (p.length === 2 ? 2 : 1);
}

/** @param {Dataset} d @param {Float64Array[]} p @param {number} k @param {number} from @param {number} to */
function rankingArea(d, p, k, from, to) {
  const { tps, fps } = countsAbove(d.y, p[k], k, from, to);
  return areaUnder(shares(fps), shares(tps));
}

/** @param {Dataset} d @param {number} from @param {number} to */
function undefinedNote(d, from, to) {
  if (varies(d.y.subarray(from, to))) return "";
  const part = from >= d.nTrain ? "test" : "training";
  if (!d.classes.length) return `No R²: the target does not vary in the ${part} part.`;
  return `No AUC: the ${part} part has one class only, ${labelText(d.classes[d.y[from]])}.`;
}

/**
 * True against false positives over all thresholds: of the second of two classes, or of each class against the rest.
 * `half` is the point of the threshold 0.5 for two classes. No lines where only one class occurs: `note` says so.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @returns {{lines: RocLine[], half: [number, number]|null, note: string}}
 */
export function rocCurve(run, out, from, to) {
  checkAnswers(out, from, to);
  const { y, classes } = run.dataset, p = probabilities(out), { labels, note } = againstTheRest(run.dataset, from, to);
  const lines = labels.map((label) => rocLine(label, countsAbove(y, p[label], label, from, to)));
  const isPair = classes.length === 2 && lines.length > 0;
  return { lines, half: isPair ? atHalf(y, p[1], from, to) : null, note };
}

/** @param {number} label @param {Counts} counts @returns {RocLine} */
function rocLine(label, { thresholds, tps, fps }) {
  const isCorner = (/** @type {number} */ i) =>
    i === 0 || i === tps.length - 1 || bends(tps, i) || bends(fps, i);
  const kept = [...tps.keys()].filter(isCorner);
  const falsePositive = shares([0, ...kept.map((i) => fps[i])]), truePositive = shares([0, ...kept.map((i) => tps[i])]);
  return {
    label, falsePositive, truePositive,
    thresholds: Float64Array.of(Infinity, ...kept.map((i) => thresholds[i])),
    area: areaUnder(falsePositive, truePositive),
  };
}

/** @param {number[]} counts @param {number} i */
function bends(counts, i) {
  return counts[i + 1] - counts[i] !== counts[i] - counts[i - 1];
}

/** @param {number[]} counts */
function shares(counts) {
  const total = counts[counts.length - 1];
  return Float64Array.from(counts, (count) => count / total);
}

/** By trapezoids, from (0, 0) on.
 * @param {Float64Array} x @param {Float64Array} y */
function areaUnder(x, y) {
  let area = (x[0] * y[0]) / 2;
  for (let i = 1; i < x.length; i++) area += ((x[i] - x[i - 1]) * (y[i] + y[i - 1])) / 2;
  return area;
}

/** @param {Float64Array} y @param {Float64Array} p @param {number} from @param {number} to @returns {[number, number]} */
function atHalf(y, p, from, to) {
  const n = [0, 0], reached = [0, 0];
  for (let i = from; i < to; i++) {
    n[y[i]]++;
    if (p[i] >= 0.5) reached[y[i]]++;
  }
  return [reached[0] / n[0], reached[1] / n[1]];
}

/**
 * Precision against recall over all thresholds, recall falling from 1 to 0.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @returns {{lines: PrecisionLine[], note: string}}
 */
export function precisionRecall(run, out, from, to) {
  checkAnswers(out, from, to);
  const { y } = run.dataset, p = probabilities(out), { labels, note } = againstTheRest(run.dataset, from, to);
  return { lines: labels.map((label) => precisionLine(label, countsAbove(y, p[label], label, from, to))), note };
}

/** @param {number} label @param {Counts} counts @returns {PrecisionLine} */
function precisionLine(label, { tps, fps }) {
  const last = tps.length - 1, nOwn = tps[last];
  const precisionAt = tps.map((count, i) => count / (count + fps[i])), recallAt = tps.map((count) => count / nOwn);
  let average = 0;
  for (let i = 0; i <= last; i++) average += (recallAt[i] - (i ? recallAt[i - 1] : 0)) * precisionAt[i];
  const isCorner = (/** @type {number} */ i) =>
    i === 0 || i === last || tps[i] !== tps[i - 1] || tps[i] !== tps[i + 1];
  const kept = [...tps.keys()].filter(isCorner).reverse();
  return {
    label, average, share: nOwn / (nOwn + fps[last]),
    recall: Float64Array.of(...kept.map((i) => recallAt[i]), 0),
    precision: Float64Array.of(...kept.map((i) => precisionAt[i]), 1),
  };
}

/**
 * Probabilities in bins of equal width, against the share of samples that turn out to be of the class.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @param {number} [nBins]
 * @returns {{lines: CalibrationLine[], note: string}}
 */
export function calibration(run, out, from, to, nBins = 10) {
  checkAnswers(out, from, to);
  const { y } = run.dataset, p = probabilities(out), rest = againstTheRest(run.dataset, from, to);
  const lines = rest.labels.map((label) => calibrationLine(label, y, p[label], from, to, nBins));
  const isFew = lines.some(({ counts }) => counts.some((count) => count < FEW));
  const few = isFew ? `bins of fewer than ${FEW} samples are rough guesses` : "";
  return { lines, note: [few, rest.note].filter(Boolean).join("; ") };
}

/** @param {number} label @param {Float64Array} y @param {Float64Array} p @param {number} from @param {number} to @param {number} nBins @returns {CalibrationLine} */
function calibrationLine(label, y, p, from, to, nBins) {
  const borders = linspace(0, 1, nBins + 1);
  const n = new Int32Array(nBins), said = new Float64Array(nBins), came = new Float64Array(nBins);
  let squares = 0;
  for (let i = from; i < to; i++) {
    let bin = 0;
    while (bin < nBins - 1 && borders[bin + 1] < p[i]) bin++;
    const isOwn = Number(y[i] === label);
    n[bin]++;
    said[bin] += p[i];
    came[bin] += isOwn;
    squares += (p[i] - isOwn) ** 2;
  }
  const used = [...n.keys()].filter((bin) => n[bin] > 0);
  return {
    label, brier: squares / (to - from), counts: Int32Array.from(used, (bin) => n[bin]),
    predicted: Float64Array.from(used, (bin) => said[bin] / n[bin]),
    observed: Float64Array.from(used, (bin) => came[bin] / n[bin]),
  };
}

/**
 * Which classes stand against the rest: the second of two, or every one that occurs.
 * @param {Dataset} d
 * @param {number} from
 * @param {number} to
 * @returns {{labels: number[], note: string}}
 */
function againstTheRest(d, from, to) {
  const occurs = new Set(d.y.subarray(from, to));
  const all = d.classes.map((_, label) => label), missing = all.filter((label) => !occurs.has(label));
  const names = missing.map((label) => labelText(d.classes[label])).join(", ");
  const note = missing.length ? `no sample of ${names} in this part` : "";
  if (occurs.size < 2) return { labels: [], note };
  return { labels: all.length > 2 ? all.filter((label) => occurs.has(label)) : [1], note };
}

/**
 * Both kinds sorted on their own and merged: no comparison function is called.
 * @param {Float64Array} y
 * @param {Float64Array} p
 * @param {number} label
 * @param {number} from
 * @param {number} to
 * @returns {Counts}
 */
function countsAbove(y, p, label, from, to) {
  const part = p.subarray(from, to);
  const own = part.filter((_, i) => y[from + i] === label).sort();
  const others = part.filter((_, i) => y[from + i] !== label).sort();
  /** @type {Counts} */
  const counts = { thresholds: [], tps: [], fps: [] };
  let i = own.length, j = others.length;
  while (i > 0 || j > 0) {
    const threshold = Math.max(own[i - 1] ?? -Infinity, others[j - 1] ?? -Infinity);
    while (i > 0 && own[i - 1] >= threshold) i--;
    while (j > 0 && others[j - 1] >= threshold) j--;
    counts.thresholds.push(threshold);
    counts.tps.push(own.length - i);
    counts.fps.push(others.length - j);
  }
  return counts;
}

/**
 * True and predicted values of a regression, and true - predicted with its histogram, in the target's units.
 * @param {Run} run
 * @param {Float64Array[]} out
 * @param {number} from
 * @param {number} to
 * @param {number} [nBins]
 */
export function residuals(run, out, from, to, nBins = 24) {
  checkAnswers(out, from, to);
  const { targets, yScale, yMean } = run.dataset, actual = targets.slice(from, to);
  const predicted = out[0].slice(from, to).map((value) => value * yScale + yMean);
  const residual = actual.map((value, i) => value - predicted[i]), edges = binEdges(residual, nBins);
  const counts = new Int32Array(nBins);
  for (const value of residual) {
    let bin = 0;
    while (bin < nBins - 1 && value >= edges[bin + 1]) bin++;
    counts[bin]++;
  }
  return { actual, predicted, residual, edges, counts };
}

/** Borders of equal bins over all values; equal values get bins around them, too.
 * @param {Float64Array} values @param {number} nBins */
function binEdges(values, nBins) {
  let low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
    const half = 0.5 * Math.max(1, Math.abs(low));
    [low, high] = [low - half, high + half];
  }
  return linspace(low, high, nBins + 1);
}
