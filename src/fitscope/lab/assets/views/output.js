// What the network answers: the field over two inputs, or the curve over one, with the samples.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { fieldImage } from "../draw/field.js";
import { clipLine, linesOf } from "../model/lines.js";
import { answerAt, mediansOf, sliceOf } from "../model/moment.js";
import { probabilities } from "../model/net.js";
import { el, refill, shown } from "../page/dom.js";
import { pointsOf } from "./clouds.js";
import { answerLabel, className } from "./shared.js";

/** @typedef {import("../page/store.js").Store} Store */
/** @typedef {import("../page/store.js").State} State */
/** @typedef {import("../page/actions.js").Actions} Actions */
/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/moment.js").Moment} Moment */

export const title = "Output";
export const help =
  "Warm is where the network answers class 1, cool where class 0, and white is 0.5. Scrub through time and see where the border turns.";
export const needsServer = false;

const REACH_PX = 9; // a click so near to a point set by hand takes it away

/** @param {Run} run */
export function applies(run) {
  return run.dataset.inputs[0]?.length ? null : "This run was saved without its samples; the losses and parameters are there.";
}

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  const canvas = el("canvas", { class: "field" });
  const pointer = el("p", { class: "pointer", "aria-live": "off" });
  const chart = new Chart(canvas, { bare: true, x: { label: "", range: [0, 1] }, y: { label: "", range: [0, 1] } });
  root.append(controls(store), canvas, pointer);
  /** @type {{run: Run|null, marks: any[]}} */
  let samples = { run: null, marks: [] };
  const draw = () => {
    const { run, moment, tab, features } = store.state;
    if (!run || !moment || tab !== "output" || !run.dataset.inputs[0]?.length) return;
    const isNew = samples.run !== run;
    if (isNew) samples = { run, marks: pointsOf(run, features, { edge: undefined }) }; // rims, on a ground of their own colour
    const isPlane = run.dataset.d > 1;
    chart.set(isPlane ? planeAxes(run, moment, features) : curveAxes(run, moment));
    chart.draw(isPlane ? planeMarks(store.state, moment, samples.marks) : curveMarks(moment, samples.marks));
    if (isNew) markPicture();
  };
  store.on(["moment", "tab", "theme", "lines", "unit"], draw);
  store.on(["features", "theme"], () => {
    samples = { run: null, marks: [] };
    draw();
  });
  store.on(["run"], ({ run }) => run && chart.describe(described(run)));
  store.on(["brush"], ({ brush }) => canvas.classList.toggle("brush", brush !== null));
  tellUnderPointer(chart, pointer, store);
  if (actions) setPoints(canvas, chart, store, actions);
}

/** Which inputs, and whether hidden lines are drawn.
 * @param {Store} store */
function controls(store) {
  const root = el("div", { class: "controls" });
  store.on(["run", "features", "lines"], ({ run, features, lines }) => {
    if (!run) return;
    const { d, featureNames } = run.dataset;
    const canLine = d === 2 && run.sizes.length > 2;
    const toggle = canLine && el("label", { class: "check", tip: "The line of each hidden unit: it answers 0.5 there, and more on the warm side." }, el("input", { type: "checkbox", checked: lines, on: { change: () => store.set({ lines: !lines }) } }), "lines of hidden units");
    const axes = d > 2 ? [0, 1].map((axis) => featureMenu(axis, featureNames, features, store)) : [];
    const note = d > 2 && el("span", { class: "note" }, sliceOf(run.dataset, features).note);
    refill(root, ...axes, toggle, note);
    root.hidden = !canLine && d <= 2;
  });
  return root;
}

/** @param {number} axis @param {string[]} names @param {[number, number]} features @param {Store} store */
function featureMenu(axis, names, features, store) {
  const select = el("select", { "aria-label": axis ? "input along y" : "input along x", tip: "Which input lies along this axis." }, ...names.map((name, i) => el("option", { value: i, selected: i === features[axis] }, name)));
  select.addEventListener("change", () => {
    const next = /** @type {[number, number]} */ ([...features]);
    const chosen = Number(select.value);
    if (next[1 - axis] === chosen) next[1 - axis] = features[axis];
    next[axis] = chosen;
    store.set({ features: next });
  });
  return el("label", {}, axis ? "y " : "x ", select);
}

/** @param {Run} run @param {Moment} moment @param {[number, number]} features */
function planeAxes(run, moment, features) {
  const { xs, ys } = moment.picture;
  const names = run.dataset.featureNames;
  const [x, y] = [ends(xs), ends(/** @type {Float64Array} */ (ys))];
  const ratio = (y[1] - y[0]) / (x[1] - x[0]);
  return {
    ...{ bare: false, equal: ratio > 0.7 && ratio < 1.4, legend: true },
    x: { label: names[features[0]], range: x },
    y: { label: names[features[1]], range: y },
  };
}

/** @param {Run} run @param {Moment} moment */
function curveAxes(run, moment) {
  const { xs } = moment.picture;
  const { targets, classes, featureNames } = run.dataset;
  const [low, high] = classes.length ? [0, Math.max(1, classes.length - 1)] : extent(targets);
  const margin = 0.12 * (high - low || 1);
  return {
    ...{ bare: false, equal: false, legend: true },
    x: { label: featureNames[0], range: ends(xs) },
    y: { label: answerLabel(run.dataset), range: [low - margin, high + margin] },
  };
}

