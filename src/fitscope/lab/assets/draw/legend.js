// What stands above a picture: its title, its upright axis' name, and what its marks mean.

import { drawMarker } from "./markers.js";
import { fitted } from "./sheet.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./colours.js").Inks} Inks */
/** @typedef {import("./markers.js").Look} Look */
/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {"line"|"marker"|"patch"|"none"} sample
 * @property {string} colour
 * @property {number} [width]
 * @property {number[]} [dash]
 * @property {number} [alpha]
 * @property {Look} [look] of a marker
 */
/** @typedef {{entry: Entry|null, text: string, x: number, y: number}} Placed */
/** @typedef {{placed: Placed[], title: string, width: number, height: number}} Head */

const ROW = 18;
const TITLE = 22;
const GAP = 16; // between entries
const SAMPLES = { line: 20, marker: 12, patch: 14, none: 0 }; // widths
const MOST = 12; // entries: more of them would leave no room for the picture
const LETTER = 12;

/** @param {any} mark */
function entryOf(mark) {
  const { name, colour, width, dash, alpha } = mark;
  const look = { ...mark, size: Math.min(Math.max(mark.size ?? 5, 6), 9) };
  const sample =
    mark.kind === "points"
      ? "marker"
      : ["line", "contour", "rule"].includes(mark.kind)
        ? "line"
        : "patch";
  return /** @type {Entry} */ ({ name, sample, colour, width, dash, alpha, look });
}

/**
 * The entries of all marks that have a name, each name once; of many, how many more there are.
 * @param {readonly any[]} marks
 * @returns {Entry[]}
 */
export function entriesOf(marks) {
  /** @type {Map<string, Entry>} */
  const found = new Map();
  for (const mark of marks) {
    if (mark.name && !found.has(mark.name)) found.set(mark.name, entryOf(mark));
  }
  const all = [...found.values()];
  if (all.length <= MOST) return all;
  const more = `and ${all.length - MOST + 1} more`;
  return [...all.slice(0, MOST - 1), { name: more, sample: "none", colour: "" }];
}

/** Places the title, then in wrapping rows the name of the upright axis and the entries.
 * @param {Sheet} sheet @param {number} width
 * @param {{title?: string, label?: string, entries: Entry[]}} parts
 * @returns {Head} */
export function placeHead(sheet, width, { title = "", label = "", entries }) {
  const { ctx } = sheet;
  ctx.font = sheet.font(LETTER + 1, 600);
  const cut = title && fitted(ctx, title, width);
  let widest = ctx.measureText(cut).width;
  ctx.font = sheet.font(LETTER);
  const top = cut ? TITLE : 0;
  /** @type {Placed[]} */
  const placed = [];
  let [x, row] = [0, 0];
  for (const entry of [null, ...entries]) {
    if (!entry && !label) continue;
    const before = entry ? SAMPLES[entry.sample] + 6 : 0;
    const text = fitted(ctx, entry ? entry.name : label, width - before);
    const wide = before + ctx.measureText(text).width;
    if (x > 0 && x + wide > width) [x, row] = [0, row + 1];
    placed.push({ entry, text, x, y: top + row * ROW + ROW / 2 });
    widest = Math.max(widest, x + wide);
    x += wide + GAP;
  }
  return { placed, title: cut, width: widest, height: top + (placed.length ? (row + 1) * ROW : 0) };
}

/** @param {Sheet} sheet @param {Head} head @param {number} left @param {Inks} inks */
export function drawHead(sheet, head, left, inks) {
  const { ctx } = sheet;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = inks.ink;
  if (head.title) {
    ctx.font = sheet.font(LETTER + 1, 600);
    ctx.fillText(head.title, left, TITLE / 2 - 2);
  }
  ctx.font = sheet.font(LETTER);
  for (const { entry, text, x, y } of head.placed) {
    ctx.fillStyle = entry ? inks.muted : inks.ink;
    const before = entry ? SAMPLES[entry.sample] + 6 : 0;
    ctx.fillText(text, left + x + before, y);
    if (entry) drawSample(ctx, entry, left + x, y);
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Entry} entry
 * @param {number} x
 * @param {number} y
 */
function drawSample(ctx, entry, x, y) {
  if (entry.sample === "none") return;
  const wide = SAMPLES[entry.sample];
  ctx.globalAlpha = entry.alpha ?? 1;
  if (entry.sample === "marker" && entry.look) {
    drawMarker(ctx, x + wide / 2, y, entry.look);
  } else if (entry.sample === "patch") {
    ctx.fillStyle = entry.colour;
    ctx.fillRect(x, y - 5, wide, 10);
  } else {
    ctx.strokeStyle = entry.colour;
    ctx.lineWidth = entry.width ?? 1.5;
    ctx.setLineDash(entry.dash ?? []);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + wide, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  ctx.globalAlpha = 1;
}
