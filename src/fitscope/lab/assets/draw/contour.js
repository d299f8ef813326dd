// Lines of equal height on a grid.

/** @typedef {{x: Float64Array, y: Float64Array}} Path */

// Which edges of a cell a line crosses, by which corners lie above: edges 0 bottom, 1 right,
// 2 top, 3 left; corners 1 bottom left, 2 bottom right, 4 top right, 8 top left.
const CROSSED = [
  ...[[], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2]],
  ...[[2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], []],
];

/**
 * Where values on a grid equal a level (marching squares), as connected lines; cells with a corner
 * that is not finite have none.
 * @param {ArrayLike<number>} xs columns
 * @param {ArrayLike<number>} ys rows
 * @param {ArrayLike<number>} values row-major: index i * xs.length + j is (xs[j], ys[i])
 * @param {number} level
 * @returns {Path[]}
 */
export function contourLines(xs, ys, values, level) {
  const found = crossings(xs.length, ys.length, values, level);
  return joined(found).map((edges) => placed(edges, xs, ys, values, level));
}

/** Pairs of edges that a line runs between. Edge e < n is from point e to the right, n + e upwards.
 * @param {number} nx @param {number} ny @param {ArrayLike<number>} values @param {number} level */
function crossings(nx, ny, values, level) {
  const n = nx * ny;
  /** @type {number[]} */
  const pairs = [];
  for (let i = 0; i + 1 < ny; i++) {
    for (let j = 0; j + 1 < nx; j++) {
      const at = i * nx + j;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + nx + 1], values[at + nx]];
      const size = a + b + c + d;
      if (!(size - size === 0)) continue;
      let above =
        (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (above === 0 || above === 15) continue;
      if ((above === 5 || above === 10) && size / 4 > level) above = 15 - above;
      const sides = CROSSED[above];
      for (const side of sides) {
        pairs.push(side === 0 ? at : side === 1 ? n + at + 1 : side === 2 ? at + nx : n + at);
      }
    }
  }
  return pairs;
}

/** Pairs of edges, joined to lines: each edge is in at most two pairs. @param {number[]} pairs */
function joined(pairs) {
  /** @type {Map<number, number[]>} */
  const next = new Map();
  for (let i = 0; i < pairs.length; i += 2) {
    link(next, pairs[i], pairs[i + 1]);
    link(next, pairs[i + 1], pairs[i]);
  }
  const lines = [];
  for (const [edge, links] of next) if (links.length === 1) lines.push(followed(next, edge));
  for (const [edge, links] of next) if (links.length) lines.push(followed(next, edge));
  return lines.filter((line) => line.length > 1);
}

/** @param {Map<number, number[]>} next @param {number} from @param {number} to */
function link(next, from, to) {
  const links = next.get(from);
  if (links) links.push(to);
  else next.set(from, [to]);
}

/** Takes a line's edges out of `next`. @param {Map<number, number[]>} next @param {number} start */
function followed(next, start) {
  const line = [start];
  for (let here = start, links = next.get(here); links?.length; links = next.get(here)) {
    const there = /** @type {number} */ (links.pop());
    const back = next.get(there) ?? [];
    back.splice(back.indexOf(here), 1);
    line.push(there);
    here = there;
  }
  return line;
}

/** @param {number[]} edges @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys
 * @param {ArrayLike<number>} values @param {number} level @returns {Path} */
function placed(edges, xs, ys, values, level) {
  const [nx, n] = [xs.length, xs.length * ys.length];
  const [x, y] = [new Float64Array(edges.length), new Float64Array(edges.length)];
  edges.forEach((edge, k) => {
    const [at, up] = [edge % n, edge >= n];
    const [i, j] = [Math.floor(at / nx), at % nx];
    const [from, to] = [values[at], values[up ? at + nx : at + 1]];
    const share = (level - from) / (to - from);
    x[k] = up ? xs[j] : xs[j] + share * (xs[j + 1] - xs[j]);
    y[k] = up ? ys[i] + share * (ys[i + 1] - ys[i]) : ys[i];
  });
  return { x, y };
}
