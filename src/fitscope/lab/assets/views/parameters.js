// Every parameter over the updates: what training did to the numbers themselves.

import { colours } from "../draw/colours.js";
import { parameterNames, unitNames } from "../model/names.js";
import { rowOf } from "../model/run.js";
import { el, shown, whole } from "../page/dom.js";
import { picture, rangeOf, updatesAxis, whileOpen, widened, write } from "./shared.js";
import { Stage } from "./stage.js";

/** @typedef {import("./shared.js").Store} Store */
/** @typedef {import("./shared.js").Now} Now */
/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("../page/store.js").State} State */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {{index: number, name: string, layer: number, unit: number, input: number, values: Float32Array}} Path input is -1 for a bias */
/** @typedef {{run: Run, steps: Float64Array, paths: Path[], range: [number, number]}} Paths */

export const title = "Parameters";
export const help =
  "Every weight (solid) and bias (dashed) after each update, one line each; the dots are where they stand now. Play, and see which ones move first and which settle last; click a line to select its unit.";
export const needsServer = false;

const MOST = 60; // lines in one picture
const MOST_STEPS = 1200; // of a line
const NEAR_PX = 16; // how far from a line the pointer still means it
const ROW_PX = 14; // height of a name beside the picture

/** Every run has parameters. @returns {string|null} */
export function applies() {
  return null;
}

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const frame = picture("Parameters over the updates", {
    tip: "Point at a line to read it; click it to select its unit. With the keyboard: up and down choose a line, Enter selects its unit.",
    class: "paths",
  });
  const stage = new Stage(frame.canvas, { focus: true });
  stage.top.setAttribute("role", "img");
  stage.top.setAttribute("aria-label", "One line a parameter; up and down choose one.");
  const said = el("p", { class: "said", "aria-live": "polite" });
  root.append(frame.root, said);
  const view = new View(store, stage, said, frame);
  whileOpen(store, { tab: "parameters", keys: ["scale", "unit"], applies }, (now) => view.draw(now));
}

class View {
  /** @param {Store} store @param {Stage} stage @param {HTMLElement} said
   * @param {ReturnType<typeof picture>} frame */
  constructor(store, stage, said, frame) {
    this.store = store;
    this.stage = stage;
    this.said = said;
    this.frame = frame;
    /** @type {Paths|null} */
    this.paths = null;
    /** @type {Path|null} */
    this.pointed = null;
    this.#listen(stage.top);
  }

  /** @param {Now} now */
  draw({ run, state }) {
    if (this.paths?.run !== run) {
      this.paths = pathsOf(run);
      this.pointed = null;
      this.stage.key = "";
      this.#tell(this.paths);
    }
    const { paths } = this;
    const { scale, theme, unit } = state;
    this.stage.lower([scale, theme, unit?.layer, unit?.unit].join(" "), () => ({
      options: axesOf(paths, scale),
      marks: marksOf(paths, unit),
    }));
    this.#drawNow();
  }

