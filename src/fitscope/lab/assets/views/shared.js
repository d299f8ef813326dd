// What the tabs share: a picture with its words, menus, and the names of classes and losses.

import { labelText, lossUnit } from "../model/names.js";
import { el } from "../page/dom.js";

/** @typedef {import("../page/store.js").Store} Store */
/** @typedef {import("../page/store.js").State} State */
/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/run.js").Dataset} Dataset */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {{run: Run, moment: Moment, state: State, changed: Set<string>}} Now */

const MAX_POINTS = 2500; // drawn in one picture; more would only lie on top of each other
const COSTLY_MS = 8; // of a frame of 16
const LONGEST = 30; // letters of a name in a picture

/** @type {Record<string, string>} */
const LOSS_NAMES = {
  cross_entropy: "cross-entropy",
  mse: "squared error",
  smooth_l1: "smooth L1",
  relative: "relative error",
};

/** A loss by name. @param {string} loss */
export function lossName(loss) {
  return LOSS_NAMES[loss] ?? loss;
}

/** A loss by name and unit, as it stands on an axis.
 * @param {Run} run @param {string} [loss] the run's own by default */
export function lossLabel(run, loss = run.loss) {
  if (loss === "smooth_l1") return "smooth L1 loss";
  return loss === "cross_entropy" ? `${lossName(loss)}, ${lossUnit(run, loss)}` : lossUnit(run, loss);
}

/** Calls `draw` whenever one of the keys, the moment, the theme or the tab changes
 * while the tab is open and the run is one that it can show.
 * @param {Store} store
 * @param {{tab: string, keys?: string[], applies: (run: Run) => string|null}} when
 * @param {(now: Now) => void} draw */
export function whileOpen(store, { tab, keys = [], applies }, draw) {
  /** @param {State} state @param {Set<string>} changed */
  const tell = (state, changed) => {
    const { run, moment } = state;
    if (state.tab === tab && run && moment && !applies(run)) draw({ run, moment, state, changed });
  };
  store.on(["moment", "run", "tab", "theme", ...keys], tell);
}

/** The drawing, no more often than leaves half of the time to everything else, or than every so
 * many milliseconds; the last of several calls is always drawn.
 * @param {() => void} draw @param {number} [restMs] @returns {() => void} */
export function paced(draw, restMs = 0) {
  let free = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let waiting;
  return function now() {
    clearTimeout(waiting);
    const began = performance.now();
    if (began < free) {
      waiting = setTimeout(now, free - began);
      return;
    }
    draw();
    const ended = performance.now();
    const cost = ended - began;
    free = ended + Math.max(restMs, cost > COSTLY_MS ? cost : 0);
  };
}

/** Why a run cannot be shown that came without its samples. @param {Run} run */
export function needsSamples(run) {
  if (run.dataset.y.length) return null;
  return "This run was saved without its data; train it here, or save it with the data.";
}

/** What decides the ends of trainings from many starts: everything but the start, and one setting
 * of the training that the view changes itself. @param {Run} run @param {"seed"|"loss"} setting */
export function keyBut({ experiment: { data, network, training } }, setting) {
  return JSON.stringify([data, { ...network, init: null }, { ...training, [setting]: null }]);
}

/** A canvas under a heading, with room for a sentence below it.
 * @param {string} title
 * @param {{tip: string, class?: string}} options */
export function picture(title, options) {
  const canvas = el("canvas", { role: "img", "aria-label": title || "A picture that is still being computed" });
  const heading = el("h3", { tip: options.tip }, title);
  const note = el("p", { class: "note" });
  const root = el("figure", { class: `view-picture ${options.class ?? ""}` }, el("figcaption", {}, heading), canvas, note);
  return {
    root,
    canvas,
    /** What stands above the canvas. @param {string} text */
    name: (text) => write(heading, text),
    /** One line below the canvas. @param {string} text */
    tell: (text) => write(note, text),
    /** What somebody hears who cannot see it; not for every frame. @param {string} text */
    describe: (text) => canvas.getAttribute("aria-label") === text || canvas.setAttribute("aria-label", text),
  };
}

/** Writes a text where it is another one. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A menu with its name: `show` fills and sets it.
 * @param {string} name @param {string} tip @param {(value: string) => void} change */
export function menu(name, tip, change) {
  const select = el("select", {});
  const root = el("label", { class: "view-menu", tip }, el("span", {}, name), select);
  let written = "";
  select.addEventListener("change", () => change(select.value));
  return {
    root,
    /** @param {[string, string][]} choices value and text of each @param {string} value */
    show(choices, value) {
      const wanted = JSON.stringify(choices);
      if (wanted !== written) {
        select.replaceChildren(...choices.map(([key, text]) => el("option", { value: key }, text)));
        written = wanted;
      }
      select.value = value;
    },
  };
}

/** Buttons of which one is pressed.
 * @param {string} name @param {string} tip @param {[string, string][]} choices value and text
 * @param {(value: string) => void} change */
export function toggle(name, tip, choices, change) {
  const buttons = choices.map(([value, text]) =>
    el("button", { type: "button", data: { value }, on: { click: () => change(value) } }, text),
  );
  const root = el("div", { class: "view-toggle", role: "group", "aria-label": name, tip }, ...buttons);
  return {
    root,
    /** @param {string} value */
    show(value) {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === value));
    },
  };
}

/** A button with its explanation. @param {string} text @param {string} tip @param {() => void} act */
export function button(text, tip, act) {
  return el("button", { type: "button", tip, on: { click: act } }, text);
}

/** A text cut where it is long. @param {string} text @param {number} [longest] */
export function cut(text, longest = LONGEST) {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** A class as a legend names it: text by itself, a number with what it is a value of.
 * @param {Dataset} dataset @param {number} index */
export function className(dataset, index) {
  const label = dataset.classes[index];
  return cut(typeof label === "string" ? label : `${dataset.targetName} = ${labelText(label)}`);
}

/** What an answer along one input is, as it stands on an axis. @param {Dataset} dataset */
export function answerLabel(dataset) {
  const { classes, targetName } = dataset;
  return classes.length === 2 ? `probability of ${targetName} = ${labelText(classes[1])}` : targetName;
}

/** Where the samples of a part begin and end.
 * @param {Dataset} dataset @param {"train"|"test"} part
 * @returns {[number, number]} */
export function partOf({ nTrain, nTest }, part) {
  return part === "train" ? [0, nTrain] : [nTrain, nTrain + nTest];
}

/** Every how many samples one is drawn. @param {number} n */
export function every(n) {
  return Math.max(1, Math.ceil(n / MAX_POINTS));
}

/** The least and the largest number that is finite; (0, 1) where none is.
 * @param {...ArrayLike<number>} lists @returns {[number, number]} */
export function rangeOf(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let i = 0; i < list.length; i += 1) {
      const value = list[i];
      if (value < low && value > -Infinity) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A range with a margin; one of no width gets some.
 * @param {[number, number]} range @param {number} share @returns {[number, number]} */
export function widened([low, high], share) {
  const margin = share * (high > low ? high - low : Math.abs(low) || 1);
  return [low - margin, high + margin];
}

/** The axis of updates. @param {number} last @param {"log"|"even"} scale */
export function updatesAxis(last, scale) {
  const range = /** @type {[number, number]} */ ([0, Math.max(1, last)]);
  return { label: "updates", scale: /** @type {"log1p"|"linear"} */ (scale === "log" ? "log1p" : "linear"), range };
}
