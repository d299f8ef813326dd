// The pictures of how good the answers are, each as axes, marks and a line of words.

import { colours, mixed, rgb } from "../draw/colours.js";
import { labelText } from "../model/names.js";
import { shown, whole } from "../page/dom.js";
import { className, cut, every, rangeOf, widened } from "./shared.js";

/** @typedef {import("./shared.js").Run} Run */
/** @typedef {import("../draw/marks.js").Mark} Mark */
/** @typedef {import("../draw/axes.js").Options} Options */
/** @typedef {{options: Partial<Options>, marks: Mark[], note: string}} Picture */
/** @typedef {ReturnType<typeof import("../model/metrics.js").rocCurve>} Roc */
/** @typedef {ReturnType<typeof import("../model/metrics.js").precisionRecall>} Precision */
/** @typedef {ReturnType<typeof import("../model/metrics.js").calibration>} Calibrated */
/** @typedef {ReturnType<typeof import("../model/metrics.js").residuals>} Left */

const SHARE = /** @type {[number, number]} */ ([-0.02, 1.02]);
const DASHES = [4, 3];
const MOST_COUNTS = 12; // classes up to which the counts are written into the cells
const MOST_CURVES = 4; // named one by one below the picture

/** @param {Run} run @param {number[][]} counts @returns {Picture} */
export function confusionPart({ dataset }, counts) {
  const k = counts.length;
  const names = dataset.classes.map((label) => cut(labelText(label), k > 4 ? 6 : 10));
  const at = names.map((_, i) => i);
  const every = Math.ceil(k / MOST_COUNTS);
  const kept = at.filter((i) => i % every === 0);
  const range = /** @type {[number, number]} */ ([-0.5, k - 0.5]);
  const [nRight, n] = counts.reduce(([a, b], row, i) => [a + row[i], b + row.reduce((x, y) => x + y, 0)], [0, 0]);
  return {
    options: {
      grid: false,
      x: { label: "predicted", range, ticks: { at: kept, labels: kept.map((i) => names[i]) } },
      y: { label: "true", range, ticks: { at: kept.map((i) => k - 1 - i), labels: kept.map((i) => names[i]) } },
    },
    marks: counts.flatMap((row, i) => rowMarks(row, i, k)),
    note: `${whole(nRight)} of ${whole(n)} right.`,
  };
}

/** One true class: its cells, tinted by their share of it. @param {number[]} row @param {number} i @param {number} k @returns {Mark[]} */
function rowMarks(row, i, k) {
  const total = row.reduce((sum, count) => sum + count, 0) || 1;
  const { paper, grid } = colours.inks();
  return row.flatMap((count, j) => {
    const colour = count ? mixed(colours.classColour(i), paper, 0.12 + (0.78 * count) / total) : mixed(grid, paper, 0.35);
    /** @type {Mark} */
    const cell = { kind: "bars", x: [j], height: [1], base: [k - 1.5 - i], width: 1, colour };
    if (k > MOST_COUNTS) return [cell];
    return [cell, { kind: "text", x: j, y: k - 1 - i, text: whole(count), align: "center", colour: readable(colour, count), halo: colour, size: k > 6 ? 10 : 12 }];
  });
}

