// The box around a scene: its far walls with hairlines, ticks and labels along its outer edges.

import { HALF, boxed } from "./camera.js";
import { drawable } from "./scale.js";
import { ticks } from "./ticks.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Place} Place */
/** @typedef {import("./colours.js").Inks} Inks */
/**
 * @typedef {{label: string, range: ArrayLike<number>, ticks?: {at: number[], labels: string[]}}}
 *   Axis
 */
/**
 * @typedef {{x: number, y: number, half: number}} Taken the middle of a label, and half its width
 */
/**
 * @typedef {{sheet: Sheet, camera: Camera, inks: Inks, far: Place, taken: Taken[]}} View `far` is
 *   the far side of each axis, -1 or 1
 */

const LETTER = 12;
const TICK = 4;
const ROOM = 46; // pixels of an edge to a tick

/** The walls behind the data. @param {Sheet} sheet @param {Camera} camera
 * @param {readonly Axis[]} axes @param {Inks} inks */
export function drawCube(sheet, camera, axes, inks) {
  const far = /** @type {Place} */ (camera.eye.map((part) => (part >= 0 ? -1 : 1)));
  const view = { sheet, camera, inks, far, taken: [] };
  sheet.ctx.font = sheet.font(LETTER);
  const made = axes.map((axis, i) => ticksOf(axis, i, camera.scale));
  drawWalls(view, axes, made);
  for (const i of [2, 0, 1]) drawEdge(view, axes[i], i, made[i]);
}

/** @param {Axis} axis @param {number} which @param {number} scale */
function ticksOf(axis, which, scale) {
  if (axis.ticks) return axis.ticks;
  const most = Math.max(2, Math.min(6, Math.round((2 * HALF[which] * scale) / ROOM)));
  return ticks(drawable(axis.range, "linear"), "linear", most);
}

/** A place on the box by sides: -1 and 1 are its ends. @param {number[]} sides @returns {Place} */
function corner(sides) {
  return [sides[0] * HALF[0], sides[1] * HALF[1], sides[2] * HALF[2]];
}

/**
 * @param {readonly number[]} sides
 * @param {number} axis
 * @param {number} value
 * @returns {number[]}
 */
function moved(sides, axis, value) {
  return sides.map((side, i) => (i === axis ? value : side));
}

