// The loss over time, with the present moment, and the run before the last change as a ghost.

import { Chart } from "../draw/chart.js";
import { colours } from "../draw/colours.js";
import { lossUnit } from "../model/names.js";
import { updatesOf } from "../model/run.js";
import { el, head, shown } from "./dom.js";
import { rowAt } from "./timeline.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("../model/run.js").Run} Run */

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const canvas = el("canvas", { class: "losses" });
  const cursor = el("i", { class: "cursor", "aria-hidden": "true" });
  const frame = el("div", { class: "frame" }, canvas, cursor);
  root.append(
    head("Loss", "How far the answers are from the targets, on all samples, after each pass. The faint line is the run before your last change; drag along the curve to move in time."),
    frame,
  );
  const chart = new Chart(canvas, axesOf(store.state));
  const draw = () => {
    const { run, ghost } = store.state;
    if (!run) return;
    chart.set(axesOf(store.state));
    chart.draw(marksOf(run, ghost));
    chart.describe(`Training loss from ${shown(run.trainLoss[0])} to ${shown(run.trainLoss.at(-1))}`);
    move(store.state);
  };
  /** @param {State} state */
  const move = ({ run, row }) => {
    if (!run) return;
    const [x] = chart.toPixel(run.steps[row], 1);
    const { top, height } = chart.layout.box;
    cursor.style.transform = `translate(${x}px, ${top}px)`;
    cursor.style.height = `${height}px`;
  };
  store.on(["run", "ghost", "scale", "theme"], draw);
  store.on(["row"], move);
  new ResizeObserver(() => move(store.state)).observe(canvas);
  seekByPointer(canvas, chart, store);
}

/** Dragging along the curve moves the playhead.
 * @param {HTMLCanvasElement} canvas @param {Chart} chart @param {Store} store */
function seekByPointer(canvas, chart, store) {
  /** @param {PointerEvent} event */
  const seek = (event) => {
    const { run, scale } = store.state;
    if (!run || event.buttons !== 1) return;
    const left = canvas.getBoundingClientRect().left;
    const [x] = chart.toData(event.clientX - left, 0);
    const last = run.steps[run.t - 1];
    const step = Math.max(0, Math.min(last, x));
    const place = scale === "log" ? Math.log1p(step) / Math.log1p(last) : step / last;
    store.set({ row: rowAt(run, place, scale), playing: false, hand: null });
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    seek(event);
  });
  canvas.addEventListener("pointermove", seek);
}

/** @param {State} state @returns {import("../draw/chart.js").Options} */
function axesOf({ run, ghost, scale }) {
  if (!run) return { bare: true, x: { label: "", range: [0, 1] }, y: { label: "", range: [0, 1] } };
  const last = run.steps[run.t - 1];
  const values = [run, ghost?.loss === run.loss ? ghost : null].flatMap((one) => (one ? [...one.trainLoss, ...one.testLoss] : []));
  const finite = values.filter((value) => Number.isFinite(value) && value > 0);
  const [low, high] = finite.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, 0]);
  const isLog = finite.length > 0 && high / low > 20;
  /** @type {[number, number]} */
  const range = !finite.length ? [0, 1] : isLog ? [low / 1.3, high * 1.3] : [0, high * 1.08];
  return {
    bare: false,
    x: { label: "updates", scale: scale === "log" ? "log1p" : "linear", range: [0, Math.max(1, last)] },
    y: { label: `loss, ${run.ownLoss ?? lossUnit(run)}`, scale: isLog ? "log" : "linear", range },
  };
}

/** @param {Run} run @param {Run|null} ghost */
function marksOf(run, ghost) {
  const { ink, muted } = colours.inks();
  /** @type {import("../draw/chart.js").Mark[]} */
  const marks = [];
  if (ghost && ghost.loss === run.loss) {
    marks.push({ kind: "line", x: updatesOf(ghost), y: ghost.trainLoss, colour: muted, alpha: 0.35, width: 1.5, name: "before" });
  }
  if (run.testLoss.length) {
    marks.push({ kind: "line", x: updatesOf(run), y: run.testLoss, colour: colours.highlight, dash: [5, 3], width: 1.5, name: "test" });
  }
  marks.push({ kind: "line", x: updatesOf(run), y: run.trainLoss, colour: ink, width: 1.75, name: "training" });
  return marks;
}
