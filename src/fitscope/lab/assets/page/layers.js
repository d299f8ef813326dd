// What shapes the network: activation, start, and the layers with their numbers of units.

import { el } from "./dom.js";
import { fieldOf } from "./form.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */

const MOST_UNITS = 16; // on the slider; the box and + go on
const FIRST_WIDTH = 3; // of a first hidden layer

/** The widths asked for, or, while a layer comes or goes, those that are shown.
 * @param {State} state @returns {number[]} */
function widthsOf({ experiment, run }) {
  const shown = run ? run.sizes.slice(1, -1) : [];
  const asked = experiment?.network.hidden ?? [];
  return Array.isArray(asked) && asked.length === shown.length ? asked : shown;
}

/** Menus for what all hidden units share.
 * @param {Store} store @param {Actions|null} actions */
export function controls(store, actions) {
  const root = el("div", { class: "shape" });
  if (!actions) return words(root, store);
  const { network } = store.state.boot.catalogue.schema;
  const activation = menu("activation", fieldOf(network.activation).choices, "What a unit makes of its weighted sum. Try tanh, then relu: how do the maps change?", (value) => actions.change("network", { activation: value }));
  const own = el("option", { value: "own", disabled: true, hidden: true }, "own");
  const init = menu("start", fieldOf(network.init).choices, "The weights before the first step: PyTorch's random ones, all 0 or all 1. Try zeros: the units never part.", (value) => actions.change("network", { init: value }));
  init.select.append(own);
  root.append(activation.root, init.root);
  store.on(["experiment"], ({ experiment }) => {
    if (!experiment) return;
    const { network: asked } = experiment;
    const isOwn = Array.isArray(asked.init);
    own.hidden = !isOwn;
    activation.select.value = asked.activation;
    activation.select.disabled = !asked.hidden?.length;
    init.select.value = isOwn ? "own" : asked.init;
  });
  return root;
}

/** What cannot be changed in a replay, said in words.
 * @param {HTMLElement} root @param {Store} store */
function words(root, store) {
  store.on(["run"], ({ run }) => {
    if (!run) return;
    const { init } = run.experiment.network;
    const start = Array.isArray(init) ? "own numbers" : `${init} start`;
    const units = run.sizes.length > 2 ? `${run.activation} units` : "no hidden layer";
    root.replaceChildren(el("span", {}, `${units}, ${start}`));
  });
  return root;
}

/** @param {string} name @param {string[]} choices @param {string} tip @param {(value: string) => void} change */
function menu(name, choices, tip, change) {
  const select = el("select", { "aria-label": name }, ...choices.map((choice) => el("option", { value: choice }, choice)));
  select.addEventListener("change", () => change(select.value));
  return { select, root: el("label", { tip }, el("span", {}, name), select) };
}

/** The button for one more layer.
 * @param {Store} store @param {Actions} actions */
export function layerButton(store, actions) {
  return el("button", { type: "button", class: "add", tip: "Adds a hidden layer before the output.", on: { click: () => addLayer(store, actions) } }, "+ layer");
}

/** @param {Store} store @param {Actions} actions */
function addLayer(store, actions) {
  const hidden = widthsOf(store.state);
  actions.change("network", { hidden: [...hidden, Math.min(hidden.at(-1) ?? FIRST_WIDTH, MOST_UNITS)] });
}

/** What stands above the columns; those of hidden layers change their numbers of units.
 * @param {HTMLElement} inner @param {Store} store @param {Actions|null} actions
 * @returns {(state: State) => HTMLElement[]} the headings of a run, one a column */
export function headings(inner, store, actions) {
  const inputs = el("div", { class: "layer", hidden: true }, el("h3", {}, "inputs"));
  const output = el("div", { class: "layer", hidden: true }, el("h3", {}, "output"));
  inner.append(inputs, output);
  /** @type {ReturnType<typeof heading>[]} */
  const hidden = [];
  store.on(["experiment", "run"], (state) => {
    widthsOf(state).forEach((width, l) => hidden[l]?.show(width));
  });
  return ({ run, ...state }) => {
    inputs.hidden = output.hidden = !run;
    const n = run ? run.sizes.length - 2 : 0;
    while (hidden.length > n) hidden.pop()?.root.remove();
    while (hidden.length < n) {
      hidden.push(heading(hidden.length, store, actions));
      output.before(hidden[hidden.length - 1].root);
    }
    hidden.forEach(({ root, title, show }, l) => {
      title.textContent = n === 1 ? "hidden" : `hidden ${l + 1}`;
      show(widthsOf({ run, ...state })[l]);
      root.setAttribute("aria-label", `Hidden layer ${l + 1}`);
    });
    return [inputs, ...hidden.map(({ root }) => root), output];
  };
}

/** @param {number} l @param {Store} store @param {Actions|null} actions */
function heading(l, store, actions) {
  const title = el("h3");
  const root = el("div", { class: "layer hidden-layer", role: "group" }, el("div", { class: "layer-title" }, title));
  if (!actions) return { root, title, show: () => undefined };
  /** @param {(widths: number[]) => number[]} changed */
  const change = (changed) => actions.change("network", { hidden: changed([...widthsOf(store.state)]) });
  /** @param {number} width */
  const setWidth = (width) => change((widths) => widths.with(l, width));
  const now = () => widthsOf(store.state)[l];
  const layer = `hidden layer ${l + 1}`;
  const remove = el("button", { type: "button", class: "remove", "aria-label": `Remove ${layer}`, tip: "Removes this layer.", on: { click: () => change((widths) => widths.toSpliced(l, 1)) } }, "×");
  const fewer = el("button", { type: "button", "aria-label": `One unit less in ${layer}`, tip: "One unit less.", on: { click: () => now() > 1 && setWidth(now() - 1) } }, "−");
  const one = el("button", { type: "button", "aria-label": `One unit more in ${layer}`, tip: "One unit more.", on: { click: () => setWidth(now() + 1) } }, "+");
  const count = el("input", { type: "text", inputmode: "numeric", class: "count", "aria-label": `Units in ${layer}`, tip: "How many units this layer has.", spellcheck: "false", autocomplete: "off" });
  const slider = el("input", { type: "range", min: 1, max: MOST_UNITS, step: 1, "aria-label": `Units in ${layer}, slider`, tip: "Drag the number of hidden units: the network is trained anew at once." });
  slider.addEventListener("input", () => setWidth(Number(slider.value)));
  count.addEventListener("change", () => {
    const width = Number(count.value);
    if (Number.isInteger(width) && width > 0) setWidth(width);
    else count.value = String(now());
  });
  root.firstElementChild?.append(remove);
  root.append(el("div", { class: "stepper" }, fewer, count, one), slider);
  /** @param {number} width */
  const show = (width) => {
    if (count.value !== String(width)) count.value = String(width);
    slider.value = String(width);
    fewer.disabled = width <= 1;
  };
  return { root, title, show };
}
