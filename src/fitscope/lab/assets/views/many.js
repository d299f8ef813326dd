// Many trainings from random starts: how many succeed, and where each of them ended.

import { colours } from "../draw/colours.js";
import { answered } from "../page/api.js";
import { el, shown, whole } from "../page/dom.js";
import { keyBut, lossLabel, lossName, menu, button, needsSamples, picture, toggle, whileOpen, write } from "./shared.js";
import { Stage } from "./stage.js";
import { onlyInTheLab, Work } from "./work.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("../page/actions.js").Actions} Actions */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {{seed: number, loss: number, accuracy: number|null, share: number}} End share: of the starts that end no higher, to the middle of its own */
/** @typedef {{ends: End[], nDiverged: number, n: number, planned: number, key: string}} Ends sorted by loss */

export const title = "Many";
export const help =
  "The same experiment from many random starts, each a point at the loss where it ends, sorted. Drag the line to what counts as a success; click a point to open that very training.";
export const needsServer = true;

const CHOICES = ["20", "100", "500"];
const BELOW = 0.1; // what counts as a success at first
const N_BINS = 40;
const Z = 1.959963984540054; // 95 % of a normal distribution lie within so many deviations
const NEAR_PX = 12;
const TOP = 1.36; // of the upright axis: the histogram stands above the shares

