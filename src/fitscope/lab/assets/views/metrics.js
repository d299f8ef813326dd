// How good the answers are at this step, in numbers and in pictures that move with it.

import { Chart } from "../draw/chart.js";
import { calibration, checkAnswers, confusion, precisionRecall, residuals, rocCurve } from "../model/metrics.js";
import { el } from "../page/dom.js";
import { calibrationPart, confusionPart, fitPart, histogramPart, precisionPart, residualPart, rocPart } from "./goodness.js";
import { needsSamples, paced, partOf, picture, toggle, whileOpen, write } from "./shared.js";
import { ScoreTable } from "./scoretable.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./goodness.js").Picture} Picture */
/** @typedef {"train"|"test"} Part */

const TABLE_MS = 90; // between two writings of the table: nobody reads faster

export const title = "Metrics";
export const help =
  "How right the answers are at this step, beside a baseline that looks at no input. Play, and see the ROC curve rise and the matrix gather on its diagonal; then compare the training part with the test part.";
export const needsServer = false;

const DEFINITION = {
  confusion: ["Confusion", "Rows are true classes, columns what the model says; the diagonal is right."],
  roc: ["ROC", "For every threshold on the probability: the share found, over the share taken wrongly. The dot is the threshold 0.5."],
  precision: ["Precision and recall", "Of those found, how many belong to the class, over how many of the class are found. Dashed: a guess."],
  calibration: ["Calibration", "Whether what is said to happen in 7 of 10 cases does: samples binned by their probability. On the dashed line it does."],
  fit: ["Predicted against true", "One point a sample; on the dashed line the answer is the truth."],
  residual: ["What is left", "True minus predicted, over the prediction: a good model leaves a band around 0 without a shape."],
  histogram: ["How large the errors are", "How many samples miss by how much."],
};

/** @param {Run} run */
export function applies(run) {
  return needsSamples(run);
}

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  /** @type {Part} */
  let part = "test";
  const parts = toggle("Part", "Which samples the pictures are about; the table has both.", [["train", "training"], ["test", "test"]], (value) => {
    part = /** @type {Part} */ (value);
    parts.show(part);
    view.draw(part);
  });
  const view = new View(store);
  const controls = el("div", { class: "controls" }, parts.root);
  root.append(view.table.root, controls, view.said, view.grid);
  whileOpen(store, { tab: "metrics", applies }, ({ run }) => {
    const hasTest = run.dataset.nTest > 0;
    controls.hidden = !hasTest;
    parts.show(part);
    view.draw(hasTest ? part : "train");
  });
}

class View {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.table = new ScoreTable();
    this.said = el("p", { class: "why", hidden: true });
    this.grid = el("div", { class: "multiples" });
    /** @type {Partial<Record<keyof typeof DEFINITION, {frame: ReturnType<typeof picture>, chart: Chart}>>} */
    this.pictures = {};
    /** @type {Part} */
    this.part = "train";
    this.showTable = paced(() => store.state.moment && this.table.show(store.state.moment), TABLE_MS);
    this.showPictures = paced(() => this.#drawPictures());
  }

  /** @param {Part} part */
  draw(part) {
    const { moment } = this.store.state;
    if (!moment) return;
    this.part = part;
    const { run } = moment;
    const problem = whyNot(() => checkAnswers(moment.samples.out, 0, run.dataset.y.length));
    this.said.hidden = !problem;
    this.grid.hidden = this.table.root.hidden = Boolean(problem);
    write(this.said, problem ?? "");
    if (problem) return;
    this.showTable();
    this.showPictures();
  }

  #drawPictures() {
    const { moment } = this.store.state;
    if (!moment) return;
    const { run, samples } = moment;
    const [from, to] = partOf(run.dataset, run.dataset.nTest ? this.part : "train");
    if (run.dataset.classes.length) this.#drawClasses(run, samples.out, from, to);
    else this.#drawRegression(run, samples.out, from, to);
  }

  /** @param {Run} run @param {Float64Array[]} out @param {number} from @param {number} to */
  #drawClasses(run, out, from, to) {
    this.#keep(["confusion", "roc", "precision", "calibration"]);
    this.#draw("confusion", confusionPart(run, confusion(run, out, from, to)));
    this.#draw("roc", rocPart(run, rocCurve(run, out, from, to)));
    this.#draw("precision", precisionPart(run, precisionRecall(run, out, from, to)));
    this.#draw("calibration", calibrationPart(run, calibration(run, out, from, to)));
  }

  /** @param {Run} run @param {Float64Array[]} out @param {number} from @param {number} to */
  #drawRegression(run, out, from, to) {
    const found = residuals(run, out, from, to);
    this.#keep(["fit", "residual", "histogram"]);
    this.#draw("fit", fitPart(run, found));
    this.#draw("residual", residualPart(run, found));
    this.#draw("histogram", histogramPart(run, found));
  }

  /** @param {(keyof typeof DEFINITION)[]} names */
  #keep(names) {
    if (names.every((name) => this.pictures[name])) return;
    for (const one of Object.values(this.pictures)) one.chart.close();
    this.pictures = {};
    const made = names.map((name) => {
      const [title, tip] = DEFINITION[name];
      const frame = picture(title, { tip, class: name });
      this.pictures[name] = { frame, chart: new Chart(frame.canvas, { x: { range: [0, 1] }, y: { range: [0, 1] } }) };
      return frame.root;
    });
    this.grid.replaceChildren(...made);
  }

  /** @param {keyof typeof DEFINITION} name @param {Picture} what */
  #draw(name, { options, marks, note }) {
    const one = this.pictures[name];
    if (!one) return;
    one.chart.set(options);
    one.chart.draw(marks);
    one.frame.tell(note);
    one.frame.describe(`${DEFINITION[name][0]}. ${DEFINITION[name][1]}`);
  }
}

/** @param {() => void} check @returns {string|null} */
function whyNot(check) {
  try {
    check();
    return null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}
