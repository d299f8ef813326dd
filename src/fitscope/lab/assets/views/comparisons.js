// The pictures of several runs: losses, small fields, response curves, paths.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { linspace } from "../model/moment.js";
import { lossGrid, spread } from "../model/surface.js";
import { el } from "../page/dom.js";
import { pointsOf } from "./clouds.js";
import { heatImage, heightsOf, levelsOf } from "./heat.js";
import { curveOf, evaluated, fieldMarks, momentAt, recorded } from "./rivals.js";
import { answerLabel, cut, lossLabel, picture, rangeOf, updatesAxis, widened } from "./shared.js";
import { Slices } from "./slices.js";
import { Stage } from "./stage.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../page/store.js").State} State */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {import("./rivals.js").Rival} Rival */
/** @typedef {import("./rivals.js").Curve} Curve */

const MOST_PATH = 1200;
const MOST_SMALL = 120; // points of a class in a small field
const SIDE = 60; // of the land below the paths

/** The training losses over the updates. */
export class LossCurves {
  constructor() {
    this.frame = picture("Loss on the training part", { tip: "Each run's loss over its updates; the rule is the present step.", class: "loss-curves" });
    this.stage = new Stage(this.frame.canvas);
    this.root = this.frame.root;
    this.slices = new Slices();
    /** Losses by another measure, by run. @type {Map<Run, {loss: string, curve: Curve}>} */
    this.judged = new Map();
    this.key = "";
  }

  /** @param {Rival[]} rivals @param {State} state @param {number|null} optimum */
  draw(rivals, state, optimum) {
    const { run, moment, scale, theme } = state;
    if (!run || !moment) return;
    const missing = rivals.find((rival) => !this.#curve(rival.run, run.loss));
    if (missing && this.waiting !== missing.run) this.#judge(missing.run, run.loss, () => state.run === run && this.draw(rivals, state, optimum));
    const there = rivals.filter((rival) => this.#curve(rival.run, run.loss));
    const key = [scale, theme, optimum, run.loss, ...there.map(({ name, colour, run: one }) => `${name} ${colour} ${one.steps[one.t - 1]} ${one.trainLoss.at(-1)}`)].join();
    this.stage.lower(key, () => this.#lower(there, run, scale, optimum));
    this.stage.upper([{ kind: "rule", x: moment.step, colour: colours.inks().muted }]);
  }

  /** @param {Run} run @param {string} loss @returns {Curve|null} */
  #curve(run, loss) {
    const known = this.judged.get(run);
    if (known?.loss === loss) return known.curve;
    if (run.loss !== loss) return null;
    const curve = recorded(run);
    this.judged.set(run, { loss, curve });
    return curve;
  }

  /** @param {Run} run @param {string} loss @param {() => void} then */
  async #judge(run, loss, then) {
    this.waiting = run;
    const curve = await this.slices.run(evaluated(run, loss));
    if (this.waiting === run) this.waiting = null;
    if (!curve) return;
    this.judged.set(run, { loss, curve });
    then();
  }

  /** @param {Rival[]} rivals @param {Run} run @param {"log"|"even"} scale @param {number|null} optimum */
  #lower(rivals, run, scale, optimum) {
    const curves = rivals.map((rival) => /** @type {Curve} */ (this.#curve(rival.run, run.loss)));
    const [low, high] = rangeOf(...curves.map(({ losses }) => losses), optimum === null ? [] : [optimum]);
    const isLog = low > 0 && high > 10 * low;
    const last = Math.max(...rivals.map((rival) => rival.run.steps[rival.run.t - 1]));
    const range = isLog ? [low / 1.25, high * 1.25] : [Math.min(0, low), 1.06 * high];
    const y = { label: lossLabel(run), range, scale: /** @type {"log"|"linear"} */ (isLog ? "log" : "linear") };
    /** @type {Mark[]} */
    const marks = rivals.map(({ colour, dash, name, isShown }, i) => ({ kind: "line", x: curves[i].updates, y: curves[i].losses, colour, dash, width: isShown ? 2.4 : 1.6, name: rivals.length > 1 ? cut(name, 44) : undefined }));
    if (optimum !== null) marks.push({ kind: "rule", y: optimum, colour: colours.highlight, dash: [3, 3], width: 1.5, label: "optimum" });
    this.frame.describe(`Training losses of ${rivals.length} run${rivals.length === 1 ? "" : "s"}: ${rivals.map(({ name }, i) => `${name} ends at ${curves[i].losses.at(-1)?.toPrecision(3)}`).join("; ")}.`);
    return { options: { x: updatesAxis(last, scale), y }, marks };
  }
}

/** What each run answers over two inputs at the same step. */
export class SmallFields {
  constructor() {
    this.heading = el("h3", { tip: "Each run at the step that is shown, or at its end where that came before." }, "Answers at this step");
    this.grid = el("div", { class: "small-fields" });
    this.root = el("div", { class: "view-picture", hidden: true }, this.heading, this.grid);
    /** @type {{frame: ReturnType<typeof picture>, chart: Chart}[]} */
    this.panels = [];
    /** @type {{run: Run|null, theme: string, marks: Mark[]}} */
    this.samples = { run: null, theme: "", marks: [] };
  }

  /** @param {Rival[]} rivals @param {State} state */
  draw(rivals, { run, moment, features, theme }) {
    this.root.hidden = !rivals.length;
    if (!run || !moment || !rivals.length) return;
    this.#fit(rivals.length);
    const samples = this.#points(run, features, theme);
    rivals.forEach((rival, i) => {
      const { frame, chart } = this.panels[i];
      const at = rival.isShown ? moment : momentAt(rival.run, moment.step, features);
      const { x, y, marks } = fieldMarks(rival.run, at);
      chart.set({ x: { range: x }, y: { range: y ?? [0, 1] } });
      chart.draw([...marks, ...samples]);
      frame.name(cut(rival.name, 40));
      frame.describe(`The answers of ${rival.name} over two inputs, with the samples.`);
    });
  }

  /** @param {number} n */
  #fit(n) {
    while (this.panels.length > n) this.panels.pop()?.chart.close();
    while (this.panels.length < n) {
      const frame = picture("", { tip: "What this run answers at the step that is shown." });
      this.panels.push({ frame, chart: new Chart(frame.canvas, { bare: true, x: { range: [0, 1] }, y: { range: [0, 1] } }) });
    }
    if (this.grid.childElementCount !== n) this.grid.replaceChildren(...this.panels.map(({ frame }) => frame.root));
  }

  /** A few of the samples. @param {Run} run @param {number[]} features @param {string} theme @returns {Mark[]} */
  #points(run, features, theme) {
    const key = `${theme} ${features}`;
    if (this.samples.run === run && this.samples.theme === key) return this.samples.marks;
    const marks = pointsOf(run, features, { size: 3.5, name: undefined }, MOST_SMALL);
    this.samples = { run, theme: key, marks };
    return marks;
  }
}

