// The state of the page, once; everything that is shown reads it, one flush a frame.

import { Moment } from "../model/moment.js";
import { paramsAt } from "../model/run.js";

/** @typedef {import("../model/run.js").Run} Run */
/**
 * @typedef {object} State
 * @property {"lab"|"replay"} mode whether a server trains, or one run is replayed from a file
 * @property {any} boot what Python handed over: catalogue, theme, code
 * @property {any} experiment what was asked for last, as plain JSON
 * @property {Run|null} run what is shown
 * @property {Run|null} ghost the run before the last change
 * @property {number} row index into `run.steps` of the moment shown
 * @property {Float32Array|null} hand parameters set by hand, shown in place of the row's
 * @property {Moment|null} moment what is shown, ready to be drawn
 * @property {boolean} playing
 * @property {number} speed 1 plays the whole run in six seconds
 * @property {"log"|"even"} scale how steps lie on the time bar
 * @property {string} tab the view that is open
 * @property {{layer: number, unit: number}|null} unit the selected unit; layer 0 is the first hidden one
 * @property {[number, number]} features the inputs drawn along x and y
 * @property {boolean} lines whether the hidden units' lines are drawn over the data
 * @property {number|null} brush the class of the points that a click sets; null sets none
 * @property {Run[]} pins runs kept for comparison
 * @property {{done: number, planned: number, what: string}|null} busy a training that takes long
 * @property {string|null} error one sentence
 * @property {"light"|"dark"} theme
 * @property {boolean} explaining whether everything tells what it is
 */
/** @typedef {(state: State, changed: Set<string>) => void} Listener */

const OF_MOMENT = ["run", "row", "hand", "features"];

/** Holds the state and tells of its changes. */
export class Store {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    /** @type {{keys: string[], tell: Listener}[]} */
    this.listeners = [];
    /** @type {Set<string>} */
    this.changed = new Set();
    this.isWaiting = false;
  }

  /** Changes some of the state; listeners hear of it before the next picture.
   * @param {Partial<State>} patch */
  set(patch) {
    const { state } = this;
    for (const [name, value] of Object.entries(patch)) {
      const key = /** @type {keyof State} */ (name);
      if (state[key] === value) continue;
      /** @type {any} */ (state)[key] = value;
      this.changed.add(key);
      if (key === "run") state.moment = null; // until the next picture: that of another run would not fit
    }
    if (this.changed.size) this.#flushSoon();
  }

  /** Tells every listener of everything, as at the start. */
  redraw() {
    for (const key of Object.keys(this.state)) this.changed.add(key);
    this.#flushSoon();
  }

  #flushSoon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => this.flush());
  }

  /** Calls `tell` whenever one of `keys` has changed.
   * @param {string[]} keys
   * @param {Listener} tell */
  on(keys, tell) {
    this.listeners.push({ keys, tell });
  }

  /** Tells all listeners at once what has changed. */
  flush() {
    this.isWaiting = false;
    const { changed, state } = this;
    this.changed = new Set();
    if (OF_MOMENT.some((key) => changed.has(key))) {
      state.moment = momentOf(state);
      changed.add("moment");
    }
    for (const { keys, tell } of this.listeners) {
      if (!keys.some((key) => changed.has(key))) continue;
      try {
        tell(state, changed);
      } catch (error) {
        reportError(error); // the others shall hear of it, too
      }
    }
  }
}

/** What is shown now.
 * @param {State} state
 * @returns {Moment|null} */
function momentOf({ run, row, hand, features, moment }) {
  if (!run) return null;
  const params = hand ?? paramsAt(run, row);
  const last = moment?.run === run ? moment : undefined;
  return new Moment(run, params, { step: run.steps[row], features, last });
}