/** @param {Run} run */
export function applies(run) {
  return needsSamples(run);
}

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  if (!actions) return root.append(onlyInTheLab("train many starts"));
  const view = new View(store, actions);
  root.append(view.controls, view.work.root, view.invitation, view.body);
  whileOpen(store, { tab: "many", applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store @param {Actions} actions */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    /** @type {Record<string, any>|null} */
    this.found = null;
    /** @type {Ends|null} */
    this.ends = null;
    this.key = "";
    this.n = "100";
    this.part = "train";
    this.below = BELOW;
    /** @type {End|null} */
    this.pointed = null;
    this.isDragging = false;
    this.work = new Work();
    this.counts = menu("starts", "How many trainings, each from another seed.", (n) => (this.n = n));
    this.train = button("Train them", "Trains this experiment from the seeds 0, 1, 2, ...", () => this.#train());
    this.parts = toggle("Part", "The loss on which part.", [["train", "training"], ["test", "test"]], (part) => {
      this.part = part;
      this.#sort();
    });
    this.controls = el("div", { class: "controls" }, this.counts.root, this.train, this.parts.root);
    this.invitation = el("p", { class: "why" }, "One start says little. Train this experiment from a hundred random starts, and see how many of them succeed.");
    this.verdict = el("p", { class: "verdict", "aria-live": "polite" });
    this.bound = el("input", { type: "number", class: "value", step: "any", min: 0, "aria-label": "What counts as a success: a loss below" });
    this.frame = picture("", { tip: "", class: "many-strip" });
    this.stage = new Stage(this.frame.canvas);
    this.said = el("p", { class: "said", "aria-live": "off" });
    this.openers = el("div", { class: "controls" });
    const bound = el("label", { class: "view-menu", tip: "A training succeeds that ends below this loss; drag the line in the picture, or type it here." }, "success is a loss below", this.bound);
    this.body = el("div", { hidden: true }, this.verdict, bound, this.frame.root, this.said, this.openers);
    this.#listen();
  }

  /** @param {Now} now */
  draw({ run, state, changed }) {
    const key = keyBut(run, "seed");
    if (!run.dataset.nTest) this.part = "train";
    if (key !== this.key) {
      this.key = key;
      this.work.end();
      if (this.ends?.key !== key) this.#forget();
    }
    this.counts.show(CHOICES.map((n) => [n, n]), this.n);
    this.parts.show(this.part);
    this.parts.root.hidden = !run.dataset.nTest || !this.ends;
    if (changed.has("run") || changed.has("tab") || changed.has("theme")) this.#drawAll(state.theme);
  }

  #forget() {
    this.found = null;
    this.ends = null;
    this.body.hidden = true;
    this.invitation.hidden = false;
  }

  async #train() {
    const { key, n } = this;
    const { run } = this.store.state;
    if (!run) return;
    const asked = fromSeeds(run);
    this.train.disabled = true;
    const found = await this.work.wait("trainings", (job, signal) => answered(`/api/many?n=${n}&job=${job}`, asked, signal));
    this.train.disabled = false;
    if (!found || key !== this.key) return;
    this.found = found;
    this.#sort(true);
  }

  /** @param {boolean} [isNew] */
  #sort(isNew = false) {
    if (!this.found) return;
    this.ends = endsOf(this.found, this.part, this.key);
    if (isNew) this.below = firstBound(this.ends);
    this.invitation.hidden = true;
    this.body.hidden = false;
    this.parts.show(this.part);
    this.parts.root.hidden = !this.store.state.run?.dataset.nTest;
    this.#drawAll(this.store.state.theme);
    this.#offer();
  }

  /** @param {string} theme */
  #drawAll(theme) {
    const { ends, below } = this;
    const { run } = this.store.state;
    if (!ends || !run) return;
    const range = rangeOfLosses(ends);
    this.stage.lower(`${theme} ${this.part} ${below} ${ends.n} ${ends.key}`, () => lowerOf(ends, below, range, lossLabel(run)));
    this.#drawTop();
    const sentence = verdictOf(ends, below);
    write(this.verdict, sentence);
    this.frame.describe(`The final losses of ${whole(ends.n)} trainings, sorted, with their histogram. ${sentence}`);
    if (document.activeElement !== this.bound) this.bound.value = String(Number(below.toPrecision(3)));
  }

  /** What is pointed at, and the run that is shown. */
  #drawTop() {
    const { ends, pointed } = this;
    const { run } = this.store.state;
    if (!ends || !run) return;
    const { ink } = colours.inks();
    const seed = run.experiment.network.init === "torch" ? run.experiment.training.seed : -1;
    const own = ends.ends.find((end) => end.seed === seed);
    /** @type {Mark[]} */
    const marks = [{ kind: "rule", x: this.below, colour: ink, width: 1.5, dash: [5, 4] }];
    if (own) marks.push({ kind: "points", x: [own.loss], y: [own.share], colour: ink, hollow: true, size: 13 }, { kind: "text", x: own.loss, y: own.share, text: "shown", dx: 10, dy: -10, colour: ink });
    if (pointed) marks.push({ kind: "points", x: [pointed.loss], y: [pointed.share], colour: ink, size: 9 });
    this.stage.upper(marks);
  }

  /** Three trainings to be opened without a pointer. */
  #offer() {
    const ends = this.ends?.ends ?? [];
    if (!ends.length) return this.openers.replaceChildren();
    const some = /** @type {[string, End][]} */ ([["best", ends[0]], ["median", ends[ends.length >> 1]], ["worst", ends[ends.length - 1]]]);
    const buttons = some.map(([name, end]) => button(`Open the ${name}`, `Seed ${end.seed}: its loss ends at ${shown(end.loss)}.`, () => this.#open(end)));
    this.openers.replaceChildren(...buttons);
  }

  /** @param {End} end */
  #open({ seed }) {
    const { experiment } = this.store.state;
    if (experiment.network.init !== "torch") this.actions.change("network", { init: "torch" });
    this.actions.change("training", { seed });
  }

  #listen() {
    const { top, chart } = this.stage;
    this.bound.addEventListener("change", () => this.#bind(Number(this.bound.value)));
    top.addEventListener("pointerdown", (event) => {
      this.isDragging = Math.abs(chart.toPixel(this.below, 0)[0] - event.offsetX) < NEAR_PX && !this.#nearest(event.offsetX, event.offsetY);
      if (this.isDragging) top.setPointerCapture(event.pointerId);
    });
    top.addEventListener("pointermove", (event) => {
      if (this.isDragging) return this.#bind(chart.toData(event.offsetX, 0)[0]);
      this.#point(this.#nearest(event.offsetX, event.offsetY));
      const isOnLine = Math.abs(chart.toPixel(this.below, 0)[0] - event.offsetX) < NEAR_PX;
      top.style.cursor = this.pointed ? "pointer" : isOnLine ? "ew-resize" : "";
    });
    for (const type of ["pointerup", "pointercancel"]) top.addEventListener(type, () => (this.isDragging = false));
    top.addEventListener("pointerleave", () => this.#point(null));
    top.addEventListener("click", (event) => {
      const end = this.#nearest(event.offsetX, event.offsetY);
      if (end) this.#open(end);
    });
  }

  /** @param {number} below */
  #bind(below) {
    if (!(below > 0)) return;
    this.below = below;
    this.#drawAll(this.store.state.theme);
  }

  /** @param {End|null} end */
  #point(end) {
    if (end === this.pointed) return;
    this.pointed = end;
    const { run } = this.store.state;
    const right = end?.accuracy === null || !end ? "" : `, accuracy ${end.accuracy.toFixed(3)}`;
    write(this.said, end && run ? `Seed ${end.seed}: ${lossName(run.loss)} ${shown(end.loss)}${right}. Click to open it.` : "");
    this.#drawTop();
  }

  /** @param {number} px @param {number} py @returns {End|null} */
  #nearest(px, py) {
    let [best, least] = [/** @type {End|null} */ (null), NEAR_PX];
    for (const end of this.ends?.ends ?? []) {
      const [x, y] = this.stage.chart.toPixel(end.loss, end.share);
      const away = Math.hypot(x - px, y - py);
      if (away < least) [best, least] = [end, away];
    }
    return best;
  }
}

/** The experiment, from starts that the seed draws. @param {Run} run */
function fromSeeds({ experiment }) {
  return { ...experiment, network: { ...experiment.network, init: "torch" } };
}

