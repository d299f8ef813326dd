// Draws a scene's pieces from the back to the front, so that what is near hides what is far.

import { colours, mixed } from "./colours.js";
import { stamp } from "./markers.js";
import { halved, shades } from "./solids.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Place} Place */
/** @typedef {import("./solids.js").Solid} Solid */
/** @typedef {import("./solids.js").PolygonMark} PolygonMark */
/** @typedef {import("./solids.js").PointsMark} PointsMark */
/** @typedef {import("./solids.js").LineMark} LineMark */
/** @typedef {import("./solids.js").SurfaceMark} SurfaceMark */
/** @typedef {{mark: PolygonMark, places: Place[]}} Face a polygon within the box */
/**
 * @typedef {{owner: Int32Array, piece: Int32Array, depth: Float64Array, middle: Float64Array}}
 *   Pieces
 */

const STEPS = 8; // sizes and shades of points by depth
const MANY = 12; // from so many points on; few, which mark places, look alike wherever they are
const PALEST = 0.5; // of its colour is left of a point in the farthest corner
const DEEPEST = 1.63; // from the box' middle to a corner
const OVERLAP = 0.8; // device pixels that a face reaches over its neighbours, against seams
const FINE = 2 ** 21; // more pieces than any scene has

/** One picture of solids and polygons. */
export class Painter {
  /**
   * @param {Sheet} sheet
   * @param {Camera} camera
   * @param {readonly Solid[]} solids
   * @param {string} ground
   */
  constructor(sheet, camera, solids, ground) {
    this.sheet = sheet;
    this.ctx = sheet.ctx;
    this.camera = camera;
    this.solids = solids;
    this.ground = ground;
    this.seen = solids.map((solid) => this.projected(solid.at));
    this.pieces = this.gathered();
  }

  /** Each corner's device pixels and depth. @param {Float64Array} at */
  projected(at) {
    return this.camera.seeAll(at, this.sheet.ratio);
  }

  /** All pieces with their middles. @returns {Pieces} */
  gathered() {
    const n = this.solids.reduce((sum, solid) => sum + solid.pieces.length, 0);
    const [owner, piece] = [new Int32Array(n), new Int32Array(n)];
    const [depth, middle] = [new Float64Array(n), new Float64Array(3 * n)];
    let k = 0;
    this.solids.forEach((solid, own) => {
      const seen = this.seen[own];
      const apart =
        solid.mark.kind === "points" ? 0 : solid.mark.kind === "line" ? 3 : 3 * (solid.row + 1);
      for (let i = 0; i < solid.pieces.length; i++, k++) {
        const a = 3 * solid.pieces[i];
        const b = a + apart; // the other end, or the opposite corner
        owner[k] = own;
        piece[k] = i;
        depth[k] = (seen[a + 2] + seen[b + 2]) / 2 - solid.lift;
        for (let c = 0; c < 3; c++) middle[3 * k + c] = (solid.at[a + c] + solid.at[b + c]) / 2;
      }
    });
    return { owner, piece, depth, middle };
  }

  /** Draws everything. @param {readonly Face[]} faces */
  paint(faces) {
    const { ctx, sheet, pieces } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.imageSmoothingEnabled = false; // stamps lie on whole pixels
    ctx.lineCap = "round";
    ctx.lineJoin = "round";
    this.behindAndBefore(
      pieces.owner.map((_, i) => i),
      faces,
    );
    ctx.globalAlpha = 1;
    ctx.setTransform(sheet.ratio, 0, 0, sheet.ratio, 0, 0);
  }

  /** What lies behind the first polygon's plane, the polygon, and what lies before it.
   * @param {Int32Array} items @param {readonly Face[]} faces */
  behindAndBefore(items, faces) {
    if (!faces.length) return this.drawPieces(items);
    const [face, ...others] = faces;
    const height = heightOver(face.places, this.camera.eye);
    const { middle } = this.pieces;
    const before = (/** @type {number} */ k) =>
      height([middle[3 * k], middle[3 * k + 1], middle[3 * k + 2]]) >= -1e-9;
    const part = (/** @type {1|-1} */ side) =>
      others
        .map(({ mark, places }) => ({ mark, places: halved(places, (p) => side * height(p)) }))
        .filter(({ places }) => places.length > 2);
    this.behindAndBefore(
      items.filter((k) => !before(k)),
      part(-1),
    );
    this.drawPolygon(face);
    this.behindAndBefore(items.filter(before), part(1));
  }

