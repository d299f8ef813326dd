// The right panel: the tabs, and the numbers of the present moment.

import * as basin from "../views/basin.js";
import * as compare from "../views/compare.js";
import * as hidden from "../views/hidden.js";
import * as many from "../views/many.js";
import * as metrics from "../views/metrics.js";
import * as output from "../views/output.js";
import * as parameters from "../views/parameters.js";
import * as surface from "../views/surface.js";
import { lossUnit } from "../model/names.js";
import { duration, el, explain, prose, shown, whole } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */

/** Name of a tab -> the module that draws it. */
export const VIEWS = { output, surface, hidden, parameters, metrics, compare, many, basin };
/** @typedef {keyof typeof VIEWS} Tab */

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  const names = /** @type {Tab[]} */ (Object.keys(VIEWS));
  const tabs = names.map((name) =>
    el("button", { ...{ role: "tab", type: "button", id: `tab-${name}`, "aria-controls": "view" }, tip: VIEWS[name].help, on: { click: () => store.set({ tab: name }) } }, VIEWS[name].title),
  );
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": "Views" }, ...tabs);
  list.addEventListener("keydown", (event) => moveFocus(event, tabs));
  const view = el("div", { id: "view", role: "tabpanel", tabindex: "-1" });
  const pin = actions && el("button", { type: "button", class: "pin", tip: "Keeps this run, to compare others with it.", on: { click: () => actions.pin() } }, "Pin");
  /** @type {Partial<Record<Tab, {root: HTMLElement, why: HTMLElement}>>} */
  const built = {};
  const help = el("p", { class: "help", hidden: true });
  const ask = el("button", { type: "button", class: "ask", "aria-label": "What is seen here?", "aria-expanded": "false" }, "?");
  ask.addEventListener("click", () => {
    help.hidden = !help.hidden;
    ask.setAttribute("aria-expanded", String(!help.hidden));
  });
  root.append(el("div", { class: "head" }, el("h2", {}, "Output"), ask, pin), help, list, view, numbers(store));
  store.on(["tab", "run"], (state) => {
    const { tab, run } = state;
    tabs.forEach((button, i) => {
      const isOpen = names[i] === tab;
      button.setAttribute("aria-selected", String(isOpen));
      button.tabIndex = isOpen ? 0 : -1;
    });
    help.textContent = VIEWS[/** @type {Tab} */ (tab)].help;
    view.setAttribute("aria-labelledby", `tab-${tab}`);
    open(/** @type {Tab} */ (tab), built, view, store, actions);
    if (run) document.title = `${run.experiment.title || run.experiment.data.name} · fitscope`;
  });
  const waiting = el("p", { class: "why" }, actions ? "The first training: the engine wakes up …" : "Unpacking the run …");
  view.append(waiting);
  store.on(["run", "error"], ({ run, error }) => (waiting.hidden = run !== null || error !== null));
  store.on(["pins", "run"], ({ pins, run }) => {
    if (!pin) return;
    const isKept = run !== null && pins.includes(run);
    pin.textContent = isKept ? "Pinned" : "Pin";
    pin.setAttribute("aria-pressed", String(isKept));
  });
}

/** Shows a view, built the first time, or why it does not apply.
 * @param {Tab} tab @param {Partial<Record<Tab, {root: HTMLElement, why: HTMLElement}>>} built
 * @param {HTMLElement} parent @param {Store} store @param {Actions|null} actions */
function open(tab, built, parent, store, actions) {
  const { run } = store.state;
  if (!run) return;
  const refusal = VIEWS[tab].applies(run);
  if (!built[tab]) {
    const made = (built[tab] = { root: el("div", { class: `view ${tab}` }), why: el("p", { class: "why" }) });
    parent.append(made.why, made.root);
  }
  const here = built[tab];
  if (!refusal && !here.root.childElementCount) {
    VIEWS[tab].mount(here.root, store, actions);
    store.redraw(); // tells the new view what there is
  }
  for (const [name, one] of Object.entries(built)) {
    one.root.hidden = name !== tab || refusal !== null;
    one.why.hidden = name !== tab || refusal === null;
  }
  here.why.textContent = refusal ?? "";
}

/** @param {KeyboardEvent} event @param {HTMLElement[]} tabs */
function moveFocus(event, tabs) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const next = tabs[(tabs.findIndex((tab) => tab === document.activeElement) + by + tabs.length) % tabs.length];
  next.focus();
  next.click();
  event.preventDefault();
}

/** The loss, the scores, and what it took.
 * @param {Store} store */
function numbers(store) {
  const root = el("dl", { class: "numbers" });
  const cost = el("p", { class: "cost" });
  /** @type {Record<string, HTMLElement>} */
  const cells = {};
  /** @param {string} name @param {string} value @param {string} unit @param {string} tip */
  const write = (name, value, unit, tip) => {
    if (!cells[name]) {
      cells[name] = el("dd");
      root.append(el("div", { tip }, el("dt", {}, name), cells[name], el("dd", { class: "unit" }, unit)));
    }
    if (cells[name].textContent !== value) cells[name].textContent = value;
  };
  store.on(["run"], ({ run }) => {
    if (!run) return;
    root.replaceChildren();
    for (const name of Object.keys(cells)) delete cells[name];
    explain(cost, run.engineReason || "How many steps were made, how long the training took, and what trained it.");
    const ending = run.ending.startsWith("finished") ? "" : `; ${run.ending}`;
    const text = `${whole(run.steps[run.t - 1])} updates in ${duration(run.trainS)}, ${run.engine}${ending}`;
    cost.replaceChildren(...prose(text).childNodes);
  });
  store.on(["moment"], ({ run, moment }) => {
    if (!run || !moment) return;
    const unit = lossUnit(run);
    const { losses, scores } = moment;
    write("loss, training", shown(losses.train), unit, "The mean loss over all training samples at this step.");
    if (losses.test !== null) write("loss, test", shown(losses.test), unit, "The mean loss over the samples that were kept for testing.");
    for (const [part, of] of /** @type {[string, any][]} */ ([["training", scores.train], ["test", scores.test]])) {
      if (!of) continue;
      if ("accuracy" in of) write(`accuracy, ${part}`, Number.isNaN(of.accuracy) ? shown(NaN) : of.accuracy.toFixed(3), "share of samples right", "How many of the samples are told right.");
      else {
        write(`R², ${part}`, shown(of.r2, 3), "share of variance explained", "1 is perfect, 0 is as good as always answering the mean.");
        write(`RMSE, ${part}`, shown(of.rmse), `in units of ${run.dataset.targetName}`, "Root of the mean squared error: how far off an answer typically is.");
      }
    }
  });
  return el("div", {}, root, cost);
}