/** @param {View} view @param {readonly Axis[]} axes @param {{at: number[]}[]} made */
function drawWalls({ sheet, camera, inks, far }, axes, made) {
  const { ctx } = sheet;
  const stretch = (/** @type {number[]} */ from, /** @type {number[]} */ to) => {
    const [a, b] = [camera.see(...corner(from)), camera.see(...corner(to))];
    ctx.moveTo(a[0], a[1]);
    ctx.lineTo(b[0], b[1]);
  };
  ctx.lineWidth = sheet.hair;
  ctx.strokeStyle = inks.grid;
  ctx.beginPath();
  axes.forEach((axis, i) => {
    for (const side of made[i].at.map((value) => sideOf(axis, i, value))) {
      const at = moved(far, i, side);
      for (const other of [0, 1, 2]) if (other !== i) stretch(at, moved(at, other, -far[other]));
    }
  });
  ctx.stroke();
  ctx.strokeStyle = inks.muted;
  ctx.globalAlpha = 0.55;
  ctx.beginPath();
  for (const along of [0, 1, 2]) {
    for (const turned of [-1, along, (along + 1) % 3, (along + 2) % 3]) {
      const edge = moved(far, turned, turned < 0 ? 0 : -far[turned]);
      if (turned !== along) stretch(moved(edge, along, -1), moved(edge, along, 1));
    }
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** @param {Axis} axis @param {number} which @param {number} value */
function sideOf(axis, which, value) {
  const { slope, start } = boxed(axis.range, /** @type {0|1|2} */ (which));
  return (value * slope + start) / HALF[which];
}

/** The sides of the edge that an axis is told along: on the outline, the lowest or, of the upright
 * ones, the leftmost; none of the upright ones, where they are seen from their end.
 * @param {View} view @param {number} which @returns {number[]|undefined} */
function edgeOf({ camera }, which) {
  const [p, q] = [0, 1, 2].filter((axis) => axis !== which);
  const near = (/** @type {number} */ axis, /** @type {number} */ side) =>
    side * camera.eye[axis] > HALF[axis];
  const all = [
    [-1, -1],
    [-1, 1],
    [1, -1],
    [1, 1],
  ].map((at) => moved(moved([0, 0, 0], p, at[0]), q, at[1]));
  const outline = all.filter((sides) => near(p, sides[p]) !== near(q, sides[q]));
  const rank = (/** @type {number[]} */ sides) => {
    const [x, y] = camera.see(...corner(sides));
    return which === 2 ? x : -y;
  };
  return outline.sort((a, b) => rank(a) - rank(b))[0];
}

/** @param {View} view @param {Axis} axis @param {number} which
 * @param {{at: number[], labels: string[]}} made */
function drawEdge(view, axis, which, made) {
  const { sheet, camera, inks } = view;
  const { ctx } = sheet;
  const sides = edgeOf(view, which);
  if (!sides) return;
  const { dx, dy, length, ends } = outwards(camera, sides, which);
  ctx.globalAlpha = Math.max(0, Math.min(1, (length - 24) / 36));
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = inks.muted;
  ctx.strokeStyle = inks.muted;
  ctx.lineWidth = sheet.hair;
  ctx.beginPath();
  ctx.moveTo(ends[0][0], ends[0][1]);
  ctx.lineTo(ends[1][0], ends[1][1]);
  let widest = 0;
  made.at.forEach((value, i) => {
    const [x, y] = camera.see(...corner(moved(sides, which, sideOf(axis, which, value))));
    ctx.moveTo(x, y);
    ctx.lineTo(x + dx * TICK, y + dy * TICK);
    const width = ctx.measureText(made.labels[i]).width;
    widest = Math.max(widest, width);
    write(view, made.labels[i], ...beside([x, y, dx, dy], TICK + 4, width));
  });
  ctx.stroke();
  ctx.fillStyle = inks.ink;
  nameEdge(view, axis.label, which, { sides, dx, dy, widest });
  ctx.globalAlpha = 1;
}

/**
 * The direction that leads from an edge away from the box, the edge's length in pixels, and its
 *   ends.
 * @param {Camera} camera @param {number[]} sides @param {number} which */
function outwards(camera, sides, which) {
  const [a, b] = [-1, 1].map((side) => camera.see(...corner(moved(sides, which, side))));
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const [x, y] = [(b[1] - a[1]) / (length || 1), (a[0] - b[0]) / (length || 1)];
  const out = x * ((a[0] + b[0]) / 2 - camera.x) + y * ((a[1] + b[1]) / 2 - camera.y);
  const side = out < 0 ? -1 : 1;
  return { dx: side * x, dy: side * y, length, ends: [a, b] };
}

/** Writes a text around its middle, unless another one stands there.
 * @param {View} view @param {string} text @param {number} x @param {number} y */
function write({ sheet, taken }, text, x, y) {
  const half = sheet.ctx.measureText(text).width / 2;
  const free = taken.every(
    (t) => Math.abs(t.x - x) > t.half + half + 2 || Math.abs(t.y - y) > LETTER - 1,
  );
  if (!free) return;
  taken.push({ x, y, half });
  sheet.ctx.fillText(text, x, y);
}

/** The middle of a text that lies `away` from a place. @param {number[]} place @param {number} away
 * @param {number} width @returns {[number, number]} */
function beside([x, y, dx, dy], away, width) {
  return [x + dx * (away + width / 2), y + dy * (away + LETTER / 2)];
}

/** @param {View} view @param {string} label @param {number} which
 * @param {{sides: number[], dx: number, dy: number, widest: number}} edge */
function nameEdge(view, label, which, { sides, dx, dy, widest }) {
  if (!label) return;
  const { sheet, camera } = view;
  const width = sheet.ctx.measureText(label).width;
  const [x, y] = camera.see(...corner(moved(sides, which, which === 2 ? 1 : 0)));
  const away = TICK + 8 + Math.abs(dx) * widest + Math.abs(dy) * LETTER;
  const at = which === 2 ? [x, y - LETTER - 3] : beside([x, y, dx, dy], away, width);
  const half = width / 2 + 1;
  const left = Math.max(half, Math.min(sheet.width - half, at[0]));
  write(view, label, left, Math.max(LETTER / 2, Math.min(sheet.height - LETTER / 2, at[1])));
}
