// The loss over a plane of parameters, and the way that training took through it.

import { Scene } from "../draw/scene.js";
import { colours } from "../draw/colours.js";
import { general, parameterNames } from "../model/names.js";
import { meanLoss } from "../model/net.js";
import { LOSSES } from "../model/run.js";
import { placeOn } from "../model/surface.js";
import { el, shown, whole } from "../page/dom.js";
import { ColourBar, heatImage, heightOf, levelsOf } from "./heat.js";
import { Surveyor } from "./landscape.js";
import { lossLabel, lossName, menu, needsSamples, paced, picture, toggle, whileOpen, write } from "./shared.js";
import { Stage } from "./stage.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("./landscape.js").Land} Land */
/** @typedef {import("../page/actions.js").Actions} Actions */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {import("../draw/solids.js").Mark} SolidMark */

export const title = "Surface";
export const help =
  "The loss over two directions of the parameters, dark where it is small, with the path of the training up to now. Play it; then switch to 3-D, take another loss, or click into the plane of a model with two parameters to start there.";
export const needsServer = false;

const REST_MS = 250; // the moment must stand still so long before a slice through it is computed
const LIFT = 0.012; // of the height: the path lies on the surface, not in it

/** @param {Run} run */
export function applies(run) {
  return needsSamples(run) ?? (run.t > 1 ? null : "This run has no path yet: it was recorded at its start alone.");
}

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  const view = new View(store, actions);
  root.append(view.controls, view.flat.root, view.solid.root, view.bar.canvas, view.said, view.note);
  whileOpen(store, { tab: "surface", applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store @param {Actions|null} actions */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.kind = "2d";
    this.plane = "path";
    /** @type {[number, number]} */
    this.pair = [0, 1];
    this.loss = "";
    /** @type {Run|null} */
    this.run = null;
    /** @type {Land|null} */
    this.land = null;
    this.problem = "";
    this.hovered = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.waiting = undefined;
    /** @type {{grid: import("../model/surface.js").LossGrid|null, mark: SolidMark|null}} */
    this.ground = { grid: null, mark: null };
    this.surveyor = new Surveyor((land) => this.#arrived(land), (problem) => this.#failed(problem));
    this.bar = new ColourBar();
    this.said = el("p", { class: "said", "aria-live": "off" });
    this.note = el("p", { class: "note" });
    this.flat = picture("", { tip: "", class: "surface-2d" });
    this.solid = picture("", { tip: "", class: "surface-3d" });
    this.stage = new Stage(this.flat.canvas);
    this.scene = new Scene(this.solid.canvas, { axes: [] });
    this.controls = this.#controls();
    this.pace = paced(() => this.#drawNow());
    this.#listen();
  }

  #controls() {
    this.losses = menu("loss", "Another loss at the same parameters: the path stays, the land below it changes.", (loss) => {
      this.loss = loss;
      this.#survey();
    });
    this.planes = menu("plane", "The plane in which the path lies as far as one can, or any two of the parameters, the others as they are now.", (plane) => {
      this.plane = plane;
      this.#survey();
    });
    this.pairs = [0, 1].map((axis) =>
      menu(axis ? "y" : "x", "Which parameter lies along this axis.", (value) => {
        if (this.pair[1 - axis] === Number(value)) this.pair[1 - axis] = this.pair[axis];
        this.pair[axis] = Number(value);
        this.#survey();
      }),
    );
    this.kinds = toggle("View", "A map from above, or the same land to be turned by hand.", [["2d", "2-D"], ["3d", "3-D"]], (kind) => {
      this.kind = kind;
      this.#showControls();
      this.stage.key = "";
      this.pace();
    });
    return el("div", { class: "controls" }, this.kinds.root, this.losses.root, this.planes.root, ...this.pairs.map(({ root }) => root));
  }

  #showControls() {
    const { run } = this;
    if (!run) return;
    this.kinds?.show(this.kind);
    this.losses?.show(LOSSES[run.dataset.task].filter((loss) => loss !== "relative" || !run.dataset.spec.standardize).map((loss) => [loss, lossName(loss)]), this.loss);
    this.planes?.show([["path", "through the path"], ["pair", "two parameters"]], this.plane);
    /** @type {HTMLElement|undefined} */ (this.planes?.root)?.toggleAttribute("hidden", run.p === 2);
    const names = parameterNames(run.sizes);
    this.pairs?.forEach((one, axis) => {
      one.root.hidden = this.plane !== "pair" || run.p === 2;
      if (!one.root.hidden) one.show(names.map((name, i) => [String(i), name]), String(this.pair[axis]));
    });
    this.flat.root.hidden = this.kind !== "2d";
    this.solid.root.hidden = this.kind !== "3d";
  }

  /** @param {Now} now */
  draw({ run, changed }) {
    if (this.run !== run) this.#take(run);
    else if (this.plane === "pair" && changed.has("moment")) this.#surveySoon();
    this.pace();
  }

  /** @param {Run} run */
  #take(run) {
    const fits = this.run && String(this.run.sizes) === String(run.sizes);
    const isTask = this.run?.dataset.task === run.dataset.task;
    if (!fits) [this.plane, this.pair] = ["path", [0, 1]];
    if (!isTask || this.loss === this.run?.loss) this.loss = run.loss;
    this.run = run;
    this.#survey();
  }

  #surveySoon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.store.state.playing || this.land?.row === this.store.state.row || this.#survey(), REST_MS);
  }

  #survey() {
    const { run, loss } = this;
    if (!run) return;
    this.problem = "";
    this.#showControls();
    const pair = this.plane === "pair" && run.p > 2 ? this.pair : null;
    const row = pair ? this.store.state.row : run.t - 1;
    this.surveyor.survey({ run, loss, pair, row }, this.actions !== null);
  }

  /** @param {Land} land */
  #arrived(land) {
    this.land = land;
    this.stage.key = "";
    const { nUsed = 0, n = 0 } = land.grid ?? {};
    const fixed = land.pair ? `The other parameters are as at step ${whole(land.run.steps[land.row])}.` : "";
    const sampled = nUsed < n ? `Computed on ${whole(nUsed)} of ${whole(n)} training samples.` : "";
    const start = this.actions && land.run.p === 2 ? "Click into the plane to train from there." : "";
    write(this.note, [land.plane.note, fixed, sampled, start].filter(Boolean).join(" "));
    const label = lossLabel(land.run, land.loss);
    if (land.heights) this.bar.show(land.heights, `${label}, on the training part`);
    const said = `The ${label} over ${land.plane.axisNames.join(" and ")}, with the path of the training. ${land.plane.note}`;
    this.flat.describe(said);
    this.solid.describe(said);
    this.pace();
  }

  /** @param {string} problem */
  #failed(problem) {
    this.problem = problem;
    this.land = null;
    write(this.said, problem);
  }

  #drawNow() {
    const { land, run } = this;
    const { moment, theme, row } = this.store.state;
    if (this.problem || !run || moment?.run !== run) return; // a land may come once another run is shown
    if (!land || land.run !== run) return write(this.said, "Computing the surface …");
    const now = placeOn(land.plane, moment.params);
    const passed = land.path.rows.findLastIndex((at) => at <= row) + 1;
    const loss = meanLoss(land.loss, run.dataset.task, moment.samples.out, run.dataset.y, 0, run.dataset.nTrain, run.dataset.weights);
    if (this.kind === "2d") {
      this.stage.lower(`${theme}`, () => lowerOf(land));
      this.stage.upper(upperOf(land, passed, now));
    } else this.#drawSolid(land, passed, now, loss);
    this.bar.point(loss);
    if (this.hovered) return;
    const off = run.p > 2 ? `, ${shown(now.distance, 2)} off this plane` : "";
    write(this.said, `Step ${whole(moment.step)}: ${lossName(land.loss)} ${shown(loss)}${off}.`);
  }

  /** @param {Land} land @param {number} passed @param {{u: number, v: number}} now @param {number} loss */
  #drawSolid(land, passed, now, loss) {
    const { path, grid, heights, onPlane } = land;
    if (!grid || !heights || !onPlane) return;
    if (this.ground.grid !== grid) {
      this.ground = { grid, mark: groundOf(land) };
      this.scene.set({ axes: solidAxes(land) });
    }
    const lift = LIFT * (heightOf(heights.high, heights) - heightOf(heights.low, heights));
    const z = onPlane.map((value) => heightOf(value, heights) + lift);
    const last = passed ? z[passed - 1] : heightOf(loss, heights) + lift;
    const { highlight: colour } = colours;
    /** @type {SolidMark[]} */
    const marks = [
      { kind: "line", x: path.u.subarray(0, passed), y: path.v.subarray(0, passed), z: z.subarray(0, passed), colour, width: 2.5 },
      { kind: "points", x: [path.u[0]], y: [path.v[0]], z: [z[0]], colour, hollow: true, fill: colours.white, size: 9 },
      { kind: "points", x: [now.u], y: [now.v], z: [last], colour, size: 11, edge: colours.white },
    ];
    this.scene.draw(this.ground.mark ? [this.ground.mark, ...marks] : marks);
  }

  #listen() {
    const { stage } = this;
    stage.onHover((x, y) => {
      const loss = this.land && nearestLoss(this.land, x, y);
      if (!this.land || loss === null) return;
      this.hovered = true;
      const [a, b] = this.land.plane.kind === "exact" ? ["w", "b"] : this.land.plane.axisNames;
      write(this.said, `Here: ${a} ${shown(x, 3)}, ${b} ${shown(y, 3)}, ${lossName(this.land.loss)} ${shown(loss)}.`);
    }, () => {
      this.hovered = false;
      this.pace();
    });
    stage.onClick((x, y) => {
      if (this.run?.p !== 2 || !this.actions) return;
      this.actions.change("network", { init: [x, y].map((value) => Number(value.toPrecision(4))) });
    });
  }
}

