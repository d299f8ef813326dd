// From numbers to pixels and back, evenly or by logarithm.

/**
 * @typedef {"linear"|"log"|"log1p"} Kind "log1p" is logarithmic from 0 on, as steps lie on the
 *   time bar
 */
/** @typedef {[number, number]} Range */

/** A range that can be drawn: finite, not of width zero, above 0 on a logarithmic scale.
 * @param {ArrayLike<number>} range its ends may stand in either order
 * @param {Kind} kind
 * @returns {Range} */
export function drawable(range, kind) {
  let [a, b] = [range[0], range[1]];
  if (!Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(b - a)) [a, b] = [0, 1];
  const least = kind === "log" ? Number.MIN_VALUE : kind === "log1p" ? 0 : -Infinity;
  if (Math.max(a, b) < least) [a, b] = [0, 1];
  if (Math.min(a, b) < least) {
    const end = kind === "log" ? Math.max(a, b) / 1e6 : 0;
    [a, b] = a < b ? [end, b] : [a, end];
  }
  if (a !== b) return [a, b];
  if (kind === "log") return [a / 2, b * 2];
  const half = Math.abs(a) / 2 || 0.5;
  return kind === "log1p" ? [0, b || 1] : [a - half, b + half];
}

/** One axis' way from data to pixels. */
export class Scale {
  /**
   * @param {ArrayLike<number>} range
   * @param {Kind} kind
   * @param {number} from pixel of the range's first end
   * @param {number} to pixel of its second end
   */
  constructor(range, kind, from, to) {
    this.kind = kind;
    this.range = drawable(range, kind);
    this.low = Math.min(from, to);
    this.high = Math.max(from, to);
    const [a, b] = [this.bent(this.range[0]), this.bent(this.range[1])];
    this.slope = (to - from) / (b - a);
    this.start = from - a * this.slope;
  }

  /** @param {number} value @returns {number} */
  bent(value) {
    if (this.kind === "linear") return value;
    return this.kind === "log" ? Math.log10(value) : Math.log1p(value);
  }

  /** The pixel of a value; NaN where it has none. @param {number} value */
  pixel(value) {
    const bent = this.bent(value);
    return Number.isFinite(bent) ? bent * this.slope + this.start : Number.NaN;
  }

  /** The value of a pixel. @param {number} pixel */
  value(pixel) {
    const bent = this.slope === 0 ? this.bent(this.range[0]) : (pixel - this.start) / this.slope;
    if (this.kind === "linear") return bent;
    return this.kind === "log" ? 10 ** bent : Math.expm1(bent);
  }

  /** The pixels of many values. @param {ArrayLike<number>} values */
  pixels(values) {
    const { slope, start, kind } = this;
    const made = new Float64Array(values.length);
    if (kind === "linear")
      for (let i = 0; i < made.length; i++) made[i] = values[i] * slope + start;
    else for (let i = 0; i < made.length; i++) made[i] = this.pixel(values[i]);
    return made;
  }
}
