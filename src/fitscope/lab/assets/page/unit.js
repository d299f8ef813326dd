// The card of the selected unit: its weights and its bias, to be set by hand.

import { biasIndex, unitNames, weightIndex } from "../model/names.js";
import { paramsAt } from "../model/run.js";
import { el, numberIn } from "./dom.js";
import { nameOf } from "./formula.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {{index: number, root: HTMLElement, slider: HTMLInputElement, box: HTMLInputElement}} Row */

const ROW_H = 32; // as in lab.css
const LEAST_REACH = 5; // of a slider, to both sides
const N_STEPS = 400; // of a slider, from its middle

/** Unfolds below the diagram while a unit is selected. */
export class UnitCard {
  /** @param {HTMLElement} root @param {Store} store @param {(index: number|null) => void} point
   *  points out a parameter in the diagram @param {() => void} close folds the card up */
  constructor(root, store, point, close) {
    this.root = root;
    this.store = store;
    this.point = point;
    this.close = close;
    this.reach = LEAST_REACH;
    /** @type {Row[]} */
    this.rows = [];
    this.list = el("div", { class: "parameters" });
    this.list.addEventListener("scroll", () => this.follow());
    root.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  }

  /** Builds the card of the unit that is selected, or folds it up.
   * @param {State} state */
  show({ run, unit }) {
    this.root.hidden = !run || !unit;
    this.rows = [];
    if (!run || !unit) return this.root.replaceChildren();
    const { layer, unit: u } = unit;
    const names = unitNames(run);
    const bias = biasIndex(run.sizes, layer, u);
    const indices = names[layer].map((_, i) => weightIndex(run.sizes, layer, u, i));
    this.reach = reachOf(run, [...indices, bias]);
    this.rows = [...indices.map((index, i) => this.#row(index, nameOf(names[layer][i]), `weight of ${names[layer][i]}`)), this.#row(bias, "bias", "bias")];
    this.list.replaceChildren(...this.rows.map((row) => row.root));
    const isOutput = layer === run.sizes.length - 2;
    const what = isOutput ? "output" : run.sizes.length > 3 ? `hidden unit ${u + 1} of layer ${layer + 1}` : `hidden unit ${u + 1}`;
    const close = el("button", { type: "button", class: "close", "aria-label": "Close the unit", tip: "Folds this up (Escape).", on: { click: () => this.close() } }, "×");
    this.root.replaceChildren(el("div", { class: "unit-title" }, el("h3", {}, nameOf(names[layer + 1][u])), el("span", {}, what), close), this.list);
    this.list.scrollTop = 0;
    this.follow();
  }

  /** @param {number} index @param {Node|string} name @param {string} aloud @returns {Row} */
  #row(index, name, aloud) {
    const slider = el("input", { type: "range", min: -N_STEPS, max: N_STEPS, step: 1, "aria-label": `${aloud}, slider` });
    const box = el("input", { type: "text", class: "value", inputmode: "decimal", "aria-label": aloud, spellcheck: "false", autocomplete: "off" });
    slider.addEventListener("input", () => this.#set(index, Number(((Number(slider.value) / N_STEPS) * this.reach).toPrecision(3))));
    box.addEventListener("input", () => this.#read(index, box));
    box.addEventListener("blur", () => this.follow());
    box.addEventListener("keydown", (event) => this.#nudge(event, index));
    const root = el(
      "label",
      { class: "parameter" },
      el("span", { class: "name", tip: "Set this number by hand: every picture follows at once. Arrow keys in the box change it by 0.1." }, name),
      slider,
      box,
    );
    for (const type of ["pointerenter", "focusin"]) root.addEventListener(type, () => this.point(index));
    for (const type of ["pointerleave", "focusout"]) root.addEventListener(type, () => this.point(null));
    return { index, root, slider, box };
  }

  /** @param {number} index @param {HTMLInputElement} box */
  #read(index, box) {
    const value = numberIn(box.value);
    const isNumber = Number.isFinite(Math.fround(value));
    box.setAttribute("aria-invalid", String(!isNumber));
    if (isNumber) this.#set(index, value);
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #nudge(event, index) {
    const by = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const now = this.#params()[index];
    this.#set(index, Number((now + (event.shiftKey ? 10 * by : by)).toFixed(4)));
    /** @type {HTMLInputElement} */ (event.target).value = written(this.#params()[index]);
  }

  #params() {
    const { hand, run, row } = this.store.state;
    return hand ?? paramsAt(/** @type {Run} */ (run), row);
  }

  /** @param {number} index @param {number} value */
  #set(index, value) {
    const hand = Float32Array.from(this.#params());
    hand[index] = value;
    this.store.set({ hand, playing: false });
  }

  /** Writes the present numbers into the rows that are in sight. */
  follow() {
    const { moment } = this.store.state;
    if (!moment || !this.rows.length) return;
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW_H) - 1);
    for (const { index, slider, box } of this.rows.slice(first, first + 14)) {
      const value = moment.params[index];
      const place = String(Math.round((value / this.reach) * N_STEPS));
      if (slider.value !== place && document.activeElement !== slider) slider.value = place;
      const text = written(value);
      slider.setAttribute("aria-valuetext", text);
      if (document.activeElement === box || box.value === text) continue;
      box.value = text;
      box.removeAttribute("aria-invalid");
    }
  }

  /** Puts the cursor into the box of a parameter.
   * @param {number} index */
  edit(index) {
    const row = this.rows.find((one) => one.index === index);
    row?.root.scrollIntoView({ block: "nearest" });
    row?.box.focus({ preventScroll: true });
    row?.box.select();
  }
}

/** A parameter as it is typed: four digits that matter.
 * @param {number} value */
function written(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const text = Math.abs(value) >= 1e-3 || value === 0 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
  return text.replace("-", "−").replace("e−", "e-").replace("e+", "e");
}

/** How far the sliders reach: beyond what training ever gave these parameters.
 * @param {Run} run @param {number[]} indices */
function reachOf(run, indices) {
  let most = LEAST_REACH / 1.5;
  for (const row of [0, run.t >> 1, run.t - 1]) {
    for (const index of indices) {
      const size = Math.abs(run.params[row * run.p + index]);
      if (size < Infinity) most = Math.max(most, size);
    }
  }
  const reach = 1.5 * most;
  const power = 10 ** Math.floor(Math.log10(reach));
  return [1, 2, 5, 10].map((n) => n * power).find((round) => round >= reach) ?? reach;
}