/** What each run answers along one input, over each other. */
export class Responses {
  constructor() {
    this.frame = picture("Answers at this step", { tip: "Each run at the step that is shown, or at its end where that came before.", class: "responses" });
    this.root = this.frame.root;
    this.chart = new Chart(this.frame.canvas, { x: { range: [0, 1] }, y: { range: [0, 1] } });
    /** @type {{run: Run|null, theme: string, marks: Mark[]}} */
    this.samples = { run: null, theme: "", marks: [] };
  }

  /** @param {Rival[]} rivals @param {State} state */
  draw(rivals, { run, moment, features, theme }) {
    this.root.hidden = !rivals.length;
    if (!run || !moment || !rivals.length) return;
    const { targets, classes, featureNames } = run.dataset;
    if (this.samples.run !== run || this.samples.theme !== theme) {
      const marks = pointsOf(run, [0], { size: 4, alpha: 0.6, name: undefined });
      this.samples = { run, theme, marks };
    }
    const curves = rivals.flatMap((rival) => {
      const curve = curveOf(rival.run, rival.isShown ? moment : momentAt(rival.run, moment.step, features));
      return curve ? [{ kind: /** @type {"line"} */ ("line"), x: curve.xs, y: curve.ys, colour: rival.colour, dash: rival.dash, width: rival.isShown ? 2.4 : 1.6 }] : [];
    });
    const range = classes.length ? /** @type {[number, number]} */ ([-0.08, Math.max(1, classes.length - 1) + 0.08]) : widened(rangeOf(targets), 0.12);
    const { xs } = moment.field(400);
    this.chart.set({ x: { label: featureNames[0], range: [xs[0], xs[xs.length - 1]] }, y: { label: answerLabel(run.dataset), range } });
    this.chart.draw([...this.samples.marks, ...curves]);
    this.frame.describe(`The answers of ${rivals.map(({ name }) => name).join("; ")} along ${featureNames[0]}, with the samples.`);
  }
}

