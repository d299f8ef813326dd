// What a scene can draw, taken apart into pieces that are drawn from the back to the front.

import { HALF, boxed } from "./camera.js";
import { colours, hex } from "./colours.js";
import { contourLines } from "./contour.js";

/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Place} Place */
/**
 * @typedef {{kind: "points", x: Numbers, y: Numbers, z: Numbers, colour: string|string[],
 *   marker?: string, size?: number, hollow?: boolean, edge?: string|null, fill?: string,
 *   name?: string}} PointsMark
 */
/**
 * @typedef {{kind: "line", x: Numbers, y: Numbers, z: Numbers, colour: string, width?: number,
 *   alpha?: number, name?: string}} LineMark
 */
/**
 * @typedef {{kind: "surface", xs: Numbers, ys: Numbers, values: Numbers, ramp?: Uint8ClampedArray,
 *   levels?: Numbers, name?: undefined}} SurfaceMark
 *   `values[i * xs.length + j]` is over (xs[j], ys[i]); `ramp` is n times red, green, blue over the
 *   upright range; `levels` are heights that thin lines follow
 */
/**
 * @typedef {{kind: "polygon", points: readonly Numbers[], colour: string, alpha?: number,
 *   edge?: string, name?: string}} PolygonMark
 */
/** @typedef {PointsMark|LineMark|SurfaceMark|PolygonMark} Mark */
/** @typedef {{range: Numbers, label?: string}} Axis */
/**
 * A mark's corners in the box' units; a piece is a point, or a stretch between two neighbours, or a
 * face of a surface.
 * @typedef {object} Solid
 * @property {PointsMark|LineMark|SurfaceMark} mark
 * @property {Float64Array} at x, y, z of each corner
 * @property {Int32Array} pieces the first corner of each
 * @property {number} row corners in a row of a surface
 * @property {Uint16Array|null} tones of each of a surface's pieces, for `shades`
 * @property {number} lift how far it is drawn before what lies at its place, in the box' units
 */

const FINEST = 0.006; // a line's stretch in the box' units: shorter ones are joined,
const COARSEST = 0.07; // longer ones cut, so that each lies before or behind a face
const SIDE = 64; // faces along one side of a surface
const SLACK = 1e-9;
const HEIGHTS = 96; // colours of a surface by height
const LIGHTS = 12; // and by how the light falls on it
const DARKEST = 0.72; // of its colour, where the light passes it by
/** Where the light comes from. @type {Place} */
const LIGHT = [-0.4, 0.35, 0.847];

/** @param {Exclude<Mark, PolygonMark>} mark @param {readonly Axis[]} axes @returns {Solid[]} */
export function solids(mark, axes) {
  if (mark.kind === "points") return [cloud(mark, axes)];
  if (mark.kind === "line") return [thread(mark, axes)];
  return [sheetOf(mark, axes), ...levelLines(mark, axes)];
}

/** @param {readonly Axis[]} axes */
function ways(axes) {
  return /** @type {(0|1|2)[]} */ ([0, 1, 2]).map((axis) => boxed(axes[axis].range, axis));
}

/** @param {number} x @param {number} y @param {number} z */
function within(x, y, z) {
  const reach = 1 + SLACK;
  return (
    Math.abs(x) <= HALF[0] * reach &&
    Math.abs(y) <= HALF[1] * reach &&
    Math.abs(z) <= HALF[2] * reach
  );
}

/** @param {PointsMark} mark @param {readonly Axis[]} axes @returns {Solid} */
function cloud(mark, axes) {
  const at = corners([mark.x, mark.y, mark.z], axes);
  const inside = [];
  for (let i = 0; i < at.length / 3; i++) {
    if (within(at[3 * i], at[3 * i + 1], at[3 * i + 2])) inside.push(i);
  }
  return { mark, at, pieces: Int32Array.from(inside), row: 0, tones: null, lift: 0.08 };
}

