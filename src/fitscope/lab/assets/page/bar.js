// The top line: which experiment, and what can be done with it.

import { el, icon } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./actions.js").Actions} Actions */

const THEME = "fitscope-theme"; // where the browser keeps the choice

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions
 * @returns {HTMLElement} where the buttons go that take things out of the page */
export function mount(root, store, actions) {
  const out = el("div", { class: "out" });
  const title = el("p", { class: "title" });
  const explain = el("button", { type: "button", id: "explain", "aria-pressed": "false", tip: "Explains everything: point at anything. Escape ends it.", on: { click: () => store.set({ explaining: !store.state.explaining }) } }, "Explain");
  const theme = el("button", { type: "button", class: "theme", tip: "Switches between light and dark.", on: { click: () => switchTheme(store) } });
  root.append(el("h1", { class: "brand" }, "fitscope"), actions ? experimentMenu(store, actions) : el("span"), title, out, explain, theme);
  store.on(["run", "experiment"], ({ run, experiment }) => {
    title.textContent = run?.experiment.about || experiment?.title || aboutData(store);
  });
  store.on(["explaining"], ({ explaining }) => explain.setAttribute("aria-pressed", String(explaining)));
  store.on(["theme"], (state) => {
    theme.replaceChildren(icon(state.theme === "dark" ? "light" : "dark"));
    theme.setAttribute("aria-label", state.theme === "dark" ? "Light page" : "Dark page");
  });
  return out;
}

/** What the data is, where the experiment has no title of its own.
 * @param {Store} store */
function aboutData({ state: { boot, experiment } }) {
  return boot.catalogue?.datasets[experiment?.data.name]?.about ?? "";
}

/** Only a theme that was chosen is kept; until then it is the system's. @param {Store} store */
function switchTheme(store) {
  const theme = store.state.theme === "dark" ? "light" : "dark";
  store.set({ theme });
  keep(THEME, theme);
}

/** The theme that was chosen here before, or that the system asks for.
 * @returns {"light"|"dark"} */
export function wantedTheme() {
  const kept = remembered(THEME);
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {Store} store @param {Actions} actions */
function experimentMenu(store, actions) {
  const { experiments } = store.state.boot.catalogue;
  const menu = el(
    "select",
    { "aria-label": "Experiment", class: "experiment", tip: "The built-in experiments; each is a start for your own." },
    el("option", { value: "", disabled: true, selected: true }, "changed"),
    ...Object.keys(experiments).map((name) => el("option", { value: name }, name)),
  );
  menu.addEventListener("change", () => {
    actions.train(experiments[menu.value], { row: 0, playing: true, unit: null, hand: null });
  });
  store.on(["experiment"], ({ experiment }) => {
    const same = Object.keys(experiments).find((name) => isSame(experiments[name], experiment));
    menu.value = same ?? "";
  });
  return menu;
}

/** Whether an experiment is one of the built-in ones, settings that are left out aside.
 * @param {any} built @param {any} asked */
function isSame(built, asked) {
  return ["data", "network", "training"].every((part) =>
    Object.entries(built[part]).every(([name, value]) => JSON.stringify(value) === JSON.stringify(asked[part][name])) &&
    Object.entries(asked[part]).every(([name, value]) => value === null || name in built[part]),
  );
}

/** @param {string} name @param {string} value */
function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // a page in a sandbox has no memory, and needs none
  }
}

/** @param {string} name */
function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
