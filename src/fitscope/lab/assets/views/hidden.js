// The samples as a hidden layer sees them: where its units put them, and where the output cuts.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { Scene } from "../draw/scene.js";
import { unitNames } from "../model/names.js";
import { hiddenSpace } from "../model/space.js";
import { el } from "../page/dom.js";
import { FormulaLine } from "../page/formula.js";
import { paintMaps } from "../page/unitmaps.js";
import { cloudsOf, place, spreadOut } from "./clouds.js";
import { className, menu, needsSamples, paced, picture, rangeOf, whileOpen, widened, write } from "./shared.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/space.js").HiddenSpace} HiddenSpace */
/** @typedef {import("./clouds.js").Cloud} Cloud */

export const title = "Hidden";
export const help =
  "Every sample at the answers of the hidden units: what the network makes of the data before it decides. Play, and watch the classes being pulled apart until one plane cuts between them; drag to turn.";
export const needsServer = false;

const MARGIN = 0.04; // around what the activation can answer
const MAP = 44; // pixels
const MOST_TERMS = 4; // of a formula in the legend

/** @param {Run} run */
export function applies(run) {
  if (run.sizes.length < 3) return "This network has no hidden layer; add one, and its units appear here.";
  return needsSamples(run);
}

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const view = new View(store);
  root.append(view.controls, view.flat.root, view.solid.root, view.note, view.legend);
  whileOpen(store, { tab: "hidden", keys: ["unit"], applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.layer = 0;
    /** @type {number[]|null} units shown; null for principal components */
    this.units = [0];
    /** @type {Run|null} */
    this.run = null;
    /** @type {Cloud[]} */
    this.clouds = [];
    /** @type {[number, number][]} */
    this.reach = [];
    this.flat = picture("", { tip: "", class: "hidden-2d" });
    this.solid = picture("", { tip: "", class: "hidden-3d" });
    this.chart = new Chart(this.flat.canvas, { x: { range: [0, 1] }, y: { range: [0, 1] } });
    this.scene = new Scene(this.solid.canvas, { axes: [] });
    this.note = el("p", { class: "note" });
    this.legend = el("div", { class: "unit-legend" });
    this.layers = menu("layer", "Which hidden layer; the first is nearest to the inputs.", (layer) => this.#choose(Number(layer), undefined));
    this.axes = menu("axes", "Units of the layer, or the directions along which its answers vary most.", (axes) => this.#choose(this.layer, axes === "pca" ? null : [0, 1, 2]));
    this.picks = [0, 1, 2].map((axis) => menu(["x", "y", "z"][axis], "Which unit lies along this axis.", (unit) => this.#pick(axis, Number(unit))));
    this.controls = el("div", { class: "controls" }, this.layers.root, this.axes.root, ...this.picks.map(({ root }) => root));
    this.pace = paced(() => this.#drawNow());
    /** @type {{unit: number, canvas: HTMLCanvasElement, line: FormulaLine}[]} */
    this.maps = [];
  }

  /** @param {Now} now */
  draw({ run, state }) {
    if (this.run !== run || this.theme !== state.theme) this.#take(run, state.theme);
    this.pace();
  }

  /** @param {Run} run @param {string} theme */
  #take(run, theme) {
    const fits = this.run && String(this.run.sizes) === String(run.sizes);
    this.theme = theme;
    this.run = run;
    this.clouds = cloudsOf(run);
    if (fits) this.#choose(this.layer, this.units);
    else this.#choose(run.sizes.length - 3, undefined);
  }

  /** Another layer, or other axes; undefined takes the first units.
   * @param {number} layer @param {number[]|null|undefined} units */
  #choose(layer, units) {
    const { run } = this;
    if (!run) return;
    const width = run.sizes[layer + 1];
    this.layer = layer;
    this.units = units === undefined ? Array.from({ length: Math.min(3, width) }, (_, i) => i) : units;
    this.reach = [];
    this.#showControls(run, width);
    this.#buildLegend();
    this.pace();
  }

  /** @param {number} axis @param {number} unit */
  #pick(axis, unit) {
    const units = [...(this.units ?? [])];
    const other = units.indexOf(unit);
    if (other >= 0) units[other] = units[axis];
    units[axis] = unit;
    this.#choose(this.layer, units);
  }

  /** @param {Run} run @param {number} width */
  #showControls(run, width) {
    const names = unitNames(run);
    const layers = run.sizes.slice(1, -1).map((n, l) => /** @type {[string, string]} */ ([String(l), `${l + 1} (${n} unit${n === 1 ? "" : "s"})`]));
    this.layers.root.hidden = layers.length < 2;
    this.layers.show(layers, String(this.layer));
    this.axes.root.hidden = width < 4;
    this.axes.show([["units", "three units"], ["pca", "principal components"]], this.units ? "units" : "pca");
    this.picks.forEach((pick, axis) => {
      pick.root.hidden = width < 4 || !this.units;
      if (this.units) pick.show(names[this.layer + 1].map((name, i) => [String(i), name]), String(this.units[axis]));
    });
    const nAxes = this.units ? this.units.length : Math.min(3, width);
    this.solid.root.hidden = nAxes < 3;
    this.flat.root.hidden = nAxes === 3;
    const what = `The samples at the answers of ${this.units ? this.units.map((unit) => names[this.layer + 1][unit]).join(", ") : "the principal components"} of hidden layer ${this.layer + 1}, by class; hollow ones are the test part.`;
    this.solid.describe(what);
    this.flat.describe(what);
  }

  #drawNow() {
    const { run } = this;
    const { moment } = this.store.state;
    if (!run || !moment || moment.run !== run) return;
    let space;
    try {
      space = hiddenSpace(run, moment.params, moment.samples, { layer: this.layer, units: this.units, pca: this.units === null });
    } catch (error) {
      write(this.note, /** @type {Error} */ (error).message);
      return;
    }
    const said = space.note && `${space.note[0].toUpperCase()}${space.note.slice(1)}.`;
    write(this.note, run.dataset.classes.length ? said : `Dark is a small ${run.dataset.targetName}, light a large one. ${said}`);
    place(this.clouds, space.answers);
    if (space.answers.length === 3) this.#drawSolid(space);
    else this.#drawFlat(run, space);
    this.#drawLegend(moment);
  }

  /** A range that only grows while the same axes are shown, so that the picture stands still.
   * @param {HiddenSpace} space @param {number} axis @returns {[number, number]} */
  #range({ low, high, bounded }, axis) {
    if (bounded) return widened([low[axis], high[axis]], MARGIN);
    const [a, b] = this.reach[axis] ?? [low[axis], high[axis]];
    this.reach[axis] = [Math.min(a, low[axis]), Math.max(b, high[axis])];
    return this.reach[axis];
  }

  /** @param {HiddenSpace} space */
  #drawSolid(space) {
    const { muted, ink } = colours.inks();
    this.scene.set({ axes: space.names.map((label, axis) => ({ label, range: this.#range(space, axis) })) });
    const points = this.clouds.map(({ x, y, z, look }) => ({ kind: /** @type {"points"} */ ("points"), x, y, z, ...look }));
    if (!space.border.length) return this.scene.draw(points);
    this.scene.draw([...points, { kind: "polygon", points: space.border, colour: muted, alpha: 0.16, edge: ink }]);
  }

  /** @param {Run} run @param {HiddenSpace} space */
  #drawFlat(run, space) {
    const { ink } = colours.inks();
    const isStrip = space.answers.length === 1;
    const { classes, targets, targetName } = run.dataset;
    if (isStrip) spreadOut(this.clouds, run);
    const across = classes.length ? /** @type {[number, number]} */ ([-0.5, classes.length - 0.5]) : widened(rangeOf(targets), 0.05);
    const ticks = classes.length ? { at: classes.map((_, i) => i), labels: classes.map((_, i) => className(run.dataset, i)) } : undefined;
    this.chart.set({
      equal: !isStrip && space.bounded,
      x: { label: space.names[0], range: this.#range(space, 0) },
      y: isStrip ? { label: classes.length ? "" : targetName, range: across, ticks } : { label: space.names[1], range: this.#range(space, 1) },
    });
    const points = this.clouds.map(({ x, y, look }) => ({ kind: /** @type {"points"} */ ("points"), x, y, ...look, name: isStrip && classes.length ? undefined : look.name }));
    const { border } = space;
    /** @type {import("../draw/marks.js").Mark[]} */
    const cut = [];
    if (isStrip && border.length) cut.push({ kind: "rule", x: border[0][0], colour: ink, width: 1.5 });
    if (!isStrip && border.length) cut.push({ kind: "line", x: border.map(([x]) => x), y: border.map(([, y]) => y), colour: ink, width: 1.75 });
    this.chart.draw([...points, ...cut]);
  }

  /** What each unit that is an axis says of the inputs: its map, and its formula. */
  #buildLegend() {
    const units = this.units ?? [];
    this.maps = units.map((unit) => ({ unit, canvas: el("canvas", { "aria-hidden": "true" }), line: new FormulaLine(el("span", { class: "formula" }), MOST_TERMS) }));
    const buttons = this.maps.map(({ unit, canvas, line }) =>
      el("button", { type: "button", tip: "What this unit says over the inputs: warm is yes, cool is no. Click to select it.", on: { click: () => this.#select(unit) } }, canvas, line.root),
    );
    this.legend.replaceChildren(...buttons);
  }

  /** @param {number} unit */
  #select(unit) {
    const now = this.store.state.unit;
    const isSame = now?.layer === this.layer && now.unit === unit;
    this.store.set({ unit: isSame ? null : { layer: this.layer, unit } });
  }

  /** @param {Moment} moment */
  #drawLegend(moment) {
    if (!this.maps.length) return;
    const { layer } = this;
    const chosen = this.store.state.unit;
    const cards = this.maps.map(({ unit, canvas }) => ({ column: layer + 1, unit, side: MAP, wide: MAP, canvas }));
    paintMaps(moment, moment.run.sizes.map((_, column) => (column === layer + 1 ? cards : [])));
    this.maps.forEach(({ unit, line }, i) => {
      line.show(moment.run, moment.params, { layer, unit });
      const isChosen = chosen?.layer === layer && chosen.unit === unit;
      this.legend.children[i].setAttribute("aria-pressed", String(isChosen));
    });
  }
}
