// What tests/test_lab_model.py asks of the lab's modules; every function takes run files as base64.

import { clipLine, linesOf } from "/model/lines.js";
import { calibration, confusion, metrics, precisionRecall, residuals, rocCurve } from "/model/metrics.js";
import { answerAt, gridSide, Moment, sliceOf } from "/model/moment.js";
import { formulaOf, general, parameterNames, unitNames } from "/model/names.js";
import { meanLoss, Net } from "/model/net.js";
import { bytesOf, paramsAt, readRun, rowOf, updatesOf, withDataOf } from "/model/run.js";
import { hiddenSpace } from "/model/space.js";
import { lossGrid, pathLosses, pathOn, planeOf } from "/model/surface.js";

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const open = (text) => readRun(bytes(text));
const lists = (arrays) => arrays.map((array) => Array.from(array));

/** The bytes of an array as base64, which goes from page to test ten times as fast as a list. */
function raw(array) {
  const all = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let letters = "";
  for (let at = 0; at < all.length; at += 4096) letters += String.fromCharCode(...all.subarray(at, at + 4096));
  return btoa(letters);
}

/** An object with plain lists for its arrays. */
function plain(value) {
  if (ArrayBuffer.isView(value)) return Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

/** What a function returns, or the message that it throws. */
function said(act) {
  try {
    return act();
  } catch (error) {
    return error.message;
  }
}

/** What a generator returns, and how often it handed over. */
function finished(generator) {
  for (let n = 0; ; n++) {
    const { done, value } = generator.next();
    if (done) return { ...value, n_pauses: n };
  }
}

const endOf = (run) => paramsAt(run, run.t - 1);
const passOf = (run) => new Net(run.sizes, run.activation).forward(endOf(run), run.dataset.columns);
const partsOf = ({ dataset: { nTrain, y } }) => [[0, nTrain], [nTrain, y.length]].filter(([from, to]) => to > from);

export function whole([text, isBuffer]) {
  const run = readRun(isBuffer ? bytes(text).buffer : bytes(text)), d = run.dataset;
  const arrays = Object.entries(run).filter(([, value]) => ArrayBuffer.isView(value));
  return {
    arrays: Object.fromEntries(arrays.map(([name, value]) => [name, raw(value)])),
    columns: d.columns.map(raw), inputs: d.inputs.map(raw), targets: raw(d.targets), y: raw(d.y),
    sizes: run.sizes, updates: [run.updatesPerEpoch, run.plannedUpdates],
    ended: [run.outcome, run.ending], names: d.featureNames, file: raw(new Uint8Array(bytesOf(run))),
  };
}

export const rows = ([text, steps]) => steps.map((step) => rowOf(open(text), step));

export const taken = (text) => Array.from(updatesOf(open(text)));

export function borrowed(texts) {
  const [bare, full, other] = texts.map(open);
  return [bare.dataset.y.length, lists(withDataOf(bare, full).dataset.inputs), said(() => withDataOf(bare, other))];
}

export const refusals = (texts) => texts.map((text) => said(() => (open(text), "read")));

export function layers(texts) {
  let pass = null; // handed on from net to net, of whatever shape
  return texts.map((text) => {
    const run = open(text);
    pass = new Net(run.sizes, run.activation).forward(paramsAt(run, 0), run.dataset.columns, pass);
    return [...pass.hidden, pass.out].map((units) => units.map(raw));
  });
}

export function losses([text, names]) {
  const run = open(text), d = run.dataset, n = d.y.length;
  const moment = new Moment(run, endOf(run), { step: 0 }), { out } = moment.samples;
  const byPart = (name) => partsOf(run).map(([from, to]) => meanLoss(name, d.task, out, d.y, from, to));
  return {
    own: moment.losses, scores: moment.scores,
    losses: names.map(byPart), empty: meanLoss(names[0], d.task, out, d.y, n, n),
  };
}

export function formulas(text) {
  const run = open(text), units = unitNames(run), params = endOf(run);
  const written = (layer, unit) => {
    const formula = formulaOf(run, params, layer, unit);
    const inPlace = [...formula.terms, formula.bias].every(({ index, value }) => params[index] === value);
    return inPlace && lineOf(formula);
  };
  const lines = units.slice(1).map((column, layer) => column.map((_, unit) => written(layer, unit)));
  return { parameters: parameterNames(run.sizes), units, lines };
}

/** In one line, as Python's `unit_formula` with its twelve largest terms. */
function lineOf({ left, activation, terms, bias }) {
  const signed = (value) => `${value < 0 ? "-" : "+"} ${general(Math.abs(value), 3)}`;
  const kept = [...terms].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 12);
  const inOrder = kept.sort((a, b) => a.index - b.index);
  const isWord = (name) => /^[\p{L}\p{N}_.^[\]]+$/u.test(name);
  const parts = inOrder.map(({ value, name }) => `${signed(value)} ${isWord(name) ? name : `[${name}]`}`);
  if (kept.length < terms.length) parts.push(`+ (${terms.length - kept.length} smaller terms)`);
  const sum = [...parts, signed(bias.value)].join(" ").replace(/^\+ /, "").replace(/^- /, "-");
  return `${left} = ${activation ? `${activation}(${sum})` : sum}`;
}

