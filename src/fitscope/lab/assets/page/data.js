// The left panel: which data, with which settings, and how the network is trained on it.

import { colours } from "../draw/colours.js";
import { found } from "./api.js";
import { el, head, prose, refill, whole } from "./dom.js";
import { fieldOf, settingRow } from "./form.js";
import { mount as mountTables } from "./tables.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {{x: number[], y: number[], c: (number|null)[]}} Thumbnail */

const MAIN = ["optimizer", "lr", "batch_size", "epochs", "loss"];
const OF_SGD = ["momentum", "nesterov"];
const SOLVERS = ["lbfgs", "newton"]; // they find the step and its length themselves
const OF_STEPS = ["lr", "weight_decay", "batch_size", "shuffle", "patience"];
const FIRST_POINTS = [[-1, -1, 0], [1, 1, 1]]; // a set of points by hand begins with one a class
const ELSEWHERE = ["points", "target", "features", "categories", "drop", "task", "path", "name"]; // set by other means

/** @param {HTMLElement} root @param {Store} store @param {Actions} actions */
export function mount(root, store, actions) {
  const { catalogue } = store.state.boot;
  root.append(
    head("Data", "The samples that the network learns from; hollow ones are kept for testing. Try another set, or drop a table of your own."),
    thumbnails(store, actions),
  );
  mountTables(root, store, actions);
  root.append(dataSettings(store, actions, catalogue), brushes(store, actions), facts(store));
  root.append(
    head("Training", "How the parameters are improved, step by step. Try a learning rate ten times as large, then a hundred."),
    trainingSettings(store, actions, catalogue),
  );
}

/** The data sets, each with a picture of it.
 * @param {Store} store @param {Actions} actions */
function thumbnails(store, actions) {
  const { datasets } = store.state.boot.catalogue;
  const names = Object.keys(datasets).filter((name) => name !== "table" && name !== "arrays");
  /** @type {Record<string, HTMLButtonElement>} */
  const buttons = {};
  for (const name of names) {
    const picture = el("canvas", { width: 96, height: 72, "aria-hidden": "true" });
    buttons[name] = el(
      "button",
      { type: "button", tip: datasets[name].about, "aria-pressed": "false", on: { click: () => actions.change("data", name === "points" ? { name, points: FIRST_POINTS } : { name }) } },
      picture,
      el("span", {}, name),
    );
  }
  /** @type {Record<string, Thumbnail>} */
  let samples = {};
  const draw = () => {
    for (const name of names) drawThumbnail(buttons[name], samples[name]);
  };
  store.on(["experiment"], ({ experiment }) => {
    for (const name of names) {
      buttons[name].setAttribute("aria-pressed", String(name === experiment.data.name));
    }
  });
  store.on(["theme"], draw);
  const unsubscribe = { done: false };
  store.on(["run"], () => {
    if (unsubscribe.done) return;
    unsubscribe.done = true; // once, after the first picture stands
    found("/api/thumbnails").then((answer) => {
      samples = { ...answer, points: ofPoints(FIRST_POINTS) };
      draw();
    }, () => undefined);
  });
  return el("div", { class: "thumbs", role: "group", "aria-label": "Data sets" }, ...Object.values(buttons));
}

/** @param {number[][]} points each two inputs and a class @returns {Thumbnail} */
function ofPoints(points) {
  return { x: points.map(([x]) => x), y: points.map(([, y]) => y), c: points.map(([, , index]) => index) };
}

/** @param {HTMLButtonElement} button @param {Thumbnail|undefined} samples */
function drawThumbnail(button, samples) {
  const canvas = /** @type {HTMLCanvasElement} */ (button.firstElementChild);
  const context = canvas.getContext("2d");
  if (!context || !samples) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const [x, y] = [span(samples.x), span(samples.y)];
  const isRound = samples.c[0] !== null && Math.abs(Math.log2(x.width / y.width)) < 1; // as in the large picture
  const wide = isRound ? Math.min(80, (56 * x.width) / y.width) : 80;
  const high = isRound ? (wide * y.width) / x.width : 56;
  samples.x.forEach((value, i) => {
    const at = [48 + wide * ((value - x.low) / x.width - 0.5), 36 - high * ((samples.y[i] - y.low) / y.width - 0.5)];
    const index = samples.c[i];
    context.fillStyle = index === null ? colours.inks().muted : colours.classColour(index);
    context.beginPath();
    context.arc(at[0], at[1], 2.6, 0, 7);
    context.fill();
  });
}

/** @param {number[]} values */
function span(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { low, width: high - low || 1 };
}

/** The settings that the present data set takes.
 * @param {Store} store @param {Actions} actions @param {any} catalogue */
function dataSettings(store, actions, catalogue) {
  const root = el("div", { class: "form" });
  let name = "";
  /** @type {Record<string, ReturnType<typeof settingRow>>} */
  let rows = {};
  store.on(["experiment"], ({ experiment }) => {
    if (experiment.data.name !== name) {
      name = experiment.data.name;
      const taken = Object.keys(catalogue.datasets[name]?.settings ?? {}).filter((n) => !ELSEWHERE.includes(n));
      rows = Object.fromEntries(taken.map((n) => [n, settingRow(n, fieldOf(catalogue.schema.data[n]), (value) => actions.change("data", { [n]: value }))]));
      const seeds = taken.filter((n) => n.endsWith("seed"));
      const others = taken.filter((n) => !seeds.includes(n));
      root.replaceChildren(...others.map((n) => rows[n]), more("Seeds", seeds.map((n) => rows[n])));
    }
    for (const [n, row] of Object.entries(rows)) row.show(experiment.data[n]);
  });
  return root;
}

