// The shapes of points, each drawn once and then stamped.

/** @typedef {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} Context */
/** @typedef {"o"|"s"|"^"|"D"|"v"|"P"|"X"|"<"|">"|"*"} Shape matplotlib's letters */
/**
 * @typedef {object} Look
 * @property {string} colour
 * @property {string} [marker] matplotlib's letter; a circle by default
 * @property {number} [size] diameter of a circle in CSS pixels; the others have about its area
 * @property {boolean} [hollow] an outline alone
 * @property {string|null} [edge] a thin line around, which sets a filled marker off
 * @property {string|null} [fill] of a hollow one
 */
/** @typedef {{image: ImageBitmap, half: number}} Stamp `half` in device pixels */

const KEPT = 1024;
const RIM = 0.75; // CSS pixels of an edge
const OUTLINE = 1.4; // of a hollow marker

/** Corners of a circle's peers, for a diameter of 2. @type {Record<string, number[][]>} */
const CORNERS = {
  s: box(0.88),
  D: [
    [0, -1.22],
    [1.22, 0],
    [0, 1.22],
    [-1.22, 0],
  ],
  "^": [
    [0, -1.2],
    [1.14, 0.86],
    [-1.14, 0.86],
  ],
  v: [
    [0, 1.2],
    [1.14, -0.86],
    [-1.14, -0.86],
  ],
  "<": [
    [-1.2, 0],
    [0.86, -1.14],
    [0.86, 1.14],
  ],
  ">": [
    [1.2, 0],
    [-0.86, -1.14],
    [-0.86, 1.14],
  ],
  P: plus(0),
  X: plus(Math.PI / 4),
  "*": star(),
};

/** @param {number} half */
function box(half) {
  return [
    [-half, -half],
    [half, -half],
    [half, half],
    [-half, half],
  ];
}

/** @param {number} turn */
function plus(turn) {
  const [a, b] = [0.42, 1.15];
  const quarter = [
    [a, -b],
    [a, -a],
    [b, -a],
  ];
  const corners = [0, 1, 2, 3].flatMap((i) =>
    quarter.map((corner) => turned(corner, (i * Math.PI) / 2)),
  );
  return corners.map((corner) => turned(corner, turn));
}

function star() {
  const spoke = (/** @type {number} */ i) => turned([0, i % 2 ? -0.56 : -1.45], (i * Math.PI) / 5);
  return Array.from({ length: 10 }, (_, i) => spoke(i));
}

/** @param {number[]} corner @param {number} angle */
function turned([x, y], angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [x * c - y * s, x * s + y * c];
}

/** Adds the outline of a marker to the path. @param {Context} ctx @param {string} marker
 * @param {number} x @param {number} y @param {number} size */
function trace(ctx, marker, x, y, size) {
  const half = size / 2;
  const corners = CORNERS[marker];
  if (!corners) {
    ctx.moveTo(x + half, y);
    ctx.arc(x, y, half, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], i) => {
    if (i) ctx.lineTo(x + dx * half, y + dy * half);
    else ctx.moveTo(x + dx * half, y + dy * half);
  });
  ctx.closePath();
}

/** Draws one marker. @param {Context} ctx @param {number} x @param {number} y @param {Look} look */
export function drawMarker(ctx, x, y, { colour, marker = "o", size = 5, hollow, edge, fill }) {
  ctx.lineJoin = "round";
  ctx.beginPath();
  trace(ctx, marker, x, y, hollow ? size - OUTLINE * 0.4 : size);
  if (hollow) {
    if (fill) {
      ctx.fillStyle = fill;
      ctx.fill();
    }
    ctx.strokeStyle = colour;
    ctx.lineWidth = OUTLINE;
    ctx.stroke();
    return;
  }
  if (edge) {
    ctx.strokeStyle = edge;
    ctx.lineWidth = 2 * RIM;
    ctx.stroke();
  }
  ctx.fillStyle = colour;
  ctx.fill();
}

/** @type {Map<string, Stamp>} */
const stamps = new Map();

/** The picture of a marker, to be stamped with its middle on a device pixel.
 * @param {Look} look @param {number} ratio device pixels to a CSS pixel @returns {Stamp} */
export function stamp(look, ratio) {
  const { colour, marker = "o", size = 5, hollow, edge, fill } = look;
  const key = `${colour} ${marker} ${size} ${hollow} ${edge} ${fill} ${ratio}`;
  const found = stamps.get(key);
  if (found) return found;
  const half = Math.ceil((size * 0.75 + 2) * ratio);
  const canvas = new OffscreenCanvas(2 * half + 1, 2 * half + 1);
  const ctx = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(ratio, 0, 0, ratio, half + 0.5, half + 0.5);
  drawMarker(ctx, 0, 0, look);
  const made = { image: canvas.transferToImageBitmap(), half };
  if (stamps.size >= KEPT) stamps.clear();
  stamps.set(key, made);
  return made;
}