/** @param {Numbers[]} columns @param {readonly Axis[]} axes */
function corners(columns, axes) {
  const n = Math.min(...columns.map((column) => column.length));
  const at = new Float64Array(3 * n);
  ways(axes).forEach(({ slope, start }, axis) => {
    for (let i = 0; i < n; i++) at[3 * i + axis] = columns[axis][i] * slope + start;
  });
  return at;
}

/** @param {LineMark} mark @param {readonly Axis[]} axes @returns {Solid} */
function thread(mark, axes) {
  const given = corners([mark.x, mark.y, mark.z], axes);
  /** @type {number[]} */
  const at = [];
  /** @type {number[]} */
  const pieces = [];
  let from = -1;
  for (let i = 0; i < given.length / 3; i++) {
    const whole = Number.isFinite(given[3 * i] + given[3 * i + 1] + given[3 * i + 2]);
    if (!whole || from < 0) {
      from = whole ? i : -1;
      continue;
    }
    const length = Math.hypot(...[0, 1, 2].map((c) => given[3 * i + c] - given[3 * from + c]));
    if (length < FINEST && i + 1 < given.length / 3 && Number.isFinite(given[3 * i + 3])) continue;
    addStretch(
      at,
      pieces,
      given.subarray(3 * from, 3 * from + 3),
      given.subarray(3 * i, 3 * i + 3),
      length,
    );
    from = i;
  }
  return {
    mark,
    at: Float64Array.from(at),
    pieces: Int32Array.from(pieces),
    row: 0,
    tones: null,
    lift: 0.06,
  };
}

/** The part of a stretch within the box, in pieces. @param {number[]} at @param {number[]} pieces
 * @param {Numbers} a @param {Numbers} b @param {number} length */
function addStretch(at, pieces, a, b, length) {
  let [low, high] = [0, 1];
  for (let c = 0; c < 3; c++) {
    const [slope, half] = [b[c] - a[c], HALF[c] * (1 + SLACK)];
    if (slope === 0 && Math.abs(a[c]) > half) return;
    if (slope === 0) continue;
    const ends = [(-half - a[c]) / slope, (half - a[c]) / slope];
    low = Math.max(low, Math.min(...ends));
    high = Math.min(high, Math.max(...ends));
  }
  if (!(high > low)) return;
  const n = Math.min(200, Math.max(1, Math.ceil(((high - low) * length) / COARSEST)));
  for (let k = 0; k <= n; k++) {
    const share = low + ((high - low) * k) / n;
    if (k < n) pieces.push(at.length / 3);
    at.push(...[0, 1, 2].map((c) => a[c] + share * (b[c] - a[c])));
  }
}

/** @param {SurfaceMark} mark @param {readonly Axis[]} axes @returns {Solid} */
function sheetOf(mark, axes) {
  const [columns, rows] = [thinned(mark.xs.length), thinned(mark.ys.length)];
  const [x, y, z] = ways(axes);
  const at = new Float64Array(3 * columns.length * rows.length);
  const pieces = [];
  let k = 0;
  for (const i of rows) {
    for (const j of columns) {
      const height = mark.values[i * mark.xs.length + j] * z.slope + z.start;
      at[k++] = mark.xs[j] * x.slope + x.start;
      at[k++] = mark.ys[i] * y.slope + y.start;
      at[k++] = Math.min(HALF[2], Math.max(-HALF[2], height));
    }
  }
  const row = columns.length;
  for (let i = 0; i + 1 < rows.length; i++) {
    for (let j = 0; j + 1 < row; j++) if (faceSeen(at, i * row + j, row)) pieces.push(i * row + j);
  }
  const tones = Uint16Array.from(pieces, (k) => tone(at, k, row));
  return { mark, at, pieces: Int32Array.from(pieces), row, tones, lift: 0 };
}

/** Its height and how the light falls on it, as a place in `shades`.
 * @param {Float64Array} at @param {number} k @param {number} row */
