// Runs on the same data beside each other: their losses, their answers, their paths.

import { colours } from "../draw/colours.js";
import { readRun, withDataOf } from "../model/run.js";
import { el, refill, shown, whole } from "../page/dom.js";
import { newJob, trained } from "../page/api.js";
import { optimumOf } from "./landscape.js";
import { LossCurves, Paths, Responses, SmallFields } from "./comparisons.js";
import { rivalsOf } from "./rivals.js";
import { isAlike, namesOf } from "./settings.js";
import { button, lossName, needsSamples, whileOpen, write } from "./shared.js";
import { onlyInTheLab, Work } from "./work.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("./rivals.js").Rival} Rival */
/** @typedef {import("../page/actions.js").Actions} Actions */
/** @typedef {{params: number[]|null, loss: number|null, scores: Record<string, number>, note: string}} Optimum */

export const title = "Compare";
export const help =
  "Pinned runs and the present one on one set of axes, all at the same step. Pin this run, change a setting, and see what the change did; or let four optimizers leave from this very start.";
export const needsServer = true;

const OPTIMIZERS = ["sgd", "adam", "adamw", "rmsprop"];

/** @param {Run} run */
export function applies(run) {
  return needsSamples(run);
}

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  if (!actions) return root.append(onlyInTheLab("compare it with others"));
  const view = new View(store, actions);
  root.append(view.controls, view.work.root, view.invitation, view.table, view.note, view.curves.root, view.fields.root, view.responses.root, view.paths.root);
  whileOpen(store, { tab: "compare", keys: ["pins", "scale"], applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store @param {Actions} actions */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.work = new Work();
    /** @type {Rival[]} */
    this.rivals = [];
    /** @type {{run: Run, found: Optimum}|null} */
    this.optimum = null;
    this.pin = button("Pin this run", "Keeps this run here, to compare others with it.", () => actions.pin());
    this.four = button("Four optimizers from this start", "Trains with SGD, Adam, AdamW and RMSprop from the same weights, all else equal, and pins the four.", () => this.#race());
    this.best = button("scikit-learn's optimum", "The least loss that a model without a hidden layer can have, found by another library.", () => this.#findOptimum());
    this.controls = el("div", { class: "controls" }, this.pin, this.four, this.best);
    this.invitation = el("p", { class: "why" }, "Nothing to compare with yet. Pin this run, then change a setting: both will stand here side by side.");
    this.table = el("div", { class: "scroll" });
    this.note = el("p", { class: "note" });
    this.curves = new LossCurves();
    this.fields = new SmallFields();
    this.responses = new Responses();
    this.paths = new Paths();
  }

  /** @param {Now} now */
  draw({ run, state, changed }) {
    if (this.optimum && this.optimum.run !== run && !sameModel(this.optimum.run, run)) this.optimum = null;
    const alike = state.pins.filter((pin) => isAlike(pin, run));
    const others = state.pins.filter((pin) => !isAlike(pin, run));
    if (changed.has("run") || changed.has("pins") || changed.has("tab") || changed.has("theme")) {
      this.rivals = rivalsOf(alike, run, namesOf);
      this.#showTable(run, others);
    }
    const { rivals } = this;
    this.curves.draw(rivals, state, this.optimum?.found.loss ?? null);
    const { d } = run.dataset;
    this.fields.draw(d > 1 && rivals.length > 1 ? rivals : [], state);
    this.responses.draw(d === 1 ? rivals : [], state);
    this.paths.draw(run.p === 2 ? rivals.filter(({ run: one }) => one.p === 2) : [], state, this.optimum?.found.params ?? null);
  }

  /** @param {Run} run @param {Run[]} others */
  #showTable(run, others) {
    const { rivals } = this;
    const isPinned = this.store.state.pins.includes(run);
    write(this.pin, isPinned ? "Unpin this run" : "Pin this run");
    this.invitation.hidden = this.store.state.pins.length > 0 || this.optimum !== null;
    this.table.hidden = rivals.length < 2 && !this.optimum;
    const hasTest = run.dataset.nTest > 0;
    const score = run.dataset.classes.length ? "accuracy" : "R²";
    const heads = ["", "run", "loss", hasTest ? "test loss" : "", score, hasTest ? `test ${score}` : "", "updates", ""];
    const rows = rivals.map((rival) => this.#row(rival, run, hasTest));
    if (this.optimum) rows.push(optimumRow(this.optimum.found, hasTest));
    const strangers = others.length ? [this.#strangers(others)] : [];
    const head = el("thead", {}, el("tr", {}, ...heads.filter((_, i) => hasTest || (i !== 3 && i !== 5)).map((text) => el("th", { scope: "col", class: text === "run" ? "name" : "" }, text))));
    refill(this.table, el("table", { class: "rivals" }, head, el("tbody", {}, ...rows, ...strangers)));
    if (others.length) this.table.hidden = false;
    const isMixed = rivals.some((rival) => rival.run.loss !== run.loss);
    write(this.note, [`Numbers at the end of each training.`, isMixed ? `The curves judge all of them by the ${lossName(run.loss)} of this run; the table has each one's own.` : "", this.optimum?.found.note ?? ""].filter(Boolean).join(" "));
    this.note.hidden = this.table.hidden;
  }

  /** @param {Rival} rival @param {Run} now @param {boolean} hasTest */
  #row({ run, name, colour, isShown }, now, hasTest) {
    const isPinned = this.store.state.pins.includes(run);
    const remove = isPinned && el("button", { type: "button", class: "remove", "aria-label": `Remove ${name}`, tip: "Lets this run go.", on: { click: () => this.#unpin(run) } }, "×");
    const { metrics } = run;
    const score = now.dataset.classes.length ? "accuracy" : "r2";
    const cells = [
      lossCell(run.trainLoss.at(-1), run, now),
      hasTest && lossCell(run.testLoss.at(-1), run, now),
      el("td", {}, scoreText(metrics[`train_${score}`])),
      hasTest && el("td", {}, scoreText(metrics[`test_${score}`])),
      el("td", {}, whole(run.steps[run.t - 1])),
      el("td", {}, remove),
    ];
    return el("tr", { class: isShown ? "shown" : "" }, el("td", {}, swatch(colour)), el("th", { scope: "row" }, isShown && name !== "this run" ? `${name} (shown)` : name), ...cells);
  }

  /** The pinned runs on other data. @param {Run[]} runs */
  #strangers(runs) {
    const text = runs.length === 1 ? "A pinned run is on other data" : `${runs.length} pinned runs are on other data`;
    const remove = el("button", { type: "button", class: "remove", "aria-label": "Remove the runs on other data", tip: "Lets them go.", on: { click: () => this.#unpin(...runs) } }, "×");
    return el("tr", { class: "quiet" }, el("td", {}), el("th", { scope: "row", colspan: 4 }, `${text}, so not drawn here`), el("td", {}, remove));
  }

  /** @param {Run[]} runs */
  #unpin(...runs) {
    this.store.set({ pins: this.store.state.pins.filter((pin) => !runs.includes(pin)) });
  }

  /** The same start with every optimizer, one after the other; the present run is one of them. */
  async #race() {
    const { run } = this.store.state;
    if (!run) return;
    this.four.disabled = true;
    const own = run.experiment.training.optimizer;
    /** @type {Run[]} */
    const found = [];
    await this.work.wait("", async (_job, signal) => {
      for (const optimizer of OPTIMIZERS) {
        if (this.work.wasStopped) return;
        if (optimizer === own) found.push(run);
        else {
          const job = newJob();
          this.work.follow(job, `updates with ${optimizer}`);
          const bytes = await trained(rivalOf(run.experiment, optimizer), { job, data: false, signal });
          if (!this.work.wasStopped) found.push(withDataOf(readRun(bytes), run));
        }
      }
    });
    this.four.disabled = false;
    const { pins } = this.store.state;
    this.store.set({ pins: [...pins, ...found.filter((one) => !pins.includes(one))] });
  }

  async #findOptimum() {
    const { run } = this.store.state;
    if (!run) return;
    if (run.sizes.length > 2) {
      write(this.work.refusal, "There is no optimum to look up for a network with a hidden layer: its loss has many minima. Take the hidden layers away, and there is one.");
      return;
    }
    const found = await this.work.wait("", () => optimumOf(run, run.loss));
    if (!found) return;
    this.optimum = { run, found };
    this.store.redraw();
  }
}

/** @param {any} experiment @param {string} optimizer */
function rivalOf(experiment, optimizer) {
  const { momentum: _momentum, nesterov: _nesterov, l2: _l2, ...training } = experiment.training;
  return { ...experiment, training: { ...training, optimizer } };
}

/** Whether an optimum of one is that of the other, too. @param {Run} a @param {Run} b */
function sameModel(a, b) {
  return isAlike(a, b) && String(a.sizes) === String(b.sizes) && a.loss === b.loss;
}

/** @param {number|undefined} value @param {Run} run @param {Run} now */
function lossCell(value, run, now) {
  return el("td", { class: run.loss === now.loss ? "" : "quiet", tip: run.loss === now.loss ? null : `By its own loss, ${lossName(run.loss)}.` }, shown(value));
}

/** @param {number|undefined} value */
function scoreText(value) {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(3);
}

/** @param {string} colour */
function swatch(colour) {
  const made = el("i", { class: "swatch", "aria-hidden": "true" });
  made.style.background = colour;
  return made;
}

/** @param {Optimum} found @param {boolean} hasTest */
function optimumRow({ loss, scores }, hasTest) {
  const score = scores.accuracy ?? scores.r2;
  const blank = () => hasTest && el("td", {}, "–");
  return el("tr", { class: "quiet" }, el("td", {}, swatch(colours.highlight)), el("th", { scope: "row" }, "scikit-learn's optimum"), el("td", {}, loss === null ? "none" : shown(loss)), blank(), el("td", {}, scoreText(score)), blank(), el("td", {}, "–"), el("td"));
}
