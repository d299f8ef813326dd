// From which starts one neuron learns: the end of a training from every place of a grid of (w, b).

import { colours } from "../draw/colours.js";
import { LOSSES } from "../model/run.js";
import { spread } from "../model/surface.js";
import { answered } from "../page/api.js";
import { el, shown } from "../page/dom.js";
import { ColourBar, heatImage } from "./heat.js";
import { button, keyBut, lossName, menu, needsSamples, picture, toggle, whileOpen, write } from "./shared.js";
import { Stage } from "./stage.js";
import { onlyInTheLab, Work } from "./work.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("../page/actions.js").Actions} Actions */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {{w: number[], b: number[], loss: (number|null)[][], accuracy: (number|null)[][]|null, ends: number[][][], limits: [number, number], log_scale: boolean, label: string, note: string, share: number}} Found */

export const title = "Basin";
export const help =
  "Every place is a start (w, b), coloured by where the training from it ends: dark has learned. Take squared error in place of cross-entropy, and see the basin shrink; click anywhere to train from there.";
export const needsServer = true;

const N_GRID = 60;
const MOST_PATH = 1500;
const DIVERGED = [180, 186, 194, 255];

/** @param {Run} run */
export function applies(run) {
  if (String(run.sizes) === "1,1") return needsSamples(run);
  const shape = run.sizes.join("-");
  return `A map of all starts needs a model with two parameters: one neuron on one input. This one is ${shape}; try the experiment bad-start.`;
}

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  if (!actions) return root.append(onlyInTheLab("train from every start"));
  const view = new View(store, actions);
  root.append(view.controls, view.work.root, view.invitation, view.body);
  whileOpen(store, { tab: "basin", applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store @param {Actions} actions */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.key = "";
    this.loss = "";
    this.reach = "loss";
    /** @type {Map<string, Found>} by loss */
    this.found = new Map();
    /** @type {{run: Run|null, rows: Int32Array, w: Float64Array, b: Float64Array}} */
    this.path = { run: null, rows: new Int32Array(0), w: new Float64Array(0), b: new Float64Array(0) };
    this.work = new Work();
    this.bar = new ColourBar();
    this.frame = picture("", { tip: "", class: "basin-map" });
    this.stage = new Stage(this.frame.canvas);
    this.said = el("p", { class: "said", "aria-live": "off" });
    this.note = el("p", { class: "note" });
    this.losses = menu("trained on", "Another loss to train with, from the same starts.", (loss) => {
      this.loss = loss;
      this.#showFound();
      if (!this.found.has(loss)) this.#train();
    });
    this.train = button("Train from every start", `Trains from ${N_GRID} × ${N_GRID} starts; each is as long as this run.`, () => this.#train());
    this.reaches = toggle("Colour", "What the colour says of the end.", [["loss", "loss"], ["accuracy", "accuracy"]], (reach) => {
      this.reach = reach;
      this.#showFound();
    });
    this.controls = el("div", { class: "controls" }, this.losses.root, this.reaches.root, this.train);
    this.invitation = el("p", { class: "why" }, `Does it learn from anywhere? Train from ${N_GRID} × ${N_GRID} starts and see which of them reach the goal.`);
    this.body = el("div", { hidden: true }, this.frame.root, this.bar.canvas, this.said, this.note);
    this.#listen();
  }

  /** @param {Now} now */
  draw({ run, moment, state }) {
    const key = keyBut(run, "loss");
    if (key !== this.key) {
      this.key = key;
      this.work.end();
      this.found.clear();
      this.loss = run.loss;
      this.#showFound();
    }
    if (this.path.run !== run) this.path = pathOf(run);
    const found = this.found.get(this.loss);
    if (!found) return;
    this.stage.lower(`${state.theme} ${this.loss} ${this.reach}`, () => lowerOf(found, this.reach, this.bar));
    this.stage.upper(upperOf(this.path, state.row, moment.params));
  }

  #showFound() {
    const { run } = this.store.state;
    if (!run) return;
    const found = this.found.get(this.loss);
    this.losses.show(LOSSES[run.dataset.task].map((loss) => [loss, lossName(loss)]), this.loss);
    this.reaches.show(this.reach);
    this.reaches.root.hidden = !found?.accuracy;
    this.train.hidden = Boolean(found);
    this.invitation.hidden = this.body.hidden = true;
    if (found) this.body.hidden = false;
    else this.invitation.hidden = this.work.isBusy;
    this.stage.key = "";
    const note = found ? `${found.note[0].toUpperCase()}${found.note.slice(1)}. Click anywhere to train from there.` : "";
    write(this.note, note);
    this.frame.describe(`The end of the training from each of ${N_GRID} times ${N_GRID} starts, with the path of this run. ${note}`);
    const { moment } = this.store.state;
    if (found && moment) this.draw({ run, moment, state: this.store.state, changed: new Set() });
  }

  async #train() {
    const { run } = this.store.state;
    if (!run) return;
    const { key, loss } = this;
    const work = this.work.wait("starts", (job, signal) => answered(`/api/basin?loss=${loss}&n_grid=${N_GRID}&job=${job}`, run.experiment, signal));
    this.#showFound();
    const found = await work;
    if (key !== this.key) return;
    if (found) this.found.set(loss, found);
    this.#showFound();
  }

  #listen() {
    const { stage } = this;
    stage.onHover((w, b) => {
      const found = this.found.get(this.loss);
      if (found) write(this.said, told(found, w, b, this.loss));
    }, () => write(this.said, ""));
    stage.onClick((w, b) => {
      const init = [w, b].map((value) => Number(value.toPrecision(4)));
      const { experiment } = this.store.state;
      if (this.loss === experiment.training.loss) return this.actions.change("network", { init });
      this.actions.train({ ...experiment, network: { ...experiment.network, init }, training: { ...experiment.training, loss: this.loss } });
    });
  }
}