  /** @param {Paths} paths */
  #tell({ run, paths, range }) {
    const isAll = run.p === paths.length;
    this.frame.tell(isAll ? "" : `The ${MOST} of ${whole(run.p)} parameters that moved furthest.`);
    this.frame.describe(
      `${whole(paths.length)} parameters over ${whole(run.steps[run.t - 1])} updates, from ${shown(range[0], 3)} to ${shown(range[1], 3)}.`,
    );
  }

  /** What moves with the step: a veil over what is to come, and a dot a parameter. */
  #drawNow() {
    const { paths, stage, pointed } = this;
    const { moment } = this.store.state;
    if (!paths || !moment) return;
    const last = paths.steps[paths.steps.length - 1];
    const { ink, paper } = colours.inks();
    const veil = { x: [moment.step, last], low: [-1e9, -1e9], high: [1e9, 1e9] };
    const dots = paths.paths.map(({ index }) => moment.params[index]);
    /** @type {Mark[]} */
    const marks = [
      { kind: "area", ...veil, colour: paper, alpha: 0.62 },
      { kind: "rule", x: moment.step, colour: ink },
      { ...{ kind: "points", x: dots.map(() => moment.step), y: dots }, size: 7, colour: dots.map((value) => colours.classColour(value < 0 ? 0 : 1)) },
    ];
    if (pointed) marks.splice(1, 0, { kind: "line", x: paths.steps, y: pointed.values, colour: colours.runColour(pointed.layer), width: 3 });
    stage.upper(marks, (ctx) => this.#drawNames(ctx, paths));
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Paths} paths */
  #drawNames(ctx, paths) {
    const { ink, muted } = colours.inks();
    const { chart, sheet } = this.stage;
    const { left, width } = chart.layout.box;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.lineWidth = 1;
    for (const { path, y, end } of placedNames(paths, chart)) {
      const isPointed = path === this.pointed;
      ctx.strokeStyle = colours.runColour(path.layer);
      ctx.beginPath();
      ctx.moveTo(left + width + 4, end);
      ctx.lineTo(left + width + 12, y);
      ctx.stroke();
      ctx.font = sheet.font(11, isPointed ? 600 : 400);
      ctx.fillStyle = isPointed ? ink : muted;
      ctx.fillText(path.name, left + width + 15, y);
    }
  }

  /** @param {HTMLCanvasElement} over */
  #listen(over) {
    over.addEventListener("pointermove", (event) => {
      const box = over.getBoundingClientRect();
      this.#point(this.#nearest(event.clientX - box.left, event.clientY - box.top));
      over.style.cursor = this.pointed ? "pointer" : "";
    });
    over.addEventListener("pointerleave", () => this.#point(null));
    over.addEventListener("click", () => this.#select());
    over.addEventListener("blur", () => this.#point(null));
    over.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const paths = this.paths?.paths ?? [];
      if (event.key === "Enter") this.#select();
      if (!by || !paths.length) return;
      const at = this.pointed ? paths.indexOf(this.pointed) + by : 0;
      this.#point(paths[(at + paths.length) % paths.length]);
      event.preventDefault();
    });
  }

  /** @param {number} px @param {number} py @returns {Path|null} */
  #nearest(px, py) {
    if (!this.paths) return null;
    const { run, paths } = this.paths;
    const { chart } = this.stage;
    const step = Math.min(run.steps[run.t - 1], Math.max(0, chart.toData(px, py)[0]));
    const row = rowOf(run, Math.round(step));
    let [best, least] = [/** @type {Path|null} */ (null), NEAR_PX];
    for (const path of paths) {
      const away = Math.abs(chart.toPixel(step, run.params[row * run.p + path.index])[1] - py);
      if (away < least) [best, least] = [path, away];
    }
    return best;
  }

  /** @param {Path|null} path */
  #point(path) {
    if (path === this.pointed) return;
    this.pointed = path;
    write(this.said, path && this.paths ? sentenceOf(path, this.paths.run, this.store.state) : "");
    this.#drawNow();
  }

  #select() {
    if (!this.pointed) return;
    const { layer, unit } = this.pointed;
    const now = this.store.state.unit;
    const isSame = now?.layer === layer && now.unit === unit;
    this.store.set({ unit: isSame ? null : { layer, unit } });
  }
}

/** @param {Path} path @param {Run} run @param {State} state */
function sentenceOf(path, run, { moment, row }) {
  const names = unitNames(run);
  const unit = names[path.layer + 1][path.unit];
  const what = path.input < 0 ? `bias of ${unit}` : `weight of ${unit} for ${names[path.layer][path.input]}`;
  const value = moment ? moment.params[path.index] : run.params[row * run.p + path.index];
  const [start, end] = [run.params[path.index], run.params[(run.t - 1) * run.p + path.index]];
  return `${path.name}, the ${what}: ${shown(value)} now, ${shown(start)} at the start, ${shown(end)} at the end.`;
}

