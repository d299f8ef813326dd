// What a person can do to the run: change it, train it on, open another.

import { readRun, sameData, withDataOf } from "../model/run.js";
import { newJob, stop, trained, watch } from "./api.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {Partial<import("./store.js").State>} Patch */

const LONG_MS = 250; // from here on a training shows its progress
const STALE_MS = 600; // from here on it gives way to the next change
const OF_SHAPE = ["features", "categories", "drop", "n_classes", "degree", "points"]; // of the data: inputs and classes
const DRAG_MS = 700; // changes closer than this are one movement, seen beside the run before it

/** Everything that changes the run. */
export class Actions {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {{job: string, began: number, abort: AbortController}|null} */
    this.training = null;
    this.isWanted = false;
    this.settled = Promise.resolve(); // once nothing more is wanted
    this.changedAt = -Infinity;
    /** @type {{experiment: any, after: Patch, run: Run|null}|null} what was asked for last */
    this.asked = null;
  }

  /** Changes settings of one part of the experiment and trains anew.
   * @param {"data"|"network"|"training"} part
   * @param {Record<string, any>} settings */
  change(part, settings) {
    const now = this.store.state.experiment;
    const next = { ...now, [part]: { ...now[part], ...settings } };
    if (part === "data" && settings.name && settings.name !== now.data.name) {
      next.data = settings;
      next.title = "";
    }
    if (part === "data" && changesTask(settings)) next.training = { ...next.training, loss: null };
    if (Array.isArray(now.network.init) && changesShape(part, settings)) {
      next.network = { ...next.network, init: "torch" };
    }
    this.#trainChanged(next);
  }

  /** Trains what is no longer the experiment that its title and its sentence tell of.
   * @param {any} experiment @param {Patch} [after] */
  #trainChanged({ title, ...rest }, after) {
    return this.train({ ...rest, title: title && changedTitle(title), about: "" }, after);
  }

  /** Trains an experiment; of several asked for in a row, the last is shown.
   * @param {any} experiment
   * @param {Patch} [after] what else changes with the new run
   * @returns {Promise<Run|null>} what is shown; null where it failed, or another was asked for */
  async train(experiment, after = {}) {
    this.store.set({ experiment, error: null });
    const asked = (this.asked = { experiment, after, run: null });
    this.isWanted = true;
    if (this.training) this.#hurry(this.training);
    else this.settled = this.#trainWanted();
    await this.settled;
    return this.asked === asked ? asked.run : null;
  }

  /** A training that takes long gives way to what is wanted next.
   * @param {{began: number, abort: AbortController}} training */
  #hurry(training) {
    const left = STALE_MS - (performance.now() - training.began);
    setTimeout(() => {
      if (this.isWanted && this.training === training) training.abort.abort();
    }, left);
  }

  async #trainWanted() {
    while (this.isWanted) {
      this.isWanted = false;
      const { asked } = this;
      if (!asked) return;
      try {
        asked.run = await this.#trained(asked.experiment);
        if (asked.run) this.#show(asked.run, asked.after);
      } catch (error) {
        if (this.asked === asked) this.store.set({ error: /** @type {Error} */ (error).message });
      }
    }
  }

  /** @param {any} experiment @returns {Promise<Run|null>} null where it was given up */
  async #trained(experiment) {
    const { run } = this.store.state;
    const [job, abort] = [newJob(), new AbortController()];
    this.training = { job, began: performance.now(), abort };
    let close = () => {};
    const late = setTimeout(() => {
      const planned = this.store.state.run?.plannedUpdates ?? 0;
      this.store.set({ busy: { done: 0, planned, what: "training" } });
      close = watch(job, ({ done, planned: all }) =>
        this.store.set({ busy: { done, planned: all, what: "training" } }),
      );
    }, LONG_MS);
    const dataIsHere = run !== null && run.dataset.y.length > 0 && sameData(run.experiment.data, experiment.data);
    try {
      const bytes = await trained(experiment, { job, data: !dataIsHere, signal: abort.signal });
      if (abort.signal.aborted) return null; // given up just as it came
      const answer = readRun(bytes);
      return dataIsHere ? withDataOf(answer, run) : answer;
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return null;
      throw error;
    } finally {
      clearTimeout(late);
      close();
      this.training = null;
      this.store.set({ busy: null });
    }
  }

  /** @param {Run} run @param {Patch} after */
  #show(run, after) {
    const { state } = this.store;
    const isDrag = state.ghost !== null && performance.now() - this.changedAt < DRAG_MS;
    this.changedAt = performance.now();
    const [a, b] = state.features;
    const fits = Math.max(a, b) < run.dataset.d && (a !== b || run.dataset.d === 1);
    this.store.set({
      run,
      ghost: isDrag ? state.ghost : state.run,
      row: sameMoment(state.run, state.row, run),
      hand: null,
      error: null,
      features: fits ? state.features : [0, Math.min(1, run.dataset.d - 1)],
      unit: unitOf(run, state.unit),
      experiment: this.isWanted ? state.experiment : run.experiment,
      ...after,
    });
  }

  /** Shows a run file.
   * @param {ArrayBuffer} bytes */
  open(bytes) {
    const run = readRun(bytes);
    this.isWanted = false;
    this.asked = null;
    this.training?.abort.abort();
    this.store.set({
      ...{ run, experiment: run.experiment, ghost: null, row: 0, hand: null, error: null },
      ...{ features: [0, Math.min(1, run.dataset.d - 1)], unit: null, playing: run.t > 1 },
    });
  }

  /** Goes to the recorded step nearest to `step`.
   * @param {number} step */
  seekStep(step) {
    const { run } = this.store.state;
    if (run) this.store.set({ row: rowNear(run, step), playing: false, hand: null });
  }

  /** Ends a long training; what it has recorded is shown. */
  cancel() {
    if (this.training) stop(this.training.job);
  }

  /** Another start: the next seed. */
  newStart() {
    const { training, network } = this.store.state.experiment;
    if (Array.isArray(network.init)) this.change("network", { init: "torch" });
    else this.change("training", { seed: training.seed + 1 });
  }

  /** As many epochs again, played on from where the run ended. */
  continueTraining() {
    const { experiment, run } = this.store.state;
    if (!run) return;
    const ended = run.steps[run.t - 1];
    const training = { ...experiment.training, epochs: 2 * experiment.training.epochs };
    this.#trainChanged({ ...experiment, training }).then((longer) => {
      if (longer) this.store.set({ row: rowNear(longer, ended), playing: true });
    });
  }

  /** Back to the start of the same run, playing. */
  restart() {
    this.store.set({ row: 0, hand: null, playing: true });
  }

  /** Trains from the parameters that are shown. */
  trainFromHere() {
    const { moment, experiment } = this.store.state;
    if (!moment) return;
    const network = { ...experiment.network, init: Array.from(moment.params) };
    this.#trainChanged({ ...experiment, network }, { row: 0, playing: true });
  }

  /** Keeps the run for comparison, or lets it go. */
  pin() {
    const { run, pins } = this.store.state;
    if (!run) return;
    this.store.set({ pins: pins.includes(run) ? pins.filter((p) => p !== run) : [...pins, run] });
  }
}