  /** @param {Face} face */
  drawPolygon({ mark, places }) {
    const { ctx, sheet } = this;
    ctx.beginPath();
    for (const place of places) {
      const [x, y] = this.camera.see(...place);
      ctx.lineTo(x * sheet.ratio, y * sheet.ratio);
    }
    ctx.closePath();
    ctx.globalAlpha = mark.alpha ?? 0.25;
    ctx.fillStyle = mark.colour;
    ctx.fill();
    ctx.globalAlpha = Math.min(1, 3 * (mark.alpha ?? 0.25));
    ctx.strokeStyle = mark.edge ?? mark.colour;
    ctx.lineWidth = sheet.ratio;
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  /** @param {Int32Array} items */
  drawPieces(items) {
    const { owner, piece, depth } = this.pieces;
    const order = new Float64Array(items.length);
    for (let i = 0; i < order.length; i++) {
      order[i] = Math.round((8 - depth[items[i]]) * 1e6) * FINE + items[i];
    }
    order.sort();
    for (let i = 0; i < order.length;) {
      const own = owner[order[i] % FINE];
      const from = i;
      while (i < order.length && owner[order[i] % FINE] === own) i++;
      const { kind } = this.solids[own].mark;
      const which = new Int32Array(i - from);
      for (let k = from; k < i; k++) which[k - from] = piece[order[k] % FINE];
      if (kind === "points") this.drawPoints(own, which);
      else if (kind === "line") this.drawLine(own, which);
      else this.drawFaces(own, which);
    }
  }

  /** @param {number} own @param {Int32Array} which */
  drawPoints(own, which) {
    const { ctx, solids, seen } = this;
    const mark = /** @type {PointsMark} */ (solids[own].mark);
    const stamps = this.stampsOf(mark);
    for (const piece of which) {
      const corner = solids[own].pieces[piece];
      const [x, y, depth] = [
        seen[own][3 * corner],
        seen[own][3 * corner + 1],
        seen[own][3 * corner + 2],
      ];
      const far = mark.x.length < MANY ? 0.5 : (depth / DEEPEST + 1) / 2;
      const step = Math.round(far * (STEPS - 1));
      const { image, half } = stamps(
        typeof mark.colour === "string" ? mark.colour : mark.colour[corner],
        step,
      );
      ctx.drawImage(image, Math.floor(x) - half, Math.floor(y) - half);
    }
  }

  /** Stamps by colour and depth: the farther, the smaller and paler. @param {PointsMark} mark */
  stampsOf(mark) {
    const { ground, camera, sheet } = this;
    /** @type {Map<string, import("./markers.js").Stamp[]>} */
    const made = new Map();
    const all = (/** @type {string} */ colour) =>
      Array.from({ length: STEPS }, (_, step) => {
        const far = step / (STEPS - 1);
        const size =
          Math.round((mark.size ?? 5) * camera.nearness((2 * far - 1) * DEEPEST) * 4) / 4;
        const own = mark.x.length < MANY ? colour : mixed(colour, ground, 1 - far * PALEST);
        const edge = mark.edge === undefined ? ground : mark.edge;
        return stamp({ ...mark, colour: own, size, edge }, sheet.ratio);
      });
    return (/** @type {string} */ colour, /** @type {number} */ step) => {
      const found = made.get(colour) ?? all(colour);
      made.set(colour, found);
      return found[Math.max(0, Math.min(STEPS - 1, step))];
    };
  }

  /** @param {number} own @param {Int32Array} which */
  drawLine(own, which) {
    const { ctx, sheet, solids } = this;
    const mark = /** @type {LineMark} */ (solids[own].mark);
    const seen = this.seen[own];
    ctx.beginPath();
    let last = -1;
    for (const piece of which) {
      const corner = solids[own].pieces[piece];
      const at = 3 * corner;
      if (corner !== last) ctx.moveTo(seen[at], seen[at + 1]);
      ctx.lineTo(seen[at + 3], seen[at + 4]);
      last = corner + 1;
    }
    ctx.globalAlpha = mark.alpha ?? 1;
    ctx.strokeStyle = mark.colour;
    ctx.lineWidth = (mark.width ?? 2) * sheet.ratio;
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  /** @param {number} own @param {Int32Array} which */
  drawFaces(own, which) {
    const { ctx, solids } = this;
    const { pieces, row, tones } = solids[own];
    const seen = this.seen[own];
    const mark = /** @type {SurfaceMark} */ (solids[own].mark);
    const palette = shadesOf(mark.ramp ?? colours.lossRamp(96));
    for (const piece of which) {
      const a = 3 * pieces[piece];
      const [b, c, d] = [a + 3, a + 3 * (row + 1), a + 3 * row];
      const x = (seen[a] + seen[b] + seen[c] + seen[d]) / 4;
      const y = (seen[a + 1] + seen[b + 1] + seen[c + 1] + seen[d + 1]) / 4;
      ctx.fillStyle = palette[/** @type {Uint16Array} */ (tones)[piece]];
      ctx.beginPath();
      addCorner(ctx, seen, a, x, y);
      addCorner(ctx, seen, b, x, y);
      addCorner(ctx, seen, c, x, y);
      addCorner(ctx, seen, d, x, y);
      ctx.fill();
    }
  }
}

/** A face's corner, a little farther from its middle, so that no seam shows between two.
 * @param {CanvasRenderingContext2D} ctx @param {Float64Array} seen @param {number} k
 * @param {number} x @param {number} y */
function addCorner(ctx, seen, k, x, y) {
  const [dx, dy] = [seen[k] - x, seen[k + 1] - y];
  const more = 1 + OVERLAP / (Math.sqrt(dx * dx + dy * dy) + 0.1);
  ctx.lineTo(x + dx * more, y + dy * more);
}

/** @type {WeakMap<Uint8ClampedArray, string[]>} */
const palettes = new WeakMap();

/** @param {Uint8ClampedArray} ramp */
function shadesOf(ramp) {
  const found = palettes.get(ramp) ?? shades(ramp);
  palettes.set(ramp, found);
  return found;
}

/**
 * How far a place lies over a polygon's plane, on the eye's side.
 * @param {Place[]} places
 * @param {Place} eye
 */
function heightOver(places, eye) {
  const normal = [0, 0, 0];
  places.forEach((a, i) => {
    const b = places[(i + 1) % places.length];
    for (let c = 0; c < 3; c++) {
      const [d, e] = [(c + 1) % 3, (c + 2) % 3];
      normal[c] += (a[d] - b[d]) * (a[e] + b[e]);
    }
  });
  const height = (/** @type {Place} */ place) =>
    normal.reduce((sum, part, c) => sum + part * (place[c] - places[0][c]), 0);
  const side = height(eye) < 0 ? -1 : 1;
  return (/** @type {Place} */ place) => side * height(place);
}