/** @param {string} title @param {HTMLElement[]} rows */
function more(title, rows) {
  return el("details", { class: "more", hidden: rows.length === 0 }, el("summary", {}, title), ...rows);
}

/** Which class of points a click in the plane sets.
 * @param {Store} store @param {Actions} actions */
function brushes(store, actions) {
  const root = el("div", { class: "brushes", role: "group", "aria-label": "Points by hand" });
  store.on(["run", "brush", "experiment"], ({ run, brush, experiment, boot }) => {
    const takes = "points" in (boot.catalogue.datasets[experiment.data.name]?.settings ?? {});
    root.hidden = !run || !takes || run.dataset.d > 2;
    if (root.hidden || !run) return;
    const points = experiment.data.points ?? [];
    const toggles = brushesOf(run, experiment.data.name).map((index) => {
      const dot = el("i", { class: "dot" });
      const isClass = run.dataset.classes.length > 0;
      dot.style.background = isClass ? colours.classColour(index) : colours.inks().muted;
      const isOn = brush === index;
      return el("button", { type: "button", "aria-pressed": String(isOn), tip: "Then click the picture to add points; click a point set by hand to take it away.", on: { click: () => store.set({ brush: isOn ? null : index }) } }, dot, isClass ? `class ${index}` : "points");
    });
    const clear = points.length > 0 && el("button", { type: "button", tip: "Takes away all points set by hand.", on: { click: () => actions.change("data", { points: null }) } }, `clear ${points.length}`);
    refill(root, el("span", {}, "Add by hand"), ...toggles, clear);
  });
  return root;
}

/** The classes that points can be given; one without a class for a regression.
 * @param {import("../model/run.js").Run} run @param {string} name */
function brushesOf({ dataset }, name) {
  if (name === "points") return [0, 1, 2];
  return dataset.classes.length ? dataset.classes.map((_, index) => index) : [0];
}

/** How many samples there are, and what a person should know about them.
 * @param {Store} store */
function facts(store) {
  const root = el("div", { class: "facts" });
  store.on(["run"], ({ run }) => {
    if (!run) return;
    const { nTrain, nTest, notes } = run.dataset;
    const count = `${whole(nTrain)} training ${nTest ? `and ${whole(nTest)} test ` : ""}samples`;
    root.replaceChildren(el("p", {}, count), ...notes.map(prose));
  });
  return root;
}

/** @param {Store} store @param {Actions} actions @param {any} catalogue */
function trainingSettings(store, actions, catalogue) {
  const names = Object.keys(catalogue.schema.training);
  const rows = Object.fromEntries(
    names.filter((n) => n !== "loss").map((n) => [n, settingRow(n, fieldOf(catalogue.schema.training[n]), (value) => actions.change("training", withWhatFits(n, value, catalogue.schema.training)))]),
  );
  const loss = el("div", { class: "slot" });
  const rest = names.filter((n) => !MAIN.includes(n));
  let task = "";
  store.on(["experiment", "run"], ({ experiment, run }) => {
    if (run && run.dataset.task !== task) {
      task = run.dataset.task;
      const field = fieldOf(catalogue.schema.training.loss);
      rows.loss = settingRow("loss", field, (value) => actions.change("training", { loss: value }), catalogue.losses[task]);
      loss.replaceChildren(rows.loss);
    }
    const { training, network } = experiment;
    for (const [n, row] of Object.entries(rows)) row.show(training[n]);
    const newton = /** @type {HTMLOptionElement} */ (rows.optimizer.querySelector("[value=newton]"));
    newton.disabled = Boolean(network.hidden?.length); // a link may leave out what is the default
    for (const n of OF_SGD) rows[n].hidden = training.optimizer !== "sgd";
    rows.nesterov.hidden ||= !training.momentum;
    const isFull = training.batch_size === null || training.batch_size === undefined;
    const isSolver = SOLVERS.includes(training.optimizer);
    for (const n of OF_STEPS) rows[n].hidden = isSolver || (n === "shuffle" && isFull);
    rows.l2.hidden = !isSolver;
  });
  const main = MAIN.map((n) => (n === "loss" ? loss : rows[n]));
  return el("div", { class: "form" }, ...main, more("More", rest.map((n) => rows[n])));
}

/** A change of one setting; with another optimizer, what does not belong to it takes its default.
 * @param {string} name @param {any} value @param {Record<string, any>} schema */
function withWhatFits(name, value, schema) {
  if (name !== "optimizer") return { [name]: value };
  const isSolver = SOLVERS.includes(value);
  const left = [...(value === "sgd" ? [] : OF_SGD), ...(isSolver ? OF_STEPS : ["l2"])];
  return { optimizer: value, ...Object.fromEntries(left.map((n) => [n, fieldOf(schema[n]).fallback])) };
}
