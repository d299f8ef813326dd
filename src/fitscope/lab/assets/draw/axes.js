// The frame of a chart: margins as wide as the labels need, round ticks, hairlines.

import { drawHead, placeHead } from "./legend.js";
import { Scale, drawable } from "./scale.js";
import { fitted } from "./sheet.js";
import { ticks } from "./ticks.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./colours.js").Inks} Inks */
/** @typedef {import("./legend.js").Entry} Entry */
/** @typedef {import("./legend.js").Head} Head */
/** @typedef {import("./scale.js").Kind} Kind */
/** @typedef {import("./ticks.js").Ticks} Ticks */
/**
 * @typedef {object} Axis
 * @property {string} [label]
 * @property {Kind} [scale] "linear" by default
 * @property {ArrayLike<number>} range both ends
 * @property {{at: number[], labels: string[]}|null} [ticks] in place of round ones; null has none
 */
/**
 * @typedef {object} Options
 * @property {Axis} x
 * @property {Axis} y
 * @property {boolean} [equal] one scale for both axes
 * @property {string} [title]
 * @property {boolean} [legend] whether named marks are told above; true by default
 * @property {boolean} [bare] no axes at all: the plot is the canvas
 * @property {boolean} [grid] hairlines at the ticks; true by default, never over an image
 */
/** @typedef {{left: number, top: number, width: number, height: number}} Box */
/**
 * @typedef {{box: Box, x: Scale, y: Scale, xTicks: Ticks, yTicks: Ticks, head: Head,
 *   left: number}} Layout
 */

const LETTER = 12;
const TICK = 4; // length
const PAD = 4; // between a tick and its label
const APART = 14; // between two labels
const NO_TICKS = { at: [], labels: [] };

/**
 * Where everything stands.
 * @param {Sheet} sheet
 * @param {Options} options
 * @param {Entry[]} entries
 * @returns {Layout}
 */
export function layout(sheet, options, entries) {
  const { x, y, bare } = options;
  const [width, height] = [sheet.width, sheet.height];
  if (bare) {
    const box = shaped({ left: 0, top: 0, width, height }, options);
    const head = { placed: [], title: "", width: 0, height: 0 };
    return { box, ...scales(options, box), xTicks: NO_TICKS, yTicks: NO_TICKS, head, left: 0 };
  }
  const head = placeHead(sheet, width, { title: options.title, label: y.label, entries });
  sheet.ctx.font = sheet.font(LETTER);
  const top = head.height + (head.height ? 8 : LETTER / 2);
  const labelled = x.ticks === null || x.ticks?.at.length === 0 ? 0 : TICK + PAD + LETTER;
  const bottom = labelled + (x.label ? LETTER + 6 : 0) + 2;
  const tall = Math.max(1, height - top - bottom);
  const yTicks = chosen(y, Math.max(2, Math.min(8, Math.round(tall / 44))));
  const widest = widestOf(sheet, yTicks.labels);
  const left = widest ? Math.ceil(widest) + TICK + PAD : 2;
  const right = Math.max(6, widestOf(sheet, chosen(x, 4).labels.slice(-1)) / 2);
  const wide = Math.max(1, width - left - Math.ceil(right));
  const box = shaped({ left, top, width: wide, height: tall }, options);
  const xTicks = spaced(sheet, x, box.width);
  const start = Math.max(0, Math.min(box.left - left, width - head.width));
  return { box, ...scales(options, box), xTicks, yTicks, head, left: start };
}

/** @param {Axis} axis @param {number} most @returns {Ticks} */
function chosen({ ticks: given, range, scale = "linear" }, most) {
  return given === null ? NO_TICKS : (given ?? ticks(drawable(range, scale), scale, most));
}

/**
 * Round ticks, fewer until their labels stand apart.
 * @param {Sheet} sheet
 * @param {Axis} axis
 * @param {number} width
 */
function spaced(sheet, axis, width) {
  for (let most = Math.max(2, Math.min(10, Math.floor(width / 50))); most > 1; most--) {
    const made = chosen(axis, most);
    if (axis.ticks || clearance(sheet, axis, made, width) >= APART) return made;
  }
  return chosen(axis, 1);
}

/** The narrowest gap between neighbouring labels. @param {Sheet} sheet @param {Axis} axis
 * @param {Ticks} made @param {number} width */
function clearance(sheet, axis, made, width) {
  const scale = new Scale(axis.range, axis.scale ?? "linear", 0, width);
  const half = made.labels.map((label) => sheet.ctx.measureText(label).width / 2);
  const places = made.at.map((value) => scale.pixel(value));
  const gaps = places.slice(1).map((p, i) => Math.abs(p - places[i]) - half[i] - half[i + 1]);
  return Math.min(Infinity, ...gaps);
}