/** Whether own numbers no longer fit the network.
 * @param {string} part @param {Record<string, any>} settings */
function changesShape(part, settings) {
  return part === "network" ? "hidden" in settings : changesTask(settings) || OF_SHAPE.some((name) => name in settings);
}

/** Whether other answers may be asked for, which have losses of their own.
 * @param {Record<string, any>} settings */
function changesTask(settings) {
  return "name" in settings || "target" in settings || "task" in settings;
}

/** @param {string} title */
function changedTitle(title) {
  return title.includes(", changed") ? title : `${title}, changed`;
}

/** The row of a new run that lies where the old one's lay, from the start to the end.
 * @param {Run|null} old @param {number} row @param {Run} run */
function sameMoment(old, row, run) {
  if (!old || old.t < 2) return run.t - 1;
  return Math.round((row / (old.t - 1)) * (run.t - 1));
}

/** @param {Run} run @param {number} step */
function rowNear(run, step) {
  const row = run.steps.findIndex((at) => at >= step);
  return row < 0 ? run.t - 1 : row;
}

/** The selected unit, if the new network has it.
 * @param {Run} run @param {{layer: number, unit: number}|null} unit */
function unitOf(run, unit) {
  if (!unit || unit.layer + 1 >= run.sizes.length) return null;
  return unit.unit < run.sizes[unit.layer + 1] ? unit : null;
}
