// Runs side by side: their losses judged alike, and what each answers at the same step.

import { colours } from "../draw/colours.js";
import { fieldImage } from "../draw/field.js";
import { gridSide, Moment } from "../model/moment.js";
import { meanLoss, Net, probabilities } from "../model/net.js";
import { paramsAt, rowOf, updatesOf } from "../model/run.js";
import { spread } from "../model/surface.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {{run: Run, name: string, colour: string, dash: number[]|undefined, isShown: boolean}} Rival */
/** @typedef {{updates: Float64Array, losses: Float64Array}} Curve */

const DASHES = [undefined, [7, 4], [2, 4]]; // so that runs that coincide are both seen
const MOST_EPOCHS = 200; // evaluated again, where the runs' own losses cannot be compared
const MOST_WORK = 3e8; // sums of a run that is evaluated again: about a third of a second
const SMALL = 56; // points a side of a small field
const ALONG = 400; // of a response curve, as the output draws it
const SLICE_MS = 8;

/** The runs with their names and looks; the one that is shown and not kept is in ink.
 * @param {Run[]} pins @param {Run} shown @param {(runs: Run[]) => string[]} namesOf @returns {Rival[]} */
export function rivalsOf(pins, shown, namesOf) {
  const runs = pins.includes(shown) ? pins : [...pins, shown];
  const names = namesOf(runs);
  return runs.map((run, i) => {
    const isKept = i < pins.length;
    return { run, name: names[i], colour: isKept ? colours.runColour(i) : colours.inks().ink, dash: isKept ? DASHES[i % DASHES.length] : undefined, isShown: run === shown };
  });
}

/** The training loss that a run recorded, epoch by epoch. @param {Run} run @returns {Curve} */
export function recorded(run) {
  return { updates: updatesOf(run), losses: Float64Array.from(run.trainLoss) };
}

/** A run's training loss by another measure, from the parameters at its epochs.
 * @param {Run} run @param {string} loss @returns {Generator<number, Curve, void>} */
export function* evaluated(run, loss) {
  const { dataset, updatesPerEpoch } = run;
  const { nTrain } = dataset;
  const columns = dataset.columns.map((column) => Float64Array.from(column.subarray(0, nTrain)));
  const ends = Array.from({ length: run.t }, (_, row) => row).filter((row) => run.steps[row] % updatesPerEpoch === 0);
  const most = Math.max(40, Math.min(MOST_EPOCHS, Math.floor(MOST_WORK / (nTrain * run.p))));
  const rows = spread(ends.length, most).map((i) => ends[i]);
  const net = new Net(run.sizes, run.activation);
  const losses = new Float64Array(rows.length);
  let [pass, began] = [/** @type {import("../model/net.js").Pass|null} */ (null), performance.now()];
  for (let k = 0; k < rows.length; k += 1) {
    pass = net.forward(paramsAt(run, rows[k]), columns, pass);
    losses[k] = meanLoss(loss, dataset.task, pass.out, dataset.y, 0, nTrain, dataset.weights);
    if (performance.now() - began < SLICE_MS) continue;
    yield k;
    began = performance.now();
  }
  return { updates: Float64Array.from(rows, (row) => run.steps[row]), losses };
}

/** Moments of the runs at one step, whose arrays are used again.
 * @type {WeakMap<Run, Moment>} */
const last = new WeakMap();

/** What a run answered at a step, or at its end where that came before. @param {Run} run @param {number} step @param {number[]} features */
export function momentAt(run, step, features) {
  const row = rowOf(run, step);
  const before = last.get(run) ?? null;
  if (before?.step === run.steps[row] && String(before.features) === String(features)) return before;
  const moment = new Moment(run, paramsAt(run, row), { step: run.steps[row], features, last: before });
  last.set(run, moment);
  return moment;
}

/** A run's answers over the inputs, as a small field or a curve.
 * @param {Run} run @param {Moment} moment @returns {{x: ArrayLike<number>, y: ArrayLike<number>|null, marks: Mark[]}} */
export function fieldMarks(run, moment) {
  const field = moment.field(gridSide(run, SMALL));
  const [x, y] = [field.xs, /** @type {Float64Array} */ (field.ys)].map((places) => [places[0], places[places.length - 1]]);
  return { x, y, marks: [{ kind: "image", image: fieldImage(run, field, null), x, y }] };
}

/** What a run answers along its one input, in the data's units; null for several classes.
 * @param {Run} run @param {Moment} moment @returns {{xs: Float64Array, ys: Float64Array}|null} */
export function curveOf({ dataset }, moment) {
  const { xs, pass } = moment.field(ALONG);
  if (!dataset.classes.length) return { xs, ys: pass.out[0].map((value) => value * dataset.yScale + dataset.yMean) };
  return dataset.classes.length === 2 ? { xs, ys: probabilities(pass.out)[1] } : null;
}