/** @param {Sheet} sheet @param {string[]} labels */
function widestOf(sheet, labels) {
  return Math.max(0, ...labels.map((label) => sheet.ctx.measureText(label).width));
}

/** @param {Options} options @param {Box} box */
function scales({ x, y }, box) {
  return {
    x: new Scale(x.range, x.scale ?? "linear", box.left, box.left + box.width),
    y: new Scale(y.range, y.scale ?? "linear", box.top + box.height, box.top),
  };
}

/** The box itself, or the largest within it where both axes have one scale, in its middle.
 * @param {Box} box @param {Options} options @returns {Box} */
function shaped(box, { x, y, equal }) {
  if (!equal) return box;
  const [[a, b], [c, d]] = [drawable(x.range, "linear"), drawable(y.range, "linear")];
  const scale = Math.min(box.width / Math.abs(b - a), box.height / Math.abs(d - c));
  const [width, height] = [scale * Math.abs(b - a), scale * Math.abs(d - c)];
  return { left: box.left + (box.width - width) / 2, top: box.top, width, height };
}

/** Hairlines at the ticks, under the marks. @param {Sheet} sheet @param {Layout} parts
 * @param {Inks} inks @param {boolean} both whether of both axes, or of the upright one alone */
export function drawGrid(sheet, { box, x, y, xTicks, yTicks }, inks, both) {
  const { ctx } = sheet;
  ctx.beginPath();
  for (const value of yTicks.at) {
    const place = sheet.crisp(y.pixel(value));
    ctx.moveTo(box.left, place);
    ctx.lineTo(box.left + box.width, place);
  }
  for (const value of both ? xTicks.at : []) {
    const place = sheet.crisp(x.pixel(value));
    ctx.moveTo(place, box.top);
    ctx.lineTo(place, box.top + box.height);
  }
  ctx.strokeStyle = inks.grid;
  ctx.lineWidth = sheet.hair;
  ctx.stroke();
}

/** Ticks, labels and the head, around the marks. @param {Sheet} sheet @param {Options} options
 * @param {Layout} parts
 * @param {Inks} inks
 * @param {boolean} filled whether an image fills the box
 */
export function drawAxes(sheet, options, parts, inks, filled) {
  const { ctx } = sheet;
  const bottom = parts.box.top + parts.box.height;
  drawHead(sheet, parts.head, parts.left, inks);
  ctx.strokeStyle = inks.muted;
  ctx.lineWidth = sheet.hair;
  ctx.beginPath();
  if (!filled) {
    ctx.moveTo(parts.box.left, sheet.crisp(bottom));
    ctx.lineTo(parts.box.left + parts.box.width, sheet.crisp(bottom));
  }
  traceTicks(sheet, parts, filled);
  ctx.stroke();
  writeLabels(sheet, parts, inks);
  if (!options.x.label) return;
  ctx.fillStyle = inks.ink;
  ctx.textAlign = "right";
  const below = bottom + (parts.xTicks.at.length ? TICK + PAD + LETTER : 0) + 4;
  const end = parts.box.left + parts.box.width;
  ctx.fillText(fitted(ctx, options.x.label, end), end, below);
}

/**
 * @param {Sheet} sheet
 * @param {Layout} parts
 * @param {boolean} upright whether the upright axis has them too
 */
function traceTicks(sheet, { box, x, y, xTicks, yTicks }, upright) {
  const { ctx } = sheet;
  const bottom = box.top + box.height;
  const down = (/** @type {number} */ value, /** @type {number} */ length) => {
    const place = sheet.crisp(x.pixel(value));
    ctx.moveTo(place, bottom);
    ctx.lineTo(place, bottom + length);
  };
  for (const value of xTicks.at) down(value, TICK);
  for (const value of xTicks.between ?? []) down(value, TICK / 2);
  for (const value of upright ? yTicks.at : []) {
    const place = sheet.crisp(y.pixel(value));
    ctx.moveTo(box.left, place);
    ctx.lineTo(box.left - TICK, place);
  }
}

/** @param {Sheet} sheet @param {Layout} parts @param {Inks} inks */
function writeLabels(sheet, { box, x, y, xTicks, yTicks }, inks) {
  const { ctx } = sheet;
  ctx.font = sheet.font(LETTER);
  ctx.fillStyle = inks.muted;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  const below = box.top + box.height + TICK + PAD;
  xTicks.labels.forEach((label, i) => ctx.fillText(label, x.pixel(xTicks.at[i]), below));
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  const beside = box.left - TICK - PAD;
  yTicks.labels.forEach((label, i) => ctx.fillText(label, beside, y.pixel(yTicks.at[i])));
  ctx.textBaseline = "top";
}