/** @param {Run} run @returns {Paths} */
function pathsOf(run) {
  const rows = rowsOf(run.t);
  const paths = movedMost(run, described(run));
  for (const path of paths) path.values = Float32Array.from(rows, (row) => run.params[row * run.p + path.index]);
  const range = widened(rangeOf(...paths.map((path) => path.values)), 0.05);
  return { run, steps: Float64Array.from(rows, (row) => run.steps[row]), paths, range };
}

/** What each parameter belongs to. @param {Run} run @returns {Path[]} */
function described({ sizes }) {
  const names = parameterNames(sizes);
  /** @type {Path[]} */
  const found = [];
  const values = new Float32Array(0);
  for (let layer = 0; layer + 1 < sizes.length; layer += 1) {
    for (let unit = 0; unit < sizes[layer + 1]; unit += 1) {
      for (let input = 0; input < sizes[layer]; input += 1) {
        found.push({ index: found.length, name: names[found.length], layer, unit, input, values });
      }
    }
    for (let unit = 0; unit < sizes[layer + 1]; unit += 1) {
      found.push({ index: found.length, name: names[found.length], layer, unit, input: -1, values });
    }
  }
  return found;
}

/** @param {Run} run @param {Path[]} all */
function movedMost({ params, t, p }, all) {
  if (all.length <= MOST) return all;
  /** @param {Path} path */
  const moved = ({ index }) => Math.abs(params[(t - 1) * p + index] - params[index]) || 0;
  const kept = [...all].sort((a, b) => moved(b) - moved(a)).slice(0, MOST);
  return kept.sort((a, b) => a.index - b.index);
}

/** Rows dense enough for an even and for a log axis. @param {number} t */
function rowsOf(t) {
  if (t <= MOST_STEPS) return Array.from({ length: t }, (_, row) => row);
  const half = MOST_STEPS / 2;
  const rows = new Set();
  for (let i = 0; i < half; i += 1) {
    rows.add(Math.round((i / (half - 1)) * (t - 1)));
    rows.add(Math.round(t ** (i / (half - 1)) - 1));
  }
  return /** @type {number[]} */ ([...rows].sort((a, b) => a - b));
}

/** @param {Paths} paths @param {"log"|"even"} scale */
function axesOf({ steps, range }, scale) {
  return { x: updatesAxis(steps[steps.length - 1], scale), y: { label: "parameter", range } };
}

/** @param {Paths} paths @param {State["unit"]} unit @returns {Mark[]} */
function marksOf({ steps, paths }, unit) {
  const named = new Set();
  const alpha = Math.min(1, Math.max(0.5, 20 / paths.length));
  const lines = paths.map((path) => {
    const isOwn = !unit || (path.layer === unit.layer && path.unit === unit.unit);
    const name = named.has(path.layer) ? undefined : `layer ${path.layer + 1}`;
    named.add(path.layer);
    return /** @type {Mark} */ ({
      ...{ kind: "line", x: steps, y: path.values, colour: colours.runColour(path.layer), name },
      ...{ width: unit && isOwn ? 2.4 : 1.5, dash: path.input < 0 ? [5, 3] : undefined },
      alpha: isOwn ? alpha : 0.16,
    });
  });
  return [{ kind: "rule", y: 0, colour: colours.inks().muted }, ...lines];
}

/** Names beside the ends of the lines, where they have room. @param {Paths} paths @param {Stage["chart"]} chart */
function placedNames({ steps, paths }, chart) {
  const last = steps.length - 1;
  const placed = paths
    .map((path) => ({ path, end: chart.toPixel(0, path.values[last])[1], y: 0 }))
    .filter(({ end }) => Number.isFinite(end))
    .sort((a, b) => a.end - b.end);
  const { top, height } = chart.layout.box;
  if (placed.length * ROW_PX > height + ROW_PX) return [];
  placed.forEach((one, i) => (one.y = Math.max(one.end, i ? placed[i - 1].y + ROW_PX : -Infinity)));
  let limit = top + height;
  for (const one of placed.toReversed()) {
    one.y = Math.min(one.y, limit);
    limit = one.y - ROW_PX;
  }
  return placed;
}
