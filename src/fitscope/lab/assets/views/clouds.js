// The samples in groups of class and part, thinned, with buffers that are filled anew for every step.

import { colours, hex } from "../draw/colours.js";
import { className, every } from "./shared.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../draw/marks.js").PointsMark} PointsMark */
/** @typedef {{rows: Int32Array, x: Float64Array, y: Float64Array, z: Float64Array, look: any}} Cloud */

const CROWD = 800; // from here on, each point is drawn smaller
const SHADES = 48; // of a regression's values

/** Every class, and every part of it, as one cloud of points; a regression's by value.
 * @param {Run} run @returns {Cloud[]} */
export function cloudsOf(run) {
  const { classes, targets, nTrain } = run.dataset;
  const step = every(targets.length);
  const isCrowd = targets.length / step > CROWD;
  /** @type {Cloud[]} */
  const clouds = [];
  for (let index = 0; index < Math.max(1, classes.length); index += 1) {
    for (const isTest of [false, true]) {
      const rows = [];
      for (let i = 0; i < targets.length; i += step) {
        if (i >= nTrain === isTest && (!classes.length || targets[i] === index)) rows.push(i);
      }
      if (rows.length) clouds.push(cloudOf(run, rows, index, isTest, isCrowd));
    }
  }
  return clouds;
}

/** @param {Run} run @param {number[]} rows @param {number} index @param {boolean} isTest @param {boolean} isCrowd @returns {Cloud} */
function cloudOf({ dataset }, rows, index, isTest, isCrowd) {
  const isClass = dataset.classes.length > 0;
  const name = isClass ? className(dataset, index) : "samples";
  const look = {
    ...(isCrowd ? { size: 4.5, edge: null } : { size: 6 }), // rims would hide what they lie upon
    ...{ hollow: isTest, marker: isClass ? colours.classMarker(index) : "o" },
    colour: isClass ? colours.classColour(index) : valueColours(dataset.targets, rows),
    name: isTest ? `${name}, test` : isClass || dataset.nTest ? name : undefined,
  };
  const n = rows.length;
  return { rows: Int32Array.from(rows), x: new Float64Array(n), y: new Float64Array(n), z: new Float64Array(n), look };
}

/** From a small value (dark) to a large one (light). @param {Float64Array} targets @param {number[]} rows */
function valueColours(targets, rows) {
  const ramp = colours.lossRamp(SHADES);
  let [low, high] = [Infinity, -Infinity];
  for (const value of targets) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return rows.map((i) => {
    const shade = Math.round(((targets[i] - low) / (high - low || 1)) * (SHADES - 1));
    return hex(ramp.subarray(3 * shade, 3 * shade + 3));
  });
}

/** The samples as points over two inputs, or at their targets over the only one; a regression's in
 * one colour. @param {Run} run @param {number[]} features @param {Partial<PointsMark>} [look]
 * @param {number} [most] of a cloud @returns {PointsMark[]} */
export function pointsOf(run, features, look = {}, most = Infinity) {
  const { inputs, targets, d } = run.dataset;
  const columns = [inputs[features[0]], d > 1 ? inputs[features[1]] : targets];
  return cloudsOf(run).map(({ rows, look: own }) => {
    const step = Math.max(1, Math.ceil(rows.length / most));
    const [x, y] = columns.map((column) => Float64Array.from(rows.filter((_, i) => i % step === 0), (row) => column[row]));
    const colour = typeof own.colour === "string" ? own.colour : colours.inks().muted;
    return { kind: "points", x, y, ...own, colour, name: own.name ?? "samples", ...look };
  });
}

/** Puts the clouds where the answers of up to three axes say.
 * @param {Cloud[]} clouds @param {Float64Array[]} answers */
export function place(clouds, answers) {
  for (const { rows, x, y, z } of clouds) {
    const into = [x, y, z];
    answers.forEach((along, axis) => {
      for (let i = 0; i < rows.length; i += 1) into[axis][i] = along[rows[i]];
    });
  }
}

/** Heights in a strip of one axis: the class, or a regression's value, spread so that samples show.
 * @param {Cloud[]} clouds @param {Run} run */
export function spreadOut(clouds, { dataset }) {
  const { targets, classes } = dataset;
  for (const { rows, y } of clouds) {
    for (let i = 0; i < rows.length; i += 1) {
      const jitter = classes.length ? 0.6 * (((rows[i] * 0.6180339887) % 1) - 0.5) : 0;
      y[i] = targets[rows[i]] + jitter;
    }
  }
}
