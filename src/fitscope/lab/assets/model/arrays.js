// The arrays of a run file, each of the type and shape that the reader needs, or one sentence that says which is not.

/** @typedef {import("./safetensors.js").Stored} Stored */
/** @typedef {Record<string, Stored>} Arrays */

export class Problem extends Error {}

/**
 * @param {boolean} holds
 * @param {string} problem
 */
export function require(holds, problem) {
  if (!holds) throw new Problem(problem);
}

/**
 * @param {Arrays} arrays
 * @param {string} name
 * @param {string} dtype
 */
export function vector(arrays, name, dtype) {
  const found = arrays[name];
  require(found !== undefined, `\`${name}\` is missing`);
  require(found.dtype === dtype && found.shape.length === 1, `\`${name}\` has another type`);
  return found.values;
}

/**
 * @param {Arrays} arrays
 * @param {string} name
 * @param {number} n
 */
export function numbers(arrays, name, n) {
  const values = /** @type {Float64Array} */ (vector(arrays, name, "F64"));
  require(values.length === n && values.every(Number.isFinite), `\`${name}\` does not fit`);
  return values;
}

/**
 * @param {Arrays} arrays
 * @param {string} name
 * @param {number} n rows
 * @param {number} m columns
 */
export function matrix(arrays, name, n, m) {
  const found = arrays[name];
  require(found !== undefined, `\`${name}\` is missing`);
  require(found.dtype === "F32" && found.shape.length === 2, `\`${name}\` has another type`);
  const fits = found.shape[0] === n && found.shape[1] === m;
  require(fits, name === "params" ? "`params` does not fit the network" : `\`${name}\` does not fit`);
  return /** @type {Float32Array} */ (found.values);
}

/** @param {unknown} value */
export function isCount(value) {
  return Number.isInteger(value) && Number(value) > 0;
}