/** The paths of models with two parameters over one land. */
export class Paths {
  constructor() {
    this.frame = picture("Paths of the two parameters", { tip: "Where each training went, over the loss of this run: hollow where it starts, filled where it is now.", class: "rival-paths" });
    this.root = this.frame.root;
    this.stage = new Stage(this.frame.canvas);
    this.slices = new Slices();
    this.key = "";
    /** @type {WeakMap<Run, {rows: Int32Array, w: Float64Array, b: Float64Array}>} */
    this.paths = new WeakMap();
  }

  /** @param {Rival[]} rivals @param {State} state @param {number[]|null} optimum */
  draw(rivals, { run, moment, theme }, optimum) {
    this.root.hidden = !rivals.length;
    if (!run || !moment || !rivals.length) return;
    const x = widened(rangeOf(...rivals.map((rival) => this.#path(rival.run).w), optimum ? [optimum[0]] : []), 0.12);
    const y = widened(rangeOf(...rivals.map((rival) => this.#path(rival.run).b), optimum ? [optimum[1]] : []), 0.12);
    const key = [theme, x, y, run.loss, run.experiment.data.name, run.dataset.nTrain].join();
    if (key !== this.key) this.#survey(key, run, x, y);
    this.stage.upper(this.#marks(rivals, moment.step, optimum));
  }

  /** @param {Run} run */
  #path(run) {
    const known = this.paths.get(run);
    if (known) return known;
    const rows = spread(run.t, MOST_PATH);
    const along = (/** @type {number} */ i) => Float64Array.from(rows, (row) => run.params[row * 2 + i]);
    const made = { rows, w: along(0), b: along(1) };
    this.paths.set(run, made);
    return made;
  }

  /** @param {string} key @param {Run} run @param {[number, number]} x @param {[number, number]} y */
  async #survey(key, run, x, y) {
    this.key = key;
    const names = [`weight w of ${run.dataset.featureNames[0]}`, "bias b"];
    const options = { x: { label: names[0], range: x }, y: { label: names[1], range: y } };
    this.stage.lower(`${key} empty`, () => ({ options, marks: [] }));
    const axes = /** @type {[Float64Array, Float64Array]} */ ([Float64Array.of(1, 0), Float64Array.of(0, 1)]);
    const plane = /** @type {import("../model/surface.js").Plane} */ ({ kind: "exact", origin: new Float64Array(2), axes, xRange: x, yRange: y });
    const grid = await this.slices.run(lossGrid(run, plane, { side: SIDE }));
    if (!grid) return;
    const heights = heightsOf(grid.values);
    this.stage.lower(key, () => ({
      options,
      marks: [
        { kind: "image", image: heatImage(grid.values, SIDE, heights), x, y, alpha: 0.35 },
        { kind: "contour", levels: levelsOf(heights), xs: linspace(...x, SIDE), ys: linspace(...y, SIDE), values: grid.values, colour: colours.inks().muted, width: 0.75, alpha: 0.5 },
      ],
    }));
    this.frame.describe("The paths of the runs in the plane of weight and bias, over lines of equal loss.");
  }

  /** @param {Rival[]} rivals @param {number} step @param {number[]|null} optimum @returns {Mark[]} */
  #marks(rivals, step, optimum) {
    const marks = rivals.flatMap(({ run, colour, dash, isShown }) => {
      const { rows, w, b } = this.#path(run);
      const passed = Math.max(1, rows.findLastIndex((row) => run.steps[row] <= step) + 1);
      const [x, y] = [w.subarray(0, passed), b.subarray(0, passed)];
      return /** @type {Mark[]} */ ([
        { kind: "line", x, y, colour, dash, width: isShown ? 2.4 : 1.8 },
        { kind: "points", x: [w[0]], y: [b[0]], colour, hollow: true, size: 9 },
        { kind: "points", x: [x[passed - 1]], y: [y[passed - 1]], colour, size: isShown ? 11 : 9 },
      ]);
    });
    if (optimum) marks.push({ kind: "points", x: [optimum[0]], y: [optimum[1]], colour: colours.highlight, marker: "*", size: 13 });
    return marks;
  }
}
