// Leading principal directions by Lanczos' method, and the small linear algebra that it needs.

/** @typedef {(v: Float64Array) => Float64Array} Product v -> S v for a symmetric S without negative eigenvalues */

const MOST_STEPS = 128;
const CLOSE = 1e-14; // residual over eigenvalue
const N_SWEEPS = 40;

/**
 * The unit vector v, orthogonal to `known`, with the largest v' S v = `size`.
 * @param {Product} product
 * @param {number} dimension
 * @param {Float64Array[]} known orthonormal
 * @returns {{direction: Float64Array, size: number}}
 */
export function leadingDirection(product, dimension, known) {
  const basis = [unitVector(without(normals(dimension, 1), known))];
  const most = Math.min(MOST_STEPS, dimension - known.length);
  /** @type {number[]} */
  const alpha = [], beta = [];
  for (let step = 0; ; step++) {
    const image = product(basis[step]);
    alpha.push(dot(image, basis[step]));
    const next = without(image, [...known, ...basis]), length = norm(next);
    const isEnd = step === most - 1 || length <= 1e-15 * Math.max(...alpha);
    if (isEnd || isPowerOfTwo(step + 1)) {
      const { value, vector } = leadingOfTridiagonal(alpha, beta);
      if (isEnd || length * Math.abs(vector[step]) <= CLOSE * value) {
        return { direction: unitVector(without(combined(basis, vector), known)), size: Math.max(0, value) };
      }
    }
    beta.push(length);
    basis.push(next.map((x) => x / length));
  }
}

/** @param {number} n */
function isPowerOfTwo(n) {
  return (n & (n - 1)) === 0;
}

/**
 * @param {number[]} alpha diagonal
 * @param {number[]} beta beside it
 */
function leadingOfTridiagonal(alpha, beta) {
  const n = alpha.length, S = alpha.map((value, i) => Float64Array.from(alpha, (_, j) => {
    if (i === j) return value;
    return Math.abs(i - j) === 1 ? beta[Math.min(i, j)] : 0;
  }));
  const V = alpha.map((_, i) => Float64Array.from(alpha, (_, j) => Number(i === j)));
  for (let sweep = 0; sweep < N_SWEEPS && offDiagonal(S) > 0; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(S, V, p, q);
  }
  let best = 0;
  for (let i = 1; i < n; i++) if (S[i][i] > S[best][best]) best = i;
  return { value: S[best][best], vector: V[best] };
}

/** The largest number beside the diagonal, where it still matters.
 * @param {Float64Array[]} S */
function offDiagonal(S) {
  let most = 0, size = 0;
  S.forEach((row, i) => row.forEach((x, j) => {
    if (i === j) size = Math.max(size, Math.abs(x));
    else most = Math.max(most, Math.abs(x));
  }));
  return most > 1e-17 * size ? most : 0;
}

/** One rotation of Jacobi's method; row i of V is eigenvector i.
 * @param {Float64Array[]} S @param {Float64Array[]} V @param {number} p @param {number} q */
function rotate(S, V, p, q) {
  if (S[p][q] === 0) return;
  const theta = (S[q][q] - S[p][p]) / (2 * S[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1), s = t * c;
  for (let i = 0; i < S.length; i++) {
    const a = S[i][p], b = S[i][q];
    S[i][p] = c * a - s * b;
    S[i][q] = s * a + c * b;
  }
  for (const M of [S, V]) {
    for (let i = 0; i < M.length; i++) {
      const a = M[p][i], b = M[q][i];
      M[p][i] = c * a - s * b;
      M[q][i] = s * a + c * b;
    }
  }
}

/**
 * The part of a vector that is orthogonal to others; taken twice, since rounding leaves a rest.
 * @param {Float64Array} vector
 * @param {Float64Array[]} others orthonormal
 */
export function without(vector, others) {
  const rest = vector.slice();
  for (const other of [...others, ...others]) {
    const along = dot(rest, other);
    for (let i = 0; i < rest.length; i++) rest[i] -= along * other[i];
  }
  return rest;
}

/** @param {Float64Array[]} vectors @param {ArrayLike<number>} weights */
function combined(vectors, weights) {
  const sum = new Float64Array(vectors[0].length);
  vectors.forEach((vector, k) => {
    for (let i = 0; i < sum.length; i++) sum[i] += weights[k] * vector[i];
  });
  return sum;
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {ArrayLike<number>} a */
export function norm(a) {
  return Math.sqrt(dot(a, a));
}

/** @param {Float64Array} a */
export function unitVector(a) {
  const length = norm(a);
  return a.map((x) => x / length);
}

/**
 * Numbers of the standard normal distribution (Box and Muller 1958), the same for the same seed.
 * @param {number} n
 * @param {number} seed
 * @returns {Float64Array}
 */
export function normals(n, seed) {
  let state = seed >>> 0;
  const uniform = () => { // mulberry32, by Tommy Ettinger (2017), public domain
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float64Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