export function tables(text) {
  const run = open(text), { out } = passOf(run);
  const mistakes = run.dataset.task === "regression" ? residuals : confusion;
  return partsOf(run).map(([from, to]) => plain({ ...metrics(run, out, from, to), mistakes: mistakes(run, out, from, to) }));
}

export function curves(text) {
  const run = open(text), { out } = passOf(run), part = partsOf(run).pop();
  return plain([rocCurve, precisionRecall, calibration].map((curve) => curve(run, out, ...part)));
}

export const unmeasured = (text) => {
  const run = open(text), { out } = passOf(run);
  return [metrics, rocCurve].map((measure) => said(() => measure(run, out, 0, run.dataset.y.length)));
};

export function surface([text, options, grid]) {
  const run = open(text), plane = planeOf(run, options), path = pathOn(run, plane, 1000);
  return plain({
    plane, path, grid: finished(lossGrid(run, plane, grid)),
    own: finished(pathLosses(run, plane, path)), onPlane: finished(pathLosses(run, plane, path, { onPlane: true })),
  });
}

export function field([text, features, side, point]) {
  const run = open(text), moment = new Moment(run, endOf(run), { step: 0, features });
  const { xs, ys, pass } = moment.field(side);
  return plain({ xs, ys, out: pass.out, slice: sliceOf(run.dataset, features), answer: answerAt(run, endOf(run), point) });
}

export const side = ([text, most]) => gridSide(open(text), most);

export function bare_field(text) {
  const run = open(text);
  return said(() => new Moment(run, endOf(run), { step: 0 }).field(9).side);
}

/** Moments one after the other, each in the arrays of the one before; then the first again, and all made alone. */
export function sequence(text) {
  const run = open(text), made = [];
  for (let row = 0; row < run.t; row += 10) {
    const moment = new Moment(run, paramsAt(run, row), { step: row, last: made[made.length - 1]?.moment });
    made.push({ moment, shown: plain([moment.samples.out, moment.field(9).pass.out, moment.field(5).pass.out]) });
  }
  const first = made[0].moment, again = plain([first.samples.out, first.field(9).pass.out, first.field(5).pass.out]);
  const alone = made.map(({ moment: { params, step } }) => {
    const fresh = new Moment(run, params, { step });
    return plain([fresh.samples.out, fresh.field(9).pass.out, fresh.field(5).pass.out]);
  });
  return { shown: made.map(({ shown }) => shown), again, alone };
}

export function clipped([text, x, y]) {
  const run = open(text), lines = linesOf(run, endOf(run));
  return { lines, ends: lines.map(({ w, b }) => clipLine(w, b, { x, y })) };
}

export function space([text, options]) {
  const run = open(text);
  return plain(said(() => hiddenSpace(run, endOf(run), passOf(run), options)));
}

/** Best seconds of many: the forward pass of 2-3-1 over 15,000 places, and its exponentials alone. */
export function cost() {
  const n = 15_000, net = new Net([2, 3, 1], "sigmoid"), params = Float64Array.from({ length: 13 }, Math.random);
  const columns = [0, 1].map(() => Float64Array.from({ length: n }, Math.random)), bare = new Float64Array(3 * n);
  let pass = net.forward(params, columns);
  const best = (act) => Math.min(...Array.from({ length: 60 }, () => {
    const begin = performance.now();
    act();
    return performance.now() - begin;
  }));
  const exponentials = () => { for (let i = 0; i < bare.length; i++) bare[i] = Math.exp(columns[0][i % n]); };
  return { pass: best(() => (pass = net.forward(params, columns, pass))), exponentials: best(exponentials) };
}
