// The bytes of a run file -> Run: what `fitscope.runfile.load` reads, with the same checks.
// The file's SHA-256 is left to Python: the page holds what the server or the browser just gave it.

import { isCount, matrix, numbers, Problem, require, vector } from "./arrays.js";
import { readArrays } from "./safetensors.js";

/**
 * @typedef {object} Dataset
 * @property {"binary"|"multiclass"|"regression"} task
 * @property {string[]} featureNames
 * @property {string} targetName
 * @property {(string|number|boolean)[]} classes in the order of the class indices; none for regression
 * @property {number} d number of inputs
 * @property {number} k number of outputs
 * @property {number} nTrain also where the samples are left out
 * @property {number} nTest
 * @property {Float32Array[]} columns d columns as the network sees them, training first; length 0 without data
 * @property {Float64Array} y class index, or the scaled value; training first
 * @property {Float64Array[]} inputs d columns in the data's own units
 * @property {Float64Array} targets class index, or the value in its own units
 * @property {Float64Array} mean
 * @property {Float64Array} scale
 * @property {number} yMean
 * @property {number} yScale
 * @property {string[]} notes
 * @property {Float64Array|null} truth
 * @property {Float32Array|null} weights of all samples, training first; null where all count alike
 * @property {Record<string, any>} spec `experiment.data`
 */
/**
 * @typedef {object} Run
 * @property {any} experiment {title, about, data, network, training}
 * @property {Dataset} dataset
 * @property {number[]} sizes widths of all layers, inputs and outputs included
 * @property {string} activation of the hidden units
 * @property {string} loss by which the page judges the answers
 * @property {string|null} ownLoss what a loop of somebody's own calls its loss, where it is none of ours
 * @property {Int32Array|null} lossSteps where such a loop's losses were taken
 * @property {Float32Array} params (t*p)
 * @property {number} t recorded steps
 * @property {number} p parameters
 * @property {Int32Array} steps
 * @property {Float32Array} batchLoss
 * @property {Float32Array} trainLoss
 * @property {Float32Array} testLoss
 * @property {"FINISHED"|"STOPPED"|"STOPPED_EARLY"|"DIVERGED"|"INTERRUPTED"|"CONVERGED"|"SEPARABLE"|"UNBOUNDED"} outcome
 * @property {string} ending
 * @property {Record<string, number>} metrics
 * @property {string} engine
 * @property {string} engineReason
 * @property {string} device
 * @property {Record<string, string>} versions
 * @property {number} trainS
 * @property {number} updatesPerEpoch
 * @property {number} plannedUpdates
 * @property {ArrayBuffer} bytes the file
 */
/** @typedef {import("./arrays.js").Arrays} Arrays */

const FORMAT = 1;
const OUTCOMES = ["FINISHED", "STOPPED", "STOPPED_EARLY", "DIVERGED", "INTERRUPTED", "CONVERGED", "SEPARABLE", "UNBOUNDED"];
const ACTIVATIONS = ["sigmoid", "tanh", "relu", "identity"];
/**
 * The losses that have a meaning for each task.
 * @type {Record<string, string[]>}
 */
export const LOSSES = {
  binary: ["cross_entropy", "mse"],
  multiclass: ["cross_entropy", "mse"],
  regression: ["mse", "smooth_l1", "relative"],
};

/**
 * The run in a file.
 * @param {ArrayBuffer|Uint8Array} content
 * @returns {Run}
 * @throws {Error} one sentence that says why it is not a run file, or damaged
 */
export function readRun(content) {
  const bytes = wholeBuffer(content);
  const { arrays, metadata } = readArrays(bytes);
  const header = headerOf(metadata);
  if (header.attached?.layout) {
    throw new Error("This run is of a module that is no plain stack of layers, which this page cannot compute.");
  }
  try {
    return assembled(bytes, arrays, header);
  } catch (error) {
    const problem = error instanceof Problem ? error.message : "its header is incomplete";
    throw new Error(`This run file is damaged: ${problem}.`);
  }
}

/**
 * The run, with the samples of another run of the same data where its own file came without.
 * Its `bytes` stay those of its own file.
 * @param {Run} run
 * @param {Run} other
 * @returns {Run}
 */
export function withDataOf(run, other) {
  const own = run.dataset, d = other.dataset;
  if (own.y.length) return run;
  const same = own.task === d.task && own.d === d.d && own.nTrain === d.nTrain;
  if (!same || own.nTest !== d.nTest) throw new Error("The samples belong to a run on other data.");
  const { columns, y, inputs, targets, weights } = d;
  return { ...run, dataset: { ...own, columns, y, inputs, targets, weights } };
}

/**
 * Whether two descriptions of data, `experiment.data`, give the same samples.
 * @param {Record<string, any>} a
 * @param {Record<string, any>} b
 */
export function sameData(a, b) {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => JSON.stringify(a[name] ?? null) === JSON.stringify(b[name] ?? null));
}

/**
 * The number of updates where losses were recorded: the end of each epoch, the start included.
 * @param {Run} run
 */