/** @param {Land} land @param {number} x @param {number} y @returns {number|null} */
function nearestLoss({ grid, plane }, x, y) {
  if (!grid) return null;
  const side = grid.xs.length;
  const place = (/** @type {number} */ value, /** @type {[number, number]} */ [low, high]) => Math.round(((value - low) / (high - low)) * (side - 1));
  return grid.values[place(y, plane.yRange) * side + place(x, plane.xRange)] ?? null;
}

/** @param {Land} land */
function solidAxes({ plane, heights }) {
  const [low, high] = heights ? [heightOf(heights.low, heights), heightOf(heights.high, heights)] : [0, 1];
  return [
    { label: short(plane.axisNames[0]), range: plane.xRange },
    { label: short(plane.axisNames[1]), range: plane.yRange },
    { label: "loss", range: [low, high + 2 * LIFT * (high - low)], ticks: heights?.isLog ? decadeTicks(low, high) : undefined },
  ];
}

/** Powers of ten, as their logarithms stand upright; where there is one at most, 1, 2 and 5 times it.
 * @param {number} low @param {number} high logarithms */
function decadeTicks(low, high) {
  const parts = high - low > 1.6 ? [1] : [1, 2, 5];
  const losses = [];
  for (let power = Math.floor(low); power <= high; power += 1) losses.push(...parts.map((part) => part * 10 ** power));
  const kept = losses.filter((loss) => Math.log10(loss) >= low && Math.log10(loss) <= high);
  return { at: kept.map(Math.log10), labels: kept.map((loss) => general(loss, 3)) };
}

