// The time bar: play, pause, step, and a scrubber over all recorded steps.

import { el, icon, whole } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("../model/run.js").Run} Run */

const STORY_S = 6; // playing tells the whole run in so many seconds
const FINE = 10_000; // places on the scrubber

/** Where a recorded step lies on the bar, from 0 to 1.
 * @param {Run} run @param {number} row @param {"log"|"even"} scale */
export function placeOf(run, row, scale) {
  const [step, last] = [run.steps[row], run.steps[run.t - 1]];
  if (last === 0) return 0;
  return scale === "log" ? Math.log1p(step) / Math.log1p(last) : step / last;
}

/** The recorded step that lies nearest to a place on the bar.
 * @param {Run} run @param {number} place @param {"log"|"even"} scale */
export function rowAt(run, place, scale) {
  const last = run.steps[run.t - 1];
  const step = scale === "log" ? Math.expm1(place * Math.log1p(last)) : place * last;
  let [low, high] = [0, run.t - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - run.steps[low - 1] < run.steps[low] - step ? low - 1 : low;
}

/** @param {HTMLElement} root @param {Store} store @param {import("./actions.js").Actions|null} actions */
export function mount(root, store, actions) {
  const player = new Player(store);
  /** @param {Node|string} face @param {string} name @param {string} tip @param {() => void} act @param {string} [extra] */
  const button = (face, name, tip, act, extra = "") =>
    el("button", { type: "button", class: extra, "aria-label": name, tip, on: { click: act } }, face);
  const play = button(icon("play"), "Play", "Plays the training from here; the space bar does the same.", () => player.toggle(), "play");
  const bar = el("input", {
    ...{ type: "range", min: 0, max: FINE, step: 1, value: 0, class: "scrub", "aria-label": "Step" },
    tip: "Drag to any moment of the training. Arrow keys go step by step.",
    on: { input: () => player.seekPlace(Number(bar.value) / FINE) },
  });
  const speed = el(
    "select",
    { "aria-label": "Speed", tip: "How fast it plays: at 1x the whole run takes six seconds.", on: { change: () => store.set({ speed: Number(speed.value) }) } },
    ...[0.1, 0.25, 0.5, 1, 2, 4].map((x) => el("option", { value: x, selected: x === 1 }, `${x}×`)),
  );
  const scale = el(
    "button",
    { type: "button", class: "scale", "aria-pressed": "true", tip: "Spreads the first steps, where most happens; switch off for an even pace.", on: { click: () => store.set({ scale: store.state.scale === "log" ? "even" : "log" }) } },
    "log",
  );
  const step = el("output", { class: "step", "aria-live": "off" });
  const busy = el("div", { class: "busy", hidden: true, role: "progressbar", "aria-label": "Training" }, el("i"));
  const cancel = button("stop", "Stop training", "Ends the training; what it has recorded is kept.", () => actions?.cancel(), "cancel");
  const corner = takingTurns(scale, cancel);
  root.append(
    busy,
    el(
      "div",
      { class: "keys" },
      button(icon("start"), "To the start", "Goes to the start (Home).", () => player.seek(0)),
      button(icon("back"), "One step back", "One recorded step back (left arrow; with Shift ten).", () => player.move(-1)),
      play,
      button(icon("next"), "One step on", "One recorded step on (right arrow; with Shift ten).", () => player.move(1)),
      button(icon("end"), "To the end", "Goes to the end (End).", () => player.seek(Infinity)),
    ),
    speed,
    bar,
    step,
    corner.root,
  );
  if (actions) root.append(trainingButtons(actions));
  store.on(["run", "row", "scale", "playing"], (state) => {
    const face = state.playing ? "Pause" : "Play";
    if (play.getAttribute("aria-label") !== face) {
      play.setAttribute("aria-label", face);
      play.replaceChildren(icon(face.toLowerCase()));
    }
    scale.setAttribute("aria-pressed", String(state.scale === "log"));
    if (state.run) showPlace(bar, step, state, state.run);
  });
  store.on(["busy"], ({ busy: now }) => {
    busy.hidden = now === null;
    corner.show(now ? cancel : scale);
    const share = now && now.planned ? now.done / now.planned : 0;
    /** @type {HTMLElement} */ (busy.firstElementChild).style.width = `${100 * share}%`;
    busy.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  });
  listenToKeys(player);
  return player;
}

/** Elements in one and the same room, so that the bar stays as wide while it is dragged.
 * @param {...HTMLElement} elements */
function takingTurns(...elements) {
  const root = el("div", {}, ...elements);
  root.style.display = "grid";
  for (const one of elements) one.style.gridArea = "1 / 1";
  /** @param {HTMLElement} shown */
  const show = (shown) => {
    for (const one of elements) one.style.visibility = one === shown ? "visible" : "hidden";
  };
  return { root, show };
}

/** @param {HTMLInputElement} bar @param {HTMLOutputElement} step @param {State} state @param {Run} run */
function showPlace(bar, step, { row, scale }, run) {
  const place = placeOf(run, row, scale);
  const text = `step ${whole(run.steps[row])} of ${whole(run.steps[run.t - 1])}`;
  bar.value = String(Math.round(place * FINE));
  bar.style.setProperty("--place", String(place));
  bar.setAttribute("aria-valuetext", text);
  step.textContent = text;
}

/** @param {import("./actions.js").Actions} actions */
function trainingButtons(actions) {
  /** @param {string} text @param {string} tip @param {() => void} act */
  const button = (text, tip, act) => el("button", { type: "button", tip, on: { click: act } }, text);
  return el(
    "div",
    { class: "again" },
    button("Restart", "Plays the same training from its start again.", () => actions.restart()),
    button("New start", "Trains from other random weights: the next seed.", () => actions.newStart()),
    button("Continue", "Trains twice as many epochs, on from where the run ended.", () => actions.continueTraining()),
  );
}

/** Moves the playhead, by hand or by itself. */
class Player {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.place = 0;
    this.before = 0;
    this.row = -1;
    store.on(["playing"], ({ playing }) => playing && this.#start());
  }

  toggle() {
    const { run, row, playing } = this.store.state;
    if (!run) return;
    this.store.set({ playing: !playing, row: !playing && row === run.t - 1 ? 0 : row });
  }

  /** @param {number} row */
  seek(row) {
    const { run } = this.store.state;
    if (!run) return;
    this.store.set({ row: Math.max(0, Math.min(run.t - 1, row)), playing: false, hand: null });
  }

  /** @param {number} n_rows */
  move(n_rows) {
    this.seek(this.store.state.row + n_rows);
  }

  /** @param {number} place from 0 to 1 */
  seekPlace(place) {
    const { run, scale } = this.store.state;
    if (run) this.seek(rowAt(run, place, scale));
  }

  #start() {
    this.before = performance.now();
    this.row = -1;
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** @param {number} now */
  #frame(now) {
    const { run, playing, row, scale, speed } = this.store.state;
    if (!playing || !run) return;
    if (row !== this.row) this.place = placeOf(run, row, scale); // it was moved by somebody else
    const passed = Math.min(0.1, Math.max(0, (now - this.before) / 1000));
    this.before = now;
    this.place = Math.min(1, this.place + (passed * speed) / STORY_S);
    this.row = this.place >= 1 ? run.t - 1 : rowAt(run, this.place, scale);
    this.store.set({ row: this.row, hand: null, playing: this.place < 1 });
    if (this.place < 1) requestAnimationFrame((next) => this.#frame(next));
  }
}

/** Space plays, arrows step, Home and End jump, unless something else wants the key.
 * @param {Player} player */
function listenToKeys(player) {
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isScrub = target.classList.contains("scrub");
    const takesKeys = target.closest("input, select, textarea, [role=tab], dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || (takesKeys && !isScrub)) return;
    if (event.key === " " && target.closest("button, summary, a")) return;
    const by = event.shiftKey ? 10 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => event.repeat || player.toggle(),
      ArrowRight: () => player.move(by),
      ArrowLeft: () => player.move(-by),
      Home: () => player.seek(0),
      End: () => player.seek(Infinity),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
