// Starts the page: live beside a server, or as the replay of one run that is in the file itself.

import { colours, setMode, setTheme } from "./draw/colours.js";
import { Actions } from "./page/actions.js";
import { ask } from "./page/api.js";
import * as bar from "./page/bar.js";
import * as data from "./page/data.js";
import * as help from "./page/help.js";
import { invitation } from "./page/invitation.js";
import * as lessons from "./page/lessons.js";
import { asked, keepLink } from "./page/link.js";
import * as losses from "./page/losses.js";
import * as network from "./page/network.js";
import * as out from "./page/out.js";
import * as output from "./page/output.js";
import * as replay from "./page/replay.js";
import * as sheets from "./page/sheets.js";
import { Store } from "./page/store.js";
import * as timeline from "./page/timeline.js";

const FIRST = "rings-3"; // what a first visit shows

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

async function start() {
  const boot = JSON.parse(place("boot").textContent ?? "{}");
  setTheme(boot.theme);
  const isLab = boot.mode === "lab";
  const store = new Store({
    ...{ mode: boot.mode, boot, experiment: boot.experiment ?? null, run: null, ghost: null, row: 0, hand: null, moment: null },
    ...{ playing: false, speed: 1, scale: "log", tab: "output", unit: null, features: [0, 1], lines: false },
    ...{ brush: null, pins: [], busy: null, error: null, theme: bar.wantedTheme(), explaining: false },
  });
  const actions = isLab ? new Actions(store) : null;
  store.on(["theme"], ({ theme }) => applyTheme(theme));
  const buttons = bar.mount(place("bar"), store, actions);
  out.mount(buttons, store, actions);
  if (actions) {
    data.mount(place("data"), store, actions);
    lessons.mount(place("side"), buttons, store, actions);
  } else replay.mount(place("data"), store);
  network.mount(place("network"), store, actions);
  losses.mount(place("loss"), store);
  output.mount(place("output"), store, actions);
  if (actions) invite(store);
  timeline.mount(place("time"), store, actions);
  sheets.mount(store);
  help.mount(store);
  store.on(["error"], ({ error }) => (place("note").textContent = error ?? ""));
  store.redraw();
  if (actions) await startLab(store, actions);
  else await startReplay(store);
}

/** @param {Store} store */
async function startReplay(store) {
  try {
    const run = await replay.run();
    store.set({ run, experiment: run.experiment, row: 0, playing: mayMove() });
  } catch {
    store.set({ error: "This replay is damaged, or this browser is too old for it." });
  }
}

/** Shows what the link asks for, what the command named, or the first experiment, playing.
 * @param {Store} store @param {Actions} actions */
async function startLab(store, actions) {
  let broken = "";
  try {
    broken = await showAsked(store, actions);
    if (!store.state.run) await showFirst(store, actions);
  } catch (error) {
    broken = /** @type {Error} */ (error).message;
    if (!store.state.run) await trainFirst(store, actions);
  }
  if (broken) store.set({ error: broken });
  keepLink(store, actions);
}

/** Trains what the link holds, if there is one.
 * @param {Store} store @param {Actions} actions
 * @returns {Promise<string>} what is wrong with it, in a sentence; empty where nothing is */
async function showAsked(store, actions) {
  const wanted = await asked();
  if (!wanted) return "";
  store.set(wanted.state);
  const run = await actions.train(wanted.experiment, { row: 0, playing: mayMove() && wanted.step === undefined });
  if (run && wanted.step !== undefined) actions.seekStep(wanted.step);
  return store.state.run ? "" : `The link cannot be shown. ${store.state.error}`;
}

/** @param {Store} store @param {Actions} actions */
async function showFirst(store, actions) {
  const { run } = store.state.boot;
  if (run) actions.open(await (await ask(run)).arrayBuffer());
  else await trainFirst(store, actions);
}

/** @param {Store} store @param {Actions} actions */
function trainFirst(store, actions) {
  const { experiment, catalogue } = store.state.boot;
  return actions.train(experiment ?? catalogue.experiments[FIRST], { row: 0, playing: mayMove() });
}

/** Beside the network, and where that is a sheet, below the output. @param {Store} store */
function invite(store) {
  invitation(place("network"), store, "Drag the number of hidden units to 2. Why does it fail?");
  invitation(place("output"), store, "Open Network and drag the hidden units to 2. Why does it fail?");
}

/** Whether the page may move by itself. */
function mayMove() {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** @param {"light"|"dark"} theme */
function applyTheme(theme) {
  setMode(theme);
  const { style, dataset } = document.documentElement;
  dataset.theme = theme;
  for (const [name, colour] of Object.entries(colours.inks())) style.setProperty(`--${name}`, colour);
  style.setProperty("--cool", colours.classColour(0));
  style.setProperty("--warm", colours.classColour(1));
  style.setProperty("--highlight", colours.highlight);
}

start();
