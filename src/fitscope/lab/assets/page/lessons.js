// The five lessons in a side panel: their text step by step, each step setting the bench.

import { found } from "./api.js";
import { el, icon, refill } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {{experiment: string, settings?: Record<string, any>, view?: string, step?: number|null, play?: boolean, lines?: boolean}} Bench */
/** @typedef {{title: string, html: string, lab: (Bench & {try?: string})|null}} Step */
/** @typedef {{number: number, title: string, steps: Step[]}} Lesson */

/** @param {HTMLElement} side @param {HTMLElement} buttons @param {Store} store @param {Actions} actions */
export function mount(side, buttons, store, actions) {
  const button = el("button", { type: "button", "aria-expanded": "false", "aria-controls": "side", tip: "Five lessons, from one neuron to hidden layers; each step sets the bench.", on: { click: () => toggle() } }, "Lessons");
  buttons.append(button);
  const close = el("button", { type: "button", class: "close", "aria-label": "Close the lessons", on: { click: () => toggle() } }, icon("close"));
  const body = el("div", { class: "lesson" });
  side.append(close, body);
  const toggle = () => {
    side.hidden = !side.hidden;
    button.setAttribute("aria-expanded", String(!side.hidden));
    document.documentElement.classList.toggle("reading", !side.hidden);
    if (!side.hidden && !body.childElementCount) list(body, store, actions);
    (side.hidden ? button : close).focus();
  };
  side.addEventListener("keydown", (event) => event.key === "Escape" && toggle());
}

/** @param {HTMLElement} body @param {Store} store @param {Actions} actions */
function list(body, store, actions) {
  const items = store.state.boot.catalogue.lessons.map((/** @type {{number: number, title: string, about: string}} */ one) =>
    el("li", {}, el("button", { type: "button", class: "plain", on: { click: () => read(body, one.number, store, actions) } }, el("b", {}, one.title), el("span", {}, one.about))),
  );
  const title = el("h2", { tabindex: -1 }, "Lessons");
  body.replaceChildren(title, el("ol", { class: "list" }, ...items));
  title.focus();
}

/** @param {HTMLElement} body @param {number} number @param {Store} store @param {Actions} actions */
async function read(body, number, store, actions) {
  try {
    const lesson = /** @type {Lesson} */ (await found(`/api/lessons/${number}`));
    showStep(body, lesson, 0, store, actions);
  } catch (error) {
    store.set({ error: /** @type {Error} */ (error).message });
  }
}

/** @param {HTMLElement} body @param {Lesson} lesson @param {number} at @param {Store} store @param {Actions} actions */
function showStep(body, lesson, at, store, actions) {
  const step = lesson.steps[at];
  /** @param {string} text @param {number} to */
  const go = (text, to) => el("button", { type: "button", disabled: !lesson.steps[to], on: { click: () => showStep(body, lesson, to, store, actions) } }, text);
  const text = el("article", {});
  text.innerHTML = step.html; // our own text, rendered by the server from the package's files
  const contents = el("select", { "aria-label": "Step of the lesson" }, ...lesson.steps.map(({ title }, i) => el("option", { value: i, selected: i === at }, `${i + 1}. ${title}`)));
  contents.addEventListener("change", () => showStep(body, lesson, Number(contents.value), store, actions));
  const again = step.lab && el("button", { type: "button", class: "set", tip: "Puts the bench back to what this step talks about.", on: { click: () => setBench(step.lab, store, actions) } }, "Set the bench");
  const trial = step.lab?.try && el("p", { class: "try" }, el("b", {}, "In the lab "), step.lab.try);
  const title = el("h2", { tabindex: -1 }, step.title);
  refill(
    body,
    el("nav", {}, el("button", { type: "button", class: "plain", on: { click: () => list(body, store, actions) } }, "‹ Lessons"), contents),
    title,
    text,
    trial,
    el("nav", { class: "steps" }, go("‹ Back", at - 1), again, go("Next ›", at + 1)),
  );
  if (document.activeElement !== contents) title.focus({ preventScroll: true });
  body.parentElement?.scrollTo(0, 0);
  setBench(step.lab, store, actions);
}

/** Trains and shows what a step talks about.
 * @param {Bench|null} lab @param {Store} store @param {Actions} actions */
async function setBench(lab, store, actions) {
  if (!lab) return;
  const { catalogue } = store.state.boot;
  const base = catalogue.experiments[lab.experiment] ?? { title: "", about: "", data: { name: lab.experiment }, network: {}, training: {} };
  store.set({ tab: lab.view ?? "output", lines: lab.lines ?? false, unit: null });
  const run = await actions.train(overridden(base, lab.settings ?? {}, catalogue), { row: 0, hand: null, playing: lab.play ?? false });
  if (run && !lab.play) store.set({ row: Math.round((lab.step ?? 1) * (run.t - 1)), playing: false });
}

/** An experiment with settings named flat, each put in the part that has it.
 * @param {any} base @param {Record<string, any>} settings @param {any} catalogue */
function overridden(base, settings, { schema }) {
  const made = structuredClone(base);
  for (const [name, value] of Object.entries(settings)) {
    const own = ["training", "network", "data"].find((part) => name in schema[part]);
    if (own) made[own] = { ...made[own], [name]: value };
    else made.data = { ...made.data, [name.replace(/^data_/, "")]: value };
  }
  return made;
}
