// Round places on an axis, and how they are written.

/** @typedef {import("./scale.js").Kind} Kind */
/** @typedef {{at: number[], labels: string[], between?: number[]}} Ticks `between` has no labels */

const ROUND = [1, 2, 5, 10];
const RAISED = {
  "-": "⁻",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

/**
 * Round places within a range: multiples of 1, 2 or 5 times a power of ten, or decades.
 * @param {ArrayLike<number>} range
 * @param {Kind} kind
 * @param {number} most how many at most, about
 * @returns {Ticks}
 */
export function ticks(range, kind, most) {
  const [low, high] = [Math.min(range[0], range[1]), Math.max(range[0], range[1])];
  if (!(high - low > 0 && high - low < Infinity) || !(most >= 1)) return { at: [], labels: [] };
  if (kind === "log" && low > 0) return decades(low, high, most);
  if (kind === "log1p" && high >= 20) return decadesFromZero(low, high, most);
  return even(low, high, most);
}

/** @param {number} low @param {number} high @param {number} most @returns {Ticks} */
function even(low, high, most) {
  const step = roundStep((high - low) / most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const at = counted(first, Math.min(last, first + 1000)).map((i) => tidy(i, step));
  return { at, labels: written(at, step) };
}

/** The 1, 2 or 5 times a power of ten that is nearest by ratio. @param {number} wanted */
function roundStep(wanted) {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const bounds = [Math.SQRT2, Math.sqrt(10), Math.sqrt(50), Infinity];
  return ROUND[bounds.findIndex((bound) => wanted < bound * power)] * power;
}

/**
 * i times a round step without the noise of its last digits.
 * @param {number} i
 * @param {number} step
 */
function tidy(i, step) {
  return Number((i * step).toPrecision(12)) || 0;
}

/** @param {number} first @param {number} last */
function counted(first, last) {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** @param {number} low @param {number} high @param {number} most @returns {Ticks} */
function decades(low, high, most) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return withinDecade(low, high, most);
  const every = Math.ceil((last - first + 1) / Math.max(most, 2));
  const exponents = counted(first, last).filter((i) => (last - i) % every === 0);
  const plain = first >= -3 && last <= 5;
  const labels = exponents.map((i) => (plain ? grouped(exactly(i), Math.max(0, -i)) : power(i)));
  const parts = every > 1 ? [1] : [2, 3, 4, 5, 6, 7, 8, 9];
  const between = counted(first - 1, last).flatMap((i) => parts.map((part) => part * 10 ** i));
  return {
    at: exponents.map(exactly),
    labels,
    between: between.filter((v) => v >= low && v <= high),
  };
}

/** A power of ten as it is written in code. @param {number} i */
function exactly(i) {
  return Number(`1e${i}`);
}

/** @param {number} low @param {number} high @param {number} most @returns {Ticks} */
function withinDecade(low, high, most) {
  const first = Math.floor(Math.log10(low));
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const places = [first, first + 1, first + 2].flatMap((i) => digits.map((n) => tidy(n, 10 ** i)));
    const at = places.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
    if (at.length < 2) break;
    if (at.length <= most + 1) return { at, labels: at.map((value) => written([value], value)[0]) };
  }
  return even(low, high, most);
}

/**
 * 0, 1, 10, 100, ...
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {Ticks}
 */
function decadesFromZero(low, high, most) {
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.ceil((last + 1) / Math.max(most - 1, 1));
  const exponents = counted(0, last).filter((i) => (last - i) % every === 0);
  const at = [0, ...exponents.map(exactly)].filter((value) => value >= low);
  const between = counted(0, last).flatMap((i) => [2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * 10 ** i));
  const seen = every > 1 ? [] : between.filter((value) => value >= low && value <= high);
  return {
    at,
    labels: at.map((value) =>
      last > 6 && value >= 10 ? power(Math.log10(value)) : grouped(value, 0),
    ),
    between: seen,
  };
}

/** "10⁻²" @param {number} exponent */
function power(exponent) {
  return `10${raised(exponent)}`;
}

/** @param {number} exponent */
function raised(exponent) {
  const digits = /** @type {(keyof typeof RAISED)[]} */ ([...String(Math.round(exponent))]);
  return digits.map((digit) => RAISED[digit]).join("");
}

/** Values with the decimals that their step needs; the very large and small as powers of ten.
 * @param {number[]} values @param {number} step */
function written(values, step) {
  const largest = Math.max(...values.map(Math.abs), step);
  if (largest >= 1e7 || largest < 1e-3) return scientific(values, step, largest);
  return values.map((value) => grouped(value, decimalsOf(step)));
}

/** @param {number} step */
function decimalsOf(step) {
  return Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

/** @param {number[]} values @param {number} step @param {number} largest */
function scientific(values, step, largest) {
  const exponent = Math.floor(Math.log10(largest) + 1e-9);
  const unit = 10 ** exponent;
  const decimals = decimalsOf(step / unit);
  return values.map((value) =>
    value ? `${grouped(value / unit, decimals)}×${power(exponent)}` : "0",
  );
}

/** "−12,345.60" @param {number} value @param {number} decimals */
function grouped(value, decimals) {
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const sign = value < 0 && Number(value.toFixed(decimals)) !== 0 ? "−" : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}