function tone(at, k, row) {
  const [a, b, c, d] = [3 * k, 3 * (k + 1), 3 * (k + row + 1), 3 * (k + row)];
  const [ux, uy, uz] = [at[c] - at[a], at[c + 1] - at[a + 1], at[c + 2] - at[a + 2]];
  const [vx, vy, vz] = [at[d] - at[b], at[d + 1] - at[b + 1], at[d + 2] - at[b + 2]];
  const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  const size = Math.hypot(...normal) || 1;
  const lit = Math.abs(normal.reduce((sum, part, i) => sum + part * LIGHT[i], 0)) / size;
  const height = (at[a + 2] + at[b + 2] + at[c + 2] + at[d + 2]) / 4;
  const level = Math.round(((height / HALF[2] + 1) / 2) * (HEIGHTS - 1));
  return level * LIGHTS + Math.round(Math.min(1, lit) * (LIGHTS - 1));
}

/** A surface's colours by tone. @param {Uint8ClampedArray} ramp n times red, green, blue */
export function shades(ramp) {
  const last = ramp.length / 3 - 1;
  return Array.from({ length: HEIGHTS * LIGHTS }, (_, i) => {
    const from = 3 * Math.round((Math.floor(i / LIGHTS) / (HEIGHTS - 1)) * last);
    const bright = DARKEST + ((1 - DARKEST) * (i % LIGHTS)) / (LIGHTS - 1);
    return hex(Array.from(ramp.subarray(from, from + 3), (part) => part * bright));
  });
}

/**
 * Whether a face is finite and over the box' floor.
 * @param {Float64Array} at
 * @param {number} k
 * @param {number} row
 */
function faceSeen(at, k, row) {
  const whole = Number.isFinite(
    at[3 * k + 2] + at[3 * k + 5] + at[3 * (k + row) + 2] + at[3 * (k + row) + 5],
  );
  const [x, y] = [(at[3 * k] + at[3 * k + 3]) / 2, (at[3 * k + 1] + at[3 * (k + row) + 1]) / 2];
  return whole && within(x, y, 0);
}

/** Every so many of n places, both ends among them. @param {number} n */
function thinned(n) {
  const every = Math.max(1, Math.ceil((n - 1) / SIDE));
  const kept = Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
  if (n && kept[kept.length - 1] !== n - 1) kept.push(n - 1);
  return kept;
}

/** @param {SurfaceMark} mark @param {readonly Axis[]} axes @returns {Solid[]} */
function levelLines({ xs, ys, values, levels = [] }, axes) {
  const look = {
    kind: /** @type {const} */ ("line"),
    colour: colours.white,
    width: 0.8,
    alpha: 0.4,
  };
  return Array.from(levels).flatMap((level) =>
    contourLines(xs, ys, values, level).map((line) => {
      const z = new Float64Array(line.x.length).fill(level);
      return thread({ ...look, ...line, z }, axes);
    }),
  );
}

/**
 * A polygon's corners within the box.
 * @param {PolygonMark} mark
 * @param {readonly Axis[]} axes
 * @returns {Place[]} fewer than 3 where nothing of it is seen
 */
export function clippedPolygon(mark, axes) {
  const [x, y, z] = ways(axes);
  let places = mark.points.map(
    (p) =>
      /** @type {Place} */ ([
        p[0] * x.slope + x.start,
        p[1] * y.slope + y.start,
        p[2] * z.slope + z.start,
      ]),
  );
  if (!places.every((place) => place.every(Number.isFinite))) return [];
  for (const axis of [0, 1, 2]) {
    for (const side of [-1, 1]) places = halved(places, (p) => HALF[axis] - side * p[axis]);
  }
  return places;
}

/** The part of a convex polygon where a height is not negative.
 * @param {Place[]} places @param {(place: Place) => number} height @returns {Place[]} */
export function halved(places, height) {
  const heights = places.map(height);
  return places.flatMap((place, i) => {
    const next = (i + 1) % places.length;
    const [a, b] = [heights[i], heights[next]];
    const own = a >= 0 ? [place] : [];
    if (a >= 0 === b >= 0) return own;
    const share = a / (a - b);
    const between = place.map((part, c) => part + share * (places[next][c] - part));
    return [...own, /** @type {Place} */ (between)];
  });
}