/** @param {Run} run */
function pathOf(run) {
  const rows = spread(run.t, MOST_PATH);
  const along = (/** @type {number} */ i) => Float64Array.from(rows, (row) => run.params[row * 2 + i]);
  return { run, rows, w: along(0), b: along(1) };
}

/** @param {Found} found @param {string} reach @param {ColourBar} bar */
function lowerOf({ w, b, loss, accuracy, limits, log_scale: isLog, label }, reach, bar) {
  const isLoss = reach === "loss" || !accuracy;
  const values = Float64Array.from((isLoss ? loss : accuracy).flat(), (value) => value ?? NaN);
  const heights = isLoss ? { low: limits[0], high: limits[1], isLog } : { low: 0, high: 1, isLog: false };
  const ramp = isLoss ? colours.lossRamp(256) : reversed(colours.lossRamp(256));
  const image = heatImage(values, w.length, heights, ramp);
  for (let i = 0; i < values.length; i += 1) {
    if (image.data[4 * i + 3] === 0) image.data.set(DIVERGED, 4 * i);
  }
  bar.show(heights, isLoss ? `${label}, at the end` : "accuracy at the end", ramp);
  const [x, y] = [w, b].map((places) => /** @type {[number, number]} */ ([places[0], places[places.length - 1]]));
  /** @type {Mark[]} */
  const marks = [{ kind: "image", image, x, y, smooth: false }];
  return { options: { x: { label: "weight w at the start", range: x }, y: { label: "bias b at the start", range: y } }, marks };
}

/** @param {Uint8ClampedArray} ramp */
function reversed(ramp) {
  const n = ramp.length / 3;
  return Uint8ClampedArray.from(ramp, (_, i) => ramp[3 * (n - 1 - Math.floor(i / 3)) + (i % 3)]);
}

/** @param {View["path"]} path @param {number} row @param {ArrayLike<number>} now @returns {Mark[]} */
function upperOf({ rows, w, b }, row, now) {
  const passed = rows.findLastIndex((at) => at <= row) + 1;
  const colour = colours.highlight;
  return [
    { kind: "line", x: w, y: b, colour: colours.white, width: 1.5, alpha: 0.5 },
    { kind: "line", x: Float64Array.of(...w.subarray(0, passed), now[0]), y: Float64Array.of(...b.subarray(0, passed), now[1]), colour, width: 2.25, halo: colours.white },
    { kind: "points", x: [w[0]], y: [b[0]], colour, hollow: true, fill: colours.white, size: 9 },
    { kind: "points", x: [now[0]], y: [now[1]], colour, edge: colours.white, size: 12 },
  ];
}

/** The end from the nearest start of the grid. @param {Found} found @param {number} w @param {number} b @param {string} name */
function told({ w: ws, b: bs, loss, accuracy, ends }, w, b, name) {
  const place = (/** @type {number[]} */ places, /** @type {number} */ value) => Math.round(((value - places[0]) / (places[places.length - 1] - places[0])) * (places.length - 1));
  const [i, j] = [place(bs, b), place(ws, w)];
  const from = `From w ${shown(ws[j], 3)}, b ${shown(bs[i], 3)}`;
  const reached = loss[i][j];
  if (reached === null) return `${from} it diverges.`;
  const right = accuracy ? `, accuracy ${accuracy[i][j]?.toFixed(3)}` : "";
  return `${from} to w ${shown(ends[i][j][0], 3)}, b ${shown(ends[i][j][1], 3)}: ${lossName(name)} ${shown(reached)}${right}.`;
}