export function updatesOf(run) {
  if (run.lossSteps) return Float64Array.from(run.lossSteps);
  return Float64Array.from(run.trainLoss, (_, epoch) => epoch * run.updatesPerEpoch);
}

/**
 * Index of the last recorded step at or before `step`; 0 for one before the first.
 * @param {Run} run
 * @param {number} step
 */
export function rowOf(run, step) {
  let low = 0, high = run.t;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (run.steps[middle] <= step) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The flat parameters (p,) of a row: a view into the recording.
 * @param {Run} run
 * @param {number} row
 */
export function paramsAt(run, row) {
  return run.params.subarray(row * run.p, (row + 1) * run.p);
}

/**
 * The file that the run was read from.
 * @param {Run} run
 */
export function bytesOf(run) {
  return run.bytes;
}

/**
 * @param {ArrayBuffer|Uint8Array} content
 * @returns {ArrayBuffer}
 */
function wholeBuffer(content) {
  if (content instanceof ArrayBuffer) return content;
  const { buffer, byteLength: n } = content;
  const isWhole = buffer instanceof ArrayBuffer && n === buffer.byteLength;
  return isWhole ? buffer : new Uint8Array(content).buffer;
}

/**
 * @param {Record<string, string>} metadata
 * @returns {any}
 */
function headerOf(metadata) {
  let header = null;
  try {
    header = JSON.parse(metadata.fitscope);
  } catch {
    // JSON.parse(undefined) throws, too: a safetensors file that something else wrote
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new Error("This is a safetensors file, but not one that fitscope wrote.");
  }
  if (header.format > FORMAT) {
    throw new Error(
      `This file has format ${header.format}, written by a newer fitscope; this page reads up to ${FORMAT}.`,
    );
  }
  if (header.format !== FORMAT) throw new Error("This run file is damaged: `format` is wrong.");
  if (header.dataset?.n_targets > 1) throw new Error("A run with several targets has no page: its views show one.");
  return header;
}

/**
 * @param {ArrayBuffer} bytes
 * @param {Arrays} arrays
 * @param {any} header
 * @returns {Run}
 */
function assembled(bytes, arrays, header) {
  const { experiment, outcome } = header;
  const dataset = datasetOf(arrays, header.dataset, experiment.data);
  const { hidden, activation } = experiment.network;
  const { epochs, batch_size: batchSize } = experiment.training;
  const { attached = null } = header;
  const ownLoss = attached?.own_loss ? String(attached.loss) : null;
  const loss = ownLoss === null ? experiment.training.loss : LOSSES[dataset.task][0];
  const sizes = [dataset.d, ...hidden, dataset.k];
  require(sizes.every(isCount), "`network.hidden` is wrong");
  require(ACTIVATIONS.includes(activation), "`network.activation` is wrong");
  require(LOSSES[dataset.task].includes(loss), "`training.loss` does not fit the task");
  require(isCount(epochs) && (batchSize === undefined || isCount(batchSize)), "`training` is wrong");
  require(OUTCOMES.includes(outcome), "`outcome` is wrong");
  const n = dataset.nTrain, updatesPerEpoch = Math.ceil(n / Math.min(batchSize ?? n, n));
  const steps = /** @type {Int32Array} */ (vector(arrays, "steps", "I32"));
  const p = nParameters(sizes);
  const run = {
    experiment, dataset, sizes, activation, loss, ownLoss,
    lossSteps: attached && /** @type {Int32Array} */ (vector(arrays, "loss_steps", "I32")),
    params: matrix(arrays, "params", steps.length, p), t: steps.length, p, steps,
    batchLoss: /** @type {Float32Array} */ (vector(arrays, "batch_loss", "F32")),
    trainLoss: /** @type {Float32Array} */ (vector(arrays, "train_loss", "F32")),
    testLoss: /** @type {Float32Array} */ (vector(arrays, "test_loss", "F32")),
    outcome, ending: String(header.ending), metrics: { ...header.metrics },
    engine: String(header.engine), engineReason: String(header.engine_reason ?? ""),
    device: String(header.device), versions: { ...header.versions },
    trainS: Number(header.train_s), updatesPerEpoch, plannedUpdates: epochs * updatesPerEpoch, bytes,
  };
  checkRecording(run);
  return run;
}

/** @param {Run} run */
function checkRecording(run) {
  const { steps, t } = run, last = steps[t - 1], nEpochs = run.trainLoss.length - 1;
  require(steps[0] === 0 && steps.every((step, i) => !i || step > steps[i - 1]), "`steps` do not rise from 0");
  const nTested = run.dataset.nTest ? nEpochs + 1 : 0;
  require(run.testLoss.length === nTested, "`test_loss` does not fit `train_loss`");
  if (run.lossSteps) return checkOwn(run, run.lossSteps);
  const unmade = run.batchLoss.length - last; // of a diverged run, the loss that ended it
  require(unmade >= 0 && unmade <= Number(run.outcome === "DIVERGED"), "`batch_loss` does not fit the steps");
  const planned = nEpochs * run.updatesPerEpoch;
  require(nEpochs >= 0 && planned <= last, "`train_loss` does not fit the steps");
}

/**
 * What a loop of somebody's own recorded.
 * @param {Run} run
 * @param {Int32Array} taken
 */
function checkOwn(run, taken) {
  const fits = taken.length === run.trainLoss.length && taken[0] === 0 && taken[taken.length - 1] <= run.steps[run.t - 1];
  require(fits && taken.every((step, i) => !i || step > taken[i - 1]), "`loss_steps` does not fit `train_loss`");
  require(run.batchLoss.length === 0, "`batch_loss` does not fit the steps");
}

/**
 * @param {Arrays} arrays
 * @param {any} about the header's part on the data
 * @param {Record<string, any>} spec
 * @returns {Dataset}
 */
function datasetOf(arrays, about, spec) {
  const { task, classes, n_train: nTrain, n_test: nTest } = about;
  checkAbout(about);
  const d = about.feature_names.length, isKept = arrays["data.X"]?.shape[0] !== 0;
  const n = isKept ? nTrain : 0, m = isKept ? nTest : 0;
  const X = matrix(arrays, "data.X", n, d), Xtest = matrix(arrays, "data.X_test", m, d);
  const y = targetsOf(arrays, task, classes.length, n, m);
  const mean = numbers(arrays, "data.mean", d), scale = numbers(arrays, "data.scale", d);
  require(scale.every((s) => s > 0), "`scale` is not positive");
  const columns = Array.from({ length: d }, (_, c) => columnOf(X, Xtest, d, c));
  const yMean = about.y_mean, yScale = about.y_scale;
  return {
    task, featureNames: about.feature_names, targetName: about.target_name, classes,
    d, k: task === "multiclass" ? classes.length : 1, nTrain, nTest, columns, y,
    inputs: columns.map((column, c) => Float64Array.from(column, (x) => x * scale[c] + mean[c])),
    targets: task === "regression" ? y.map((value) => value * yScale + yMean) : y,
    mean, scale, yMean, yScale, notes: about.notes,
    truth: arrays["data.truth"] ? numbers(arrays, "data.truth", d + 1) : null, weights: weightsOf(arrays, n + m), spec,
  };
}

/**
 * @param {Arrays} arrays
 * @param {number} n
 * @returns {Float32Array|null}
 */
function weightsOf(arrays, n) {
  if (!arrays["data.weights"]) return null;
  const weights = /** @type {Float32Array} */ (vector(arrays, "data.weights", "F32"));
  require(weights.length === n && weights.every((w) => w >= 0 && w < Infinity), "`weights` does not fit");
  return weights;
}

/** @param {any} about */
function checkAbout(about) {
  const { task, classes } = about;
  require(task in LOSSES, "`dataset.task` is wrong");
  const nClasses = { binary: 2, multiclass: Math.max(2, classes.length), regression: 0 }[/** @type {"binary"} */ (task)];
  const nDifferent = new Set(classes).size;
  require(classes.length === nClasses && nDifferent === nClasses, "`classes` does not fit the task");
  require(about.feature_names.length > 0, "`dataset.feature_names` is wrong");
  require(isCount(about.n_train), "`dataset.n_train` is wrong");
  require(about.n_test === 0 || isCount(about.n_test), "`dataset.n_test` is wrong");
  require(Number.isFinite(about.y_mean) && about.y_scale > 0, "`dataset.y_scale` is wrong");
}

/**
 * All targets, training first, as numbers of 64 bits.
 * @param {Arrays} arrays
 * @param {string} task
 * @param {number} nClasses
 * @param {number} n
 * @param {number} m
 */
function targetsOf(arrays, task, nClasses, n, m) {
  const dtype = task === "regression" ? "F32" : "I32";
  const parts = [vector(arrays, "data.y", dtype), vector(arrays, "data.y_test", dtype)];
  require(parts[0].length === n && parts[1].length === m, "`y` does not fit");
  const y = new Float64Array(n + m);
  y.set(parts[0], 0);
  y.set(parts[1], n);
  require(y.every(Number.isFinite), "`y` does not fit");
  require(nClasses === 0 || y.every((c) => c >= 0 && c < nClasses), "`y` is none of the classes");
  return y;
}

/**
 * @param {Float32Array} X (n, d)
 * @param {Float32Array} Xtest (m, d)
 * @param {number} d
 * @param {number} c
 */
function columnOf(X, Xtest, d, c) {
  const n = X.length / d, m = Xtest.length / d, column = new Float32Array(n + m);
  for (let i = 0; i < n; i++) column[i] = X[i * d + c];
  for (let i = 0; i < m; i++) column[n + i] = Xtest[i * d + c];
  require(column.every(Number.isFinite), "`X` does not fit");
  return column;
}

/** @param {number[]} sizes */
function nParameters(sizes) {
  let n = 0;
  for (let l = 1; l < sizes.length; l++) n += (sizes[l - 1] + 1) * sizes[l];
  return n;
}