/** @param {Record<string, any>} found @param {string} part @param {string} key @returns {Ends} */
function endsOf(found, part, key) {
  const losses = found[`${part}_loss`];
  const accuracy = found[`${part}_accuracy`];
  const all = found.seeds.map((/** @type {number} */ seed, /** @type {number} */ i) => ({ seed, loss: found.outcomes[i] === "DIVERGED" ? null : losses[i], accuracy: accuracy?.[i] ?? null, share: 0 }));
  /** @type {End[]} */
  const ends = all.filter((/** @type {any} */ end) => end.loss !== null).sort((/** @type {End} */ a, /** @type {End} */ b) => a.loss - b.loss);
  ends.forEach((end, i) => (end.share = (i + 0.5) / all.length));
  return { ends, nDiverged: all.length - ends.length, n: all.length, planned: found.planned, key };
}

/** The usual bound where it tells some from others, else the middle between best and worst.
 * @param {Ends} ends */
function firstBound({ ends }) {
  if (!ends.length) return BELOW;
  const [low, high] = [ends[0].loss, ends[ends.length - 1].loss];
  if (low < BELOW && high >= BELOW) return BELOW;
  return low > 0 ? Number(Math.sqrt(low * high).toPrecision(2)) : (low + high) / 2;
}

/** How many end below the bound, with the score interval of Wilson (1927).
 * @param {Ends} ends @param {number} below */
function verdictOf({ ends, nDiverged, n, planned }, below) {
  const k = ends.filter((end) => end.loss < below).length;
  const share = k / n;
  const middle = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const [low, high] = [Math.max(0, middle - half), Math.min(1, middle + half)].map((part) => Math.round(100 * part));
  const stopped = n < planned ? ` Stopped after ${whole(n)} of ${whole(planned)}.` : "";
  const diverged = nDiverged ? ` ${whole(nDiverged)} diverged.` : "";
  return `${whole(k)} of ${whole(n)} end below ${Number(below.toPrecision(3))}: ${Math.round(100 * share)} %, and for more starts from ${low} to ${high} % (95 % interval).${diverged}${stopped}`;
}

/** @param {Ends} ends @returns {{range: [number, number], isLog: boolean}} */
function rangeOfLosses({ ends }) {
  if (!ends.length) return { range: [0, 1], isLog: false };
  const [low, high] = [ends[0].loss, ends[ends.length - 1].loss];
  if (low > 0 && high > 3 * low) return { range: [low / (high / low) ** 0.04, high * (high / low) ** 0.04], isLog: true };
  return { range: [Math.min(0, low), 1.08 * high || 1], isLog: false };
}

/** @param {Ends} ends @param {number} below @param {ReturnType<typeof rangeOfLosses>} where @param {string} label */
function lowerOf({ ends, n }, below, { range, isLog }, label) {
  const shares = [0, 0.25, 0.5, 0.75, 1];
  const options = {
    x: { label: `${label}, at the end`, range, scale: /** @type {"log"|"linear"} */ (isLog ? "log" : "linear") },
    y: { label: "share of the starts, sorted", range: [0, TOP], ticks: { at: shares, labels: shares.map((share) => `${100 * share} %`) } },
  };
  const groups = [ends.filter((end) => end.loss < below), ends.filter((end) => end.loss >= below)];
  const looks = [
    { colour: colours.runColour(0), marker: "o", name: `below ${Number(below.toPrecision(3))}` },
    { colour: colours.highlight, marker: "X", name: "not below" },
  ];
  /** @type {Mark[]} */
  const marks = groups.map((group, i) => ({ kind: "points", x: group.map(({ loss }) => loss), y: group.map(({ share }) => share), size: n > 200 ? 5 : 7, ...looks[i] }));
  return { options, marks: [...groups.flatMap((group, i) => histogram(group, range, isLog, ends, looks[i].colour)), ...marks] };
}

/** How many end where, above the shares; a bar a bin, since they are not of one width.
 * @param {End[]} group @param {[number, number]} range @param {boolean} isLog @param {End[]} all @param {string} colour @returns {Mark[]} */
function histogram(group, range, isLog, all, colour) {
  const binOf = (/** @type {number} */ loss) => {
    const share = isLog ? Math.log(loss / range[0]) / Math.log(range[1] / range[0]) : (loss - range[0]) / (range[1] - range[0]);
    return Math.min(N_BINS - 1, Math.floor(share * N_BINS));
  };
  const placeOf = (/** @type {number} */ bin) => (isLog ? range[0] * (range[1] / range[0]) ** (bin / N_BINS) : range[0] + ((range[1] - range[0]) * bin) / N_BINS);
  const counted = (/** @type {End[]} */ ends) => ends.reduce((counts, { loss }) => ((counts[binOf(loss)] += 1), counts), new Array(N_BINS).fill(0));
  const most = Math.max(...counted(all));
  return counted(group).flatMap((count, bin) => {
    if (!count) return [];
    const [from, to] = [placeOf(bin), placeOf(bin + 1)];
    return [{ kind: /** @type {"bars"} */ ("bars"), x: [(from + to) / 2], width: to - from, base: [1.06], height: [((TOP - 1.06) * count) / most], colour, alpha: 0.8 }];
  });
}
