// From data in a box to places on the screen, in perspective.

import { drawable } from "./scale.js";

/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {{yaw: number, pitch: number, zoom: number}} View angles in radians */
/**
 * @typedef {{x: number, y: number, scale: number}} Frame middle and half a box's width, in pixels
 */
/** @typedef {[number, number, number]} Place */

/** Half the box, in its own units: a little lower than wide. @type {Place} */
export const HALF = [1, 1, 0.8];
const CORNERS = Float64Array.from(
  [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) =>
    HALF.map((half, axis) => (i & (1 << axis) ? half : -half)),
  ),
);
const TURNS = 8; // yaws that are tried for the room a box takes
const EYE = 5.5; // from the middle of the box to the eye, in half widths

/** The way from data to the box: both ends of a range are -1 and 1, the upright one's -0.8 and 0.8.
 * @param {Numbers} range @param {0|1|2} axis */
export function boxed(range, axis) {
  const [a, b] = drawable(range, "linear");
  const slope = (2 * HALF[axis]) / (b - a);
  return { slope, start: -HALF[axis] - a * slope };
}

/** How the box lies around its middle at a pitch, whatever its yaw, for half a width of 1.
 * @param {number} pitch */
export function extent(pitch) {
  let [wide, above, below] = [0, 0, 0];
  for (let i = 0; i < TURNS; i++) {
    const yaw = (Math.PI * i) / (2 * TURNS); // a quarter turn brings the same corners back
    const camera = new Camera({ yaw, pitch, zoom: 1 }, { x: 0, y: 0, scale: 1 });
    const seen = camera.seeAll(CORNERS, 1);
    for (let k = 0; k < seen.length; k += 3) {
      wide = Math.max(wide, Math.abs(seen[k]));
      above = Math.max(above, -seen[k + 1]);
      below = Math.max(below, seen[k + 1]);
    }
  }
  return { wide, above, below };
}

/** Sees the box from where it is looked at. */
export class Camera {
  /** @param {View} view @param {Frame} frame */
  constructor({ yaw, pitch, zoom }, { x, y, scale }) {
    this.cosYaw = Math.cos(yaw);
    this.sinYaw = Math.sin(yaw);
    this.cosPitch = Math.cos(pitch);
    this.sinPitch = Math.sin(pitch);
    this.x = x;
    this.y = y;
    this.scale = scale * zoom;
    /** The eye, in the box' units. @type {Place} */
    this.eye = [
      -EYE * this.cosPitch * this.sinYaw,
      -EYE * this.cosPitch * this.cosYaw,
      EYE * this.sinPitch,
    ];
  }

  /** Where a place of the box is seen, and how far behind its middle it lies.
   * @param {number} x @param {number} y @param {number} z @returns {Place} */
  see(x, y, z) {
    return /** @type {Place} */ ([...this.seeAll(Float64Array.of(x, y, z), 1)]);
  }

  /** The same of many places, in pixels times `ratio`.
   * @param {Float64Array} at x, y, z of each @param {number} ratio */
  seeAll(at, ratio) {
    const { cosYaw, sinYaw, cosPitch, sinPitch, x, y, scale } = this;
    const seen = new Float64Array(at.length);
    for (let i = 0; i < at.length; i += 3) {
      const away = sinYaw * at[i] + cosYaw * at[i + 1];
      const depth = cosPitch * away - sinPitch * at[i + 2];
      const size = (scale * EYE) / (EYE + depth);
      seen[i] = (x + size * (cosYaw * at[i] - sinYaw * at[i + 1])) * ratio;
      seen[i + 1] = (y - size * (sinPitch * away + cosPitch * at[i + 2])) * ratio;
      seen[i + 2] = depth;
    }
    return seen;
  }

  /** How much larger a thing is seen than in the middle of the box. @param {number} depth */
  nearness(depth) {
    return EYE / (EYE + depth);
  }
}