/** Dark or light, whichever is read better on a colour. @param {string} colour @param {number} count */
function readable(colour, count) {
  if (!count) return colours.inks().muted;
  const [r, g, b] = rgb(colour).map((part) => (part / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.19 ? "#10141a" : "#ffffff";
}

/** @param {Run} run @param {Roc} roc @returns {Picture} */
export function rocPart(run, { lines, half, note }) {
  const { muted } = colours.inks();
  /** @type {Mark[]} */
  const marks = [{ kind: "line", x: [0, 1], y: [0, 1], colour: muted, width: 1, dash: DASHES }];
  for (const { label, falsePositive, truePositive } of lines) {
    marks.push({ kind: "line", x: falsePositive, y: truePositive, colour: colours.classColour(label), width: 2 });
  }
  if (half) marks.push({ kind: "points", x: [half[0]], y: [half[1]], colour: colours.highlight, size: 9 });
  return {
    options: squareAxes("false positives", "true positives"),
    marks,
    note: told(run, lines, "area", ({ area }) => area, note, "No curve: one class only."),
  };
}

/** @param {Run} run @param {Precision} found @returns {Picture} */
export function precisionPart(run, { lines, note }) {
  const marks = lines.flatMap(({ label, recall, precision, share }) => {
    const colour = colours.classColour(label);
    const stairs = steps(recall, precision);
    return /** @type {Mark[]} */ ([
      { kind: "line", x: [0, 1], y: [share, share], colour, width: 1, dash: DASHES },
      { kind: "line", ...stairs, colour, width: 2 },
    ]);
  });
  return {
    options: squareAxes("recall", "precision"),
    marks,
    note: told(run, lines, "mean precision", ({ average }) => average, note, "No curve: one class only."),
  };
}

/** Precision holds until the next recall. @param {Float64Array} x @param {Float64Array} y */
function steps(x, y) {
  const n = x.length;
  const [sx, sy] = [new Float64Array(2 * n - 1), new Float64Array(2 * n - 1)];
  for (let i = 0; i < n; i += 1) {
    sx[2 * i] = x[i];
    sy[2 * i] = y[i];
    if (i + 1 < n) {
      sx[2 * i + 1] = x[i + 1];
      sy[2 * i + 1] = y[i];
    }
  }
  return { x: sx, y: sy };
}

/** @param {Run} run @param {Calibrated} found @returns {Picture} */
export function calibrationPart(run, { lines, note }) {
  const { muted } = colours.inks();
  /** @type {Mark[]} */
  const marks = [{ kind: "line", x: [0, 1], y: [0, 1], colour: muted, width: 1, dash: DASHES }];
  for (const { label, predicted, observed, counts } of lines) {
    const colour = colours.classColour(label);
    const most = Math.max(...counts);
    marks.push({ kind: "line", x: predicted, y: observed, colour, width: 1.5, alpha: 0.7 });
    predicted.forEach((x, i) => {
      const size = 4 + 7 * Math.sqrt(counts[i] / most);
      marks.push({ kind: "points", x: [x], y: [observed[i]], colour, marker: colours.classMarker(label), size });
    });
  }
  return {
    options: squareAxes("said: mean probability of a bin", "came true: share"),
    marks,
    note: told(run, lines, "Brier score", ({ brier }) => brier, note && `${note[0].toUpperCase()}${note.slice(1)}.`, "No curve: one class only."),
  };
}

/** @param {string} x @param {string} y @returns {Partial<Options>} */
function squareAxes(x, y) {
  return { x: { label: x, range: SHARE }, y: { label: y, range: SHARE } };
}

/** A number a curve, in words; of many curves their mean.
 * @template {{label: number}} Line
 * @param {Run} run @param {Line[]} lines @param {string} what @param {(line: Line) => number} number
 * @param {string} note @param {string} none */
function told({ dataset }, lines, what, number, note, none) {
  if (!lines.length) return none;
  const mean = lines.reduce((sum, line) => sum + number(line), 0) / lines.length;
  const capital = `${what[0].toUpperCase()}${what.slice(1)}`;
  if (lines.length === 1) return `${capital} ${mean.toFixed(3)}. ${note}`.trim();
  if (lines.length > MOST_CURVES) return `Each class against the rest: ${what} ${mean.toFixed(3)} on average. ${note}`.trim();
  const each = lines.map((line) => `${className(dataset, line.label)} ${number(line).toFixed(3)}`);
  return `${capital}: ${each.join(", ")}. ${note}`.trim();
}

/** @param {Run} run @param {Left} left @returns {Picture} */
export function fitPart({ dataset }, { actual, predicted }) {
  const targets = widened(rangeOf(dataset.targets), 0.06);
  const kept = thinned(actual.length);
  const { muted } = colours.inks();
  return {
    options: { x: { label: `true ${cut(dataset.targetName, 16)}`, range: targets }, y: { label: "predicted", range: targets } },
    marks: [
      { kind: "line", x: targets, y: targets, colour: muted, width: 1, dash: DASHES },
      { ...dots, x: kept.map((i) => actual[i]), y: kept.map((i) => predicted[i]), colour: colours.runColour(0) },
    ],
    note: "",
  };
}

/** @type {{kind: "points", size: number, alpha: number}} */
const dots = { kind: "points", size: 5, alpha: 0.75 };

/** @param {Run} run @param {Left} left @returns {Picture} */
export function residualPart({ dataset }, { predicted, residual }) {
  const targets = widened(rangeOf(dataset.targets), 0.06);
  const half = (targets[1] - targets[0]) / 2;
  const kept = thinned(residual.length);
  return {
    options: { x: { label: "predicted", range: targets }, y: { label: "true - predicted", range: [-half, half] } },
    marks: [
      { kind: "rule", y: 0, colour: colours.inks().muted },
      { ...dots, x: kept.map((i) => predicted[i]), y: kept.map((i) => residual[i]), colour: colours.runColour(0) },
    ],
    note: "",
  };
}

/** @param {Run} run @param {Left} left @returns {Picture} */
export function histogramPart({ dataset }, { residual, edges, counts }) {
  const width = edges[1] - edges[0];
  const [low, high] = rangeOf(dataset.targets);
  const half = Math.max(0.53 * (high - low), Math.abs(edges[0]), Math.abs(edges[edges.length - 1]));
  const mean = residual.reduce((sum, value) => sum + value, 0) / residual.length;
  const deviation = Math.sqrt(residual.reduce((sum, value) => sum + (value - mean) ** 2, 0) / residual.length);
  return {
    options: { x: { label: "true - predicted", range: [-half, half] }, y: { label: "samples", range: [0, 1.08 * Math.max(...counts)] } },
    marks: [
      { kind: "bars", x: Array.from(counts, (_, i) => edges[i] + width / 2), height: counts, width, colour: colours.runColour(0) },
      { kind: "rule", x: 0, colour: colours.inks().ink },
    ],
    note: `Mean ${shown(mean, 3)}, deviation ${shown(deviation, 3)}.`,
  };
}

/** @param {number} n */
function thinned(n) {
  const step = every(n);
  return Array.from({ length: Math.ceil(n / step) }, (_, i) => i * step);
}
