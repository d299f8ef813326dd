// The loss over a plane with the path of a run, computed piece by piece: what the surface is drawn from.

import { lossGrid, pathLosses, pathOn, planeOf } from "../model/surface.js";
import { answered } from "../page/api.js";
import { heightsOf } from "./heat.js";
import { Slices } from "./slices.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/surface.js").Plane} Plane */
/** @typedef {import("../model/surface.js").Path} Path */
/** @typedef {import("../model/surface.js").LossGrid} LossGrid */
/** @typedef {import("./heat.js").Heights} Heights */
/** @typedef {{run: Run, loss: string, pair: [number, number]|null, row: number}} Wanted pair: two parameters, or the plane of the path */
/** @typedef {Wanted & {plane: Plane, path: Path, grid: LossGrid|null, heights: Heights|null, onPlane: Float64Array|null, isFine: boolean}} Land */

const COARSE = 24; // points a side, at once
const FINE = 60;
const EXACT = 100; // of a model with two parameters, whose losses are cheap
const MOST_PATH = 800;

/** The best parameters of a model without a hidden layer, asked for once a run and loss.
 * @type {WeakMap<Run, Map<string, Promise<any>>>} */
const optima = new WeakMap();

/** What the server finds with scikit-learn; null where there is none.
 * @param {Run} run @param {string} loss @returns {Promise<any>} */
export function optimumOf(run, loss) {
  const known = optima.get(run) ?? new Map();
  optima.set(run, known);
  const { experiment } = run;
  const asked = { ...experiment, training: { ...experiment.training, loss } };
  const found = known.get(loss) ?? answered("/api/optimum", asked);
  known.set(loss, found);
  found.catch(() => known.delete(loss));
  return found;
}

/** Computes one landscape after the other; `tell` hears of each, coarse first, then fine. */
export class Surveyor {
  /** @param {(land: Land) => void} tell @param {(problem: string) => void} refuse */
  constructor(tell, refuse) {
    this.tell = tell;
    this.refuse = refuse;
    this.slices = new Slices();
    this.number = 0;
  }

  /** @param {Wanted} wanted @param {boolean} hasServer */
  async survey(wanted, hasServer) {
    this.number += 1;
    const own = this.number;
    const { run, loss, pair, row } = wanted;
    try {
      const optimum = hasServer && run.p === 2 ? await found(run, loss) : null;
      if (own !== this.number) return;
      const plane = planeOf(run, pair ? { parameters: pair, row } : { row, optimum });
      /** @type {Land} */
      const land = { ...wanted, plane, path: pathOn(run, plane, MOST_PATH), grid: null, heights: null, onPlane: null, isFine: false };
      for (const side of [COARSE, run.p === 2 ? EXACT : FINE]) {
        land.grid = await this.slices.run(lossGrid(run, plane, { side, loss }));
        if (!land.grid) return;
        const heights = await this.slices.run(pathLosses(run, plane, land.path, { loss, onPlane: true }));
        if (!heights) return;
        land.onPlane = heights.values;
        land.heights = heightsOf(land.grid.values);
        land.isFine = side !== COARSE;
        this.tell({ ...land });
      }
    } catch (error) {
      if (own === this.number) this.refuse(/** @type {Error} */ (error).message);
    }
  }
}

/** @param {Run} run @param {string} loss */
async function found(run, loss) {
  const answer = await optimumOf(run, loss).catch(() => null); // the surface is there without it
  return answer?.params ? { params: answer.params, loss: answer.loss } : null;
}
