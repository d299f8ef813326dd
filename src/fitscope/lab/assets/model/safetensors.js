// Bytes of a safetensors file -> arrays and metadata. Nothing in it is executed; every size is checked.

/** @typedef {Float32Array|Float64Array|Int32Array|Uint8Array} Values */
/** @typedef {{dtype: string, shape: number[], values: Values}} Stored */

/** @type {Record<string, {new (buffer: ArrayBuffer, at: number, n: number): Values, BYTES_PER_ELEMENT: number}>} */
const TYPES = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array };
const UNREADABLE = "This file is damaged, or no run file: it cannot be parsed.";

/**
 * The arrays, by name, and the metadata of a safetensors file.
 * @param {ArrayBuffer} buffer
 * @returns {{arrays: Record<string, Stored>, metadata: Record<string, string>}}
 */
export function readArrays(buffer) {
  if (buffer.byteLength === 0) throw new Error("This file is empty (0 bytes).");
  const { __metadata__: metadata = {}, ...entries } = headerOf(buffer);
  const start = 8 + headerLength(buffer);
  /** @type {Record<string, Stored>} */
  const arrays = {};
  for (const [name, entry] of Object.entries(entries)) arrays[name] = stored(buffer, start, entry);
  return { arrays, metadata };
}

/** @param {ArrayBuffer} buffer */
function headerLength(buffer) {
  if (buffer.byteLength < 8) throw new Error(UNREADABLE);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > buffer.byteLength - 8) throw new Error(UNREADABLE);
  return length;
}

/** @param {ArrayBuffer} buffer */
function headerOf(buffer) {
  const bytes = new Uint8Array(buffer, 8, headerLength(buffer));
  const header = parsed(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!isObject(header)) throw new Error(UNREADABLE);
  return header;
}

/**
 * @param {() => string} text
 * @returns {any}
 */
function parsed(text) {
  try {
    return JSON.parse(text());
  } catch {
    throw new Error(UNREADABLE);
  }
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {ArrayBuffer} buffer
 * @param {number} start where the arrays begin
 * @param {any} entry {dtype, shape, data_offsets}
 * @returns {Stored}
 */
function stored(buffer, start, entry) {
  const type = TYPES[entry?.dtype];
  const shape = entry?.shape, [begin, end] = entry?.data_offsets ?? [];
  const counts = Array.isArray(shape) ? [...shape, begin, end] : [-1];
  if (!type || !counts.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(UNREADABLE);
  const n = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
  const fits = end - begin === n * type.BYTES_PER_ELEMENT && start + end <= buffer.byteLength;
  if (!fits) throw new Error(UNREADABLE);
  const at = start + begin;
  const isAligned = at % type.BYTES_PER_ELEMENT === 0;
  const values = isAligned
    ? new type(buffer, at, n)
    : new type(buffer.slice(at, start + end), 0, n); // a view must begin at a multiple of its size
  return { dtype: entry.dtype, shape, values };
}