/** @param {Float64Array} values @returns {[number, number]} */
function ends(values) {
  return [values[0], values[values.length - 1]];
}

/** @param {Float64Array} values */
function extent(values) {
  return values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
}

/** @param {State} state @param {Moment} moment @param {any[]} points */
function planeMarks(state, moment, points) {
  const run = /** @type {Run} */ (state.run);
  const field = moment.picture;
  const [x, y] = [ends(field.xs), ends(/** @type {Float64Array} */ (field.ys))];
  return [{ kind: "image", image: fieldImage(run, field, null), x, y }, ...points, ...lineMarks(state, moment, x, y)];
}

/** The lines of all units of the first layer, or of the selected one.
 * @param {State} state @param {Moment} moment @param {[number, number]} x @param {[number, number]} y */
function lineMarks({ run, unit, lines }, moment, x, y) {
  if (!run || run.dataset.d !== 2) return [];
  const chosen = unit?.layer === 0 ? unit.unit : -1;
  const marks = [];
  for (const [i, line] of linesOf(run, moment.params).entries()) {
    const places = (lines || i === chosen) && clipLine(line.w, line.b, { x, y });
    if (!places) continue;
    const isChosen = i === chosen;
    const [from, to] = places;
    marks.push({ kind: "line", x: [from[0], to[0]], y: [from[1], to[1]], colour: colours.line, width: isChosen ? 2.5 : 1.4, dash: isChosen ? undefined : [6, 4] });
  }
  return marks;
}

/** @param {Moment} moment @param {any[]} points */
function curveMarks(moment, points) {
  const { run } = moment;
  const { xs } = moment.picture;
  const curves = answersAlong(run, moment);
  const several = curves.length > 1;
  const lines = curves.map((y, i) => ({ kind: "line", x: xs, y, colour: several ? colours.classColour(i) : colours.highlight, width: 2.25, name: several ? undefined : "answer" }));
  const half = run.dataset.classes.length === 2 ? [{ kind: "rule", y: 0.5, colour: colours.inks().muted, dash: [3, 4] }] : [];
  return [...half, ...points, ...lines];
}

/** What a network with one input answers along it, in the units of the picture.
 * @param {Run} run @param {Moment} moment @returns {Float64Array[]} */
function answersAlong(run, moment) {
  const field = moment.picture;
  const { classes, yMean, yScale } = run.dataset;
  if (!classes.length) return [field.pass.out[0].map((value) => value * yScale + yMean)];
  const found = probabilities(field.pass.out);
  return classes.length === 2 ? [found[1]] : found;
}

/** The answer below the pointer, in words.
 * @param {Chart} chart @param {HTMLElement} pointer @param {Store} store */
function tellUnderPointer(chart, pointer, store) {
  const idle = "Point at the picture to read the answer there.";
  pointer.textContent = idle;
  chart.onHover((x, y) => {
    const { run, moment, features } = store.state;
    if (!run || !moment || x === null) return void (pointer.textContent = idle);
    const { d, featureNames, targetName, classes } = run.dataset;
    const point = mediansOf(run.dataset).slice();
    point[features[0]] = x;
    if (d > 1) point[features[1]] = y;
    const answer = answerAt(run, moment.params, point);
    const place = d > 1 ? `${featureNames[features[0]]} ${shown(x, 3)}, ${featureNames[features[1]]} ${shown(y, 3)}` : `${featureNames[0]} ${shown(x, 3)}`;
    pointer.textContent = answer.probabilities
      ? `${place}: ${className(run.dataset, classes.findIndex((label) => label === answer.label))} with probability ${Math.max(...answer.probabilities).toFixed(3)}`
      : `${place}: ${targetName} ${shown(answer.value)}`;
  });
}

/** A click sets a point of the chosen class, or takes one away that was set by hand.
 * @param {HTMLCanvasElement} canvas @param {Chart} chart @param {Store} store @param {Actions} actions */
function setPoints(canvas, chart, store, actions) {
  canvas.addEventListener("click", (event) => {
    const { brush, run, experiment } = store.state;
    const box = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (brush === null || !run || !chart.inside(px, py)) return;
    const points = /** @type {number[][]} */ (experiment.data.points ?? []);
    const near = points.findIndex((row) => {
      const [x, y] = chart.toPixel(row[0], row[1]);
      return Math.hypot(x - px, y - py) < REACH_PX;
    });
    const [x, y] = chart.toData(px, py).map((value) => Number(value.toPrecision(4)));
    const added = run.dataset.d > 1 ? [x, y, brush] : [x, run.dataset.classes.length ? brush : y];
    const next = near < 0 ? [...points, added] : points.filter((_, i) => i !== near);
    actions.change("data", { points: next.length ? next : null });
  });
}

/** @param {Run} run */
function described(run) {
  const { d, featureNames, targetName } = run.dataset;
  const over = d > 1 ? "the plane of two inputs" : featureNames[0];
  return `What the network answers for ${targetName} over ${over}, with the samples`;
}

/** Notes in the browser's own timeline that a run's first picture stands; the bench reads it. */
function markPicture() {
  performance.clearMarks("fitscope:picture");
  performance.mark("fitscope:picture");
}
