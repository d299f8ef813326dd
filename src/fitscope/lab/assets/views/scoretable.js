// The scores beside those of a baseline that looks at no input, as a table that is written over.

import { metrics } from "../model/metrics.js";
import { el } from "../page/dom.js";
import { partOf, write } from "./shared.js";

/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/metrics.js").Row} Row */
/** @typedef {{model: HTMLTableCellElement, baseline: HTMLTableCellElement}} Cells */

/** @type {Record<string, string>} */
const MEANINGS = {
  accuracy: "Share of the samples that are told right.",
  "balanced accuracy": "The mean over classes of the share told right: a rare class counts as much as a common one.",
  "log-loss (nats)": "The mean of -log of the probability given to the truth: what cross-entropy lowers.",
  "Brier score": "The mean squared distance of the probabilities from the truth.",
  AUC: "Area under the ROC curve: 0.5 is chance, 1 ranks every sample right.",
  precision: "Of the samples told to be of the class, the share that are.",
  recall: "Of the samples of the class, the share that are found.",
  F1: "The harmonic mean of precision and recall.",
  "R²": "Share of the target's variance that is explained: 0 is the mean's, 1 is perfect.",
  RMSE: "Root of the mean squared error, in the target's unit.",
  "mean absolute error": "How far the answers are off on average, in the target's unit.",
  "median absolute error": "Half of the answers are off by less than this.",
  "largest error": "How far the worst answer is off.",
};

/** A table of scores; `show` fills it in for a moment. */
export class ScoreTable {
  constructor() {
    this.caption = el("p", { class: "note" });
    this.body = el("div", { class: "scroll" });
    this.root = el("div", { class: "scores" }, this.body, this.caption);
    /** @type {Run|null} */
    this.run = null;
    /** @type {Cells[][]} */
    this.cells = [];
  }

  /** @param {Moment} moment */
  show(moment) {
    const { run } = moment;
    /** @type {("train"|"test")[]} */
    const parts = run.dataset.nTest ? ["train", "test"] : ["train"];
    const found = parts.map((part) => metrics(run, moment.samples.out, ...partOf(run.dataset, part)));
    if (this.run !== run) this.#build(run, found[0].rows, parts.length);
    found.forEach(({ rows }, part) => rows.forEach((row, i) => fill(this.cells[i][part], row)));
    const notes = [...new Set(found.map(({ note }) => note).filter(Boolean))];
    write(this.caption, [`↑ larger is better, ↓ smaller; bold beats the baseline, which says ${found[0].baselineName}.`, ...notes].join(" "));
  }

  /** @param {Run} run @param {Row[]} rows @param {number} nParts */
  #build(run, rows, nParts) {
    this.run = run;
    this.cells = rows.map(() => Array.from({ length: nParts }, () => ({ model: el("td"), baseline: el("td", { class: "quiet" }) })));
    const names = ["training", "test"].slice(0, nParts);
    const heads = names.flatMap((name) => [el("th", { scope: "col" }, name), el("th", { scope: "col", class: "quiet" }, "baseline")]);
    const lines = rows.map(({ name, higherIsBetter }, i) =>
      el("tr", {}, el("th", { scope: "row", tip: MEANINGS[name] }, `${name} ${higherIsBetter ? "↑" : "↓"}`), ...this.cells[i].flatMap(({ model, baseline }) => [model, baseline])),
    );
    this.body.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, el("td"), ...heads)), el("tbody", {}, ...lines)));
  }
}

/** @param {Cells} cells @param {Row} row */
function fill(cells, { model, baseline, higherIsBetter }) {
  write(cells.model, text(model));
  write(cells.baseline, text(baseline));
  cells.model.classList.toggle("wins", higherIsBetter ? model > baseline : model < baseline);
}

/** Three decimals where they say something. @param {number} value */
function text(value) {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size && (size < 0.001 || size >= 1e6)) return value.toExponential(2).replace("e+", "e");
  return size < 100 ? value.toFixed(3) : value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}