/** The land itself, for the 3-D view. @param {Land} land @returns {SolidMark|null} */
function groundOf({ grid, heights }) {
  if (!grid || !heights) return null;
  const values = grid.values.map((value) => (Number.isFinite(value) ? heightOf(value, heights) : NaN));
  return { kind: "surface", xs: grid.xs, ys: grid.ys, values, ramp: colours.lossRamp(256) };
}

/** What stays: colours, lines of equal loss, the whole path faintly. @param {Land} land */
function lowerOf({ plane, path, grid, heights }) {
  const options = { x: { label: plane.axisNames[0], range: plane.xRange }, y: { label: plane.axisNames[1], range: plane.yRange } };
  /** @type {Mark[]} */
  const marks = [];
  if (!grid || !heights) return { options, marks };
  const { xs, ys, values } = grid;
  marks.push({ kind: "image", image: heatImage(values, xs.length, heights), x: plane.xRange, y: plane.yRange });
  marks.push({ kind: "contour", levels: levelsOf(heights), xs, ys, values, colour: colours.white, width: 0.75, alpha: 0.4 });
  marks.push({ kind: "line", x: path.u, y: path.v, colour: colours.white, width: 1.5, alpha: 0.55 });
  const end = path.u.length - 1;
  marks.push({ kind: "points", x: [path.u[end]], y: [path.v[end]], colour: colours.white, hollow: true, size: 9, alpha: 0.8 });
  if (plane.optimum) marks.push({ kind: "points", x: [plane.optimum.x], y: [plane.optimum.y], colour: colours.white, edge: colours.line, marker: "*", size: 13 });
  return { options, marks };
}

/** What moves: the path up to now, its start, and now.
 * @param {Land} land @param {number} passed @param {{u: number, v: number}} now @returns {Mark[]} */
function upperOf({ path }, passed, now) {
  const colour = colours.highlight;
  const x = Float64Array.of(...path.u.subarray(0, passed), now.u);
  const y = Float64Array.of(...path.v.subarray(0, passed), now.v);
  return [
    { kind: "line", x, y, colour, width: 2.25, halo: colours.white },
    { kind: "points", x: [path.u[0]], y: [path.v[0]], colour, hollow: true, fill: colours.white, size: 9 },
    { kind: "points", x: [now.u], y: [now.v], colour, edge: colours.white, size: 12 },
  ];
}

/** Beside a slanting edge there is no room for more.
 * @param {string} axisName */
function short(axisName) {
  return axisName.replace("principal direction", "direction");
}
