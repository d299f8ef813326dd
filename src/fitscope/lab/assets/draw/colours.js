// Every colour of the page, once: handed over by Python's plot/theme.py, or mixed from there.

/** @typedef {{ink: string, muted: string, grid: string, paper: string}} Inks */
/**
 * @typedef {object} Theme
 * @property {string[]} classes a colour a class; class 0 is cool, class 1 warm
 * @property {string[]} markers a marker a class
 * @property {string[]} field from 0 over white (0.5) to 1
 * @property {string[]} runs a colour for each of several runs
 * @property {string} highlight a path, an optimum, what a picture is about
 * @property {string} line on top of a field, which is light on every page
 * @property {{light: Inks, dark: Inks}} inks
 */
/** @typedef {"light"|"dark"} Mode */
/** @typedef {[number, number, number]} Rgb each from 0 to 255 */

// Matplotlib's viridis at sixteen even places (Smith and van der Walt 2015), as on the Python
// pictures of losses; tests/test_lab_draw.py compares.
const LOSSES = [
  ...["#440154", "#481a6c", "#472f7d", "#414487", "#39568c", "#31688e", "#2a788e", "#23888e"],
  ...["#1f988b", "#22a884", "#35b779", "#54c568", "#7ad151", "#a5db36", "#d2e21b", "#fde725"],
];

/** @type {Theme|null} */
let theme = null;
/** @type {Mode} */
let mode = "light";
/** @type {Map<string, Uint8ClampedArray>} */
const ramps = new Map();

/** Takes over the colours of Python's theme. @param {Theme} given */
export function setTheme(given) {
  theme = given;
  ramps.clear();
}

/** Says whether the page is light or dark; what is drawn from then on has the inks of it.
 * @param {Mode} given */
export function setMode(given) {
  mode = given;
}

function known() {
  if (!theme) throw new Error("No colours yet: call setTheme with the theme of Python's page.");
  return theme;
}

/** The colours as they are now. */
export const colours = {
  /** @param {number} index */
  classColour: (index) => cycled(known().classes, index),
  /** @param {number} index */
  classMarker: (index) => cycled(known().markers, index),
  /** @param {number} index */
  runColour: (index) => cycled(known().runs, index),
  /** @returns {Inks} of the page as it is now */
  inks: () => known().inks[mode],
  /** @returns {Mode} */
  get mode() {
    return mode;
  },
  get highlight() {
    return known().highlight;
  },
  /** Of lines on a field, light or dark page alike. */
  get line() {
    return known().line;
  },
  /** The middle of a field: an undecided place. */
  get white() {
    const { field } = known();
    return field[field.length >> 1];
  },
  /** From "no" (0, cool) over white (0.5) to "yes" (1, warm), as n times red, green, blue.
   * @param {number} n */
  fieldRamp: (n) => kept(known().field, n),
  /** From a small loss (dark) to a large one (light). @param {number} n */
  lossRamp: (n) => kept(LOSSES, n),
};

/** @param {string[]} list @param {number} index */
function cycled(list, index) {
  return list[((index % list.length) + list.length) % list.length];
}

/** @param {string[]} stops @param {number} n */
function kept(stops, n) {
  const key = stops.join() + n;
  const found = ramps.get(key) ?? ramp(stops, n);
  ramps.set(key, found);
  return found;
}

/** Colours evenly between stops, as n times red, green, blue.
 * @param {string[]} stops each "#rrggbb"
 * @param {number} n
 * @returns {Uint8ClampedArray} */
export function ramp(stops, n) {
  const parts = stops.map(rgb);
  const made = new Uint8ClampedArray(n * 3);
  for (let i = 0; i < n; i++) {
    const place = n > 1 ? (i / (n - 1)) * (stops.length - 1) : 0;
    const from = Math.min(Math.floor(place), Math.max(stops.length - 2, 0));
    const [low, high] = [parts[from], parts[Math.min(from + 1, stops.length - 1)]];
    for (let c = 0; c < 3; c++) made[3 * i + c] = low[c] + (high[c] - low[c]) * (place - from);
  }
  return made;
}

/** @param {string} colour "#rrggbb" @returns {Rgb} */
export function rgb(colour) {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** "#rrggbb" of three parts from 0 to 255. @param {ArrayLike<number>} parts */
export function hex(parts) {
  const value = (Math.round(parts[0]) << 16) | (Math.round(parts[1]) << 8) | Math.round(parts[2]);
  return `#${value.toString(16).padStart(6, "0")}`;
}

/** A colour mixed into another; `share` of the first is left.
 * @param {string} colour @param {string} ground @param {number} share */
export function mixed(colour, ground, share) {
  const [a, b] = [rgb(colour), rgb(ground)];
  return hex(a.map((part, i) => part * share + b[i] * (1 - share)));
}

/**
 * A colour mixed with white, as Python's theme.tint.
 * @param {string} colour
 * @param {number} share
 */
export function tint(colour, share) {
  return mixed(colour, "#ffffff", share);
}
