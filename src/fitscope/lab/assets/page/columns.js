// The diagram's layers as columns: a card a unit, each in its place, and what stands above them.

import { colours } from "../draw/colours.js";
import { unitNames } from "../model/names.js";
import { el, explain } from "./dom.js";
import { nameOf } from "./formula.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("./wires.js").Place} Place */
/** @typedef {import("./wires.js").Spot} Spot */
/** @typedef {Place & {name: string, button: HTMLButtonElement, canvas: HTMLCanvasElement}} Card */

const MOST = 12; // cards of a column; the others are turned to
const NARROWEST = 92; // of a column: with more of them the diagram scrolls
const LARGEST = { share: 0.24, least: 84, most: 112 }; // side of a map: a share of the height
const MAP_SHARE = { compact: 0.46, large: 0.6 }; // of a column; the rest is for names and lines
const NAME_H = 20; // below a map
const COMPACT = 5; // from so many rows on, names stand beside their maps
const ROOMY = 36; // height of a row that leaves room between maps
const LETTER = 6.7;

/** Cards and headings of a run, laid out in a box that scrolls sideways. */
export class Columns {
  /** @param {HTMLElement} inner @param {number} top height of the headings */
  constructor(inner, top) {
    this.inner = inner;
    this.top = top;
    /** @type {Card[][]} */
    this.cards = [];
    /** @type {string[][]} */
    this.names = [];
    /** @type {Map<string, Card>} */
    this.pool = new Map();
    /** @type {HTMLElement[]} */
    this.heads = [];
    /** @type {HTMLElement[]} */
    this.more = [];
    /** @type {number[]} */
    this.pages = [];
    this.isExplaining = false;
  }

  /** Lays out a run's cards.
   * @param {Run} run @param {{width: number, height: number}} box
   * @returns {{width: number, height: number}} what the columns take */
  layOut(run, box) {
    const n = run.sizes.length;
    this.names = unitNames(run);
    this.pages = run.sizes.map((size, c) => Math.min(this.pages[c] ?? 0, Math.ceil(size / MOST) - 1));
    const width = Math.max(box.width, n * NARROWEST);
    this.inner.style.width = `${width}px`;
    for (const rest of this.more) rest.remove();
    this.more = [];
    const wide = width / n;
    const old = this.pool;
    this.pool = new Map();
    this.cards = this.names.map((names, c) => this.#column(names, c, { old, wide, height: box.height }));
    for (const [key, card] of old) if (!this.pool.has(key)) card.button.remove();
    this.heads.forEach((head, c) => place(head, c * wide + 4, 0, wide - 8));
    return { width, height: box.height };
  }

  /** @param {string[]} names @param {number} c @param {{old: Map<string, Card>, wide: number, height: number}} room */
  #column(names, c, { old, wide, height }) {
    const first = this.pages[c] * MOST;
    const shown = names.slice(first, first + MOST);
    const isLast = c === this.names.length - 1;
    const nRows = shown.length + (names.length > MOST ? 1 : 0);
    const shape = shapeOf(shown, nRows, { wide, high: height - this.top, isLast, isCurve: this.names[0].length === 1 });
    const top = this.top + (height - this.top - nRows * shape.row) / 2;
    const cards = shown.map((name, i) => {
      const unit = first + i;
      const card = old.get(`${c},${unit}`) ?? newCard(c, unit);
      this.pool.set(`${c},${unit}`, card);
      if (!card.button.isConnected) this.inner.append(card.button);
      setName(card, name, isLast ? "output" : c ? "hidden unit" : "input", isLast && names.length > 1);
      arrange(card, shape, c * wide + wide / 2, top + i * shape.row);
      this.#explain(card, c, isLast);
      return card;
    });
    if (names.length > MOST) this.#rest(names.length, c, c * wide, top + shown.length * shape.row, wide);
    return cards;
  }

  /** The button that turns to the units that are not drawn.
   * @param {number} n @param {number} c @param {number} x @param {number} y @param {number} wide */
  #rest(n, c, x, y, wide) {
    const first = this.pages[c] * MOST;
    const text = first ? `${first + 1}–${Math.min(n, first + MOST)} of ${n}` : `+${n - MOST} more`;
    const tip = "Only twelve units are drawn; this turns to the next twelve.";
    const button = el("button", { type: "button", class: "rest", tip, data: { column: c } }, text);
    place(button, x + 4, y, wide - 8);
    this.more.push(button);
    this.inner.append(button);
  }

  /** Shows the next units of a column, or those with a certain one.
   * @param {number} column @param {number} [unit]
   * @returns {boolean} whether others are shown than before */
  turn(column, unit) {
    const nPages = Math.ceil(this.names[column].length / MOST);
    const next = unit === undefined ? (this.pages[column] + 1) % nPages : Math.floor(unit / MOST);
    const isOther = next !== this.pages[column];
    this.pages[column] = next;
    return isOther;
  }

  /** @param {Card} card @param {number} c @param {boolean} isLast */
  #explain({ button }, c, isLast) {
    const what = isLast ? "What the network answers" : c ? "What this unit answers" : "This input";
    const tip = c
      ? `${what} over the inputs: warm is yes, cool is no. Click to set its weights and bias by hand; the bar below the map is its bias.`
      : `${what}, from its least value to its greatest. Click an input that no axis shows to lay it along x.`;
    explain(button, tip);
    if (!this.isExplaining) button.removeAttribute("data-tip");
  }

  /** Cards tell what they are in the mode that explains; else they would hide what is behind.
   * @param {boolean} isExplaining */
  setExplaining(isExplaining) {
    this.isExplaining = isExplaining;
    this.cards.forEach((cards, c) => cards.forEach((card) => this.#explain(card, c, c === this.cards.length - 1)));
  }

  /** @param {Spot|null} spot @returns {Card|undefined} */
  at(spot) {
    return spot ? this.cards[spot.column]?.find(({ unit }) => unit === spot.unit) : undefined;
  }

  /** The card beside another, where a key points.
   * @param {Card} card @param {string} key */
  beside(card, key) {
    const own = this.cards[card.column];
    const i = own.indexOf(card);
    if (key === "ArrowUp" || key === "ArrowDown") return own[i + (key === "ArrowUp" ? -1 : 1)];
    if (key === "Home" || key === "End") return key === "Home" ? own[0] : own[own.length - 1];
    const next = this.cards[card.column + (key === "ArrowLeft" ? -1 : 1)];
    return next?.reduce((best, one) => (Math.abs(one.y - card.y) < Math.abs(best.y - card.y) ? one : best));
  }
}

/** @param {number} column @param {number} unit @returns {Card} */
function newCard(column, unit) {
  const canvas = el("canvas", { "aria-hidden": "true", width: 1, height: 1 });
  const button = el("button", { type: "button", class: "unit-card", tabindex: -1, data: { column, unit } }, canvas, el("span", { class: "name" }));
  return { column, unit, name: "", button, canvas, ...{ left: 0, right: 0, x: 0, y: 0, side: 0, wide: 0 } };
}

/** @param {Card} card @param {string} name @param {string} kind @param {boolean} isClass */
function setName(card, name, kind, isClass) {
  const { button, unit } = card;
  button.dataset.kind = kind;
  if (card.name === name) return;
  card.name = name;
  const swatch = el("b", { class: "swatch", hidden: !isClass });
  swatch.style.background = colours.classColour(unit);
  button.lastElementChild?.replaceChildren(swatch, nameOf(name));
  button.setAttribute("aria-label", `${kind} ${unit + 1}, ${name}`);
}

/** How large maps are, and where their names stand.
 * @param {string[]} names @param {number} nRows @param {{wide: number, high: number, isLast: boolean, isCurve: boolean}} room */
function shapeOf(names, nRows, { wide, high, isLast, isCurve }) {
  const isCompact = nRows >= COMPACT;
  const largest = Math.max(LARGEST.least, Math.min(LARGEST.most, LARGEST.share * high));
  const row = Math.min(high / nRows, largest + NAME_H + 24);
  const tallest = isCompact ? row - (row > ROOMY ? 12 : 6) : row - NAME_H - 12;
  const longest = Math.max(...names.map((name) => name.length)) * LETTER + (isLast && names.length > 1 ? 20 : 6);
  const widest = Math.min(largest, MAP_SHARE[isCompact ? "compact" : "large"] * wide);
  const side = Math.floor(Math.min(tallest, widest));
  const mapW = isCurve ? Math.floor(Math.min(2 * side, widest)) : side;
  const nameW = isCompact ? Math.min(longest, wide - mapW - 22) : Math.min(longest + 8, wide - 8);
  return { row, side, mapW, nameW, isCompact, isLast };
}

/** @param {Card} card @param {ReturnType<typeof shapeOf>} shape @param {number} middle @param {number} top */
function arrange(card, { row, side, mapW, nameW, isCompact, isLast }, middle, top) {
  const { button, canvas } = card;
  const name = /** @type {HTMLElement} */ (button.lastElementChild);
  const width = isCompact ? mapW + nameW + 4 : Math.max(mapW, nameW);
  const left = middle - width / 2;
  const height = isCompact ? side + 5 : side + NAME_H + 5;
  const y = top + (row - height) / 2;
  place(button, left, y, width, height);
  button.classList.toggle("compact", isCompact);
  button.classList.toggle("last", isLast);
  canvas.style.width = `${mapW}px`;
  canvas.style.height = `${side}px`;
  name.style.width = `${nameW}px`;
  const x = isCompact ? (isLast ? left : left + width - mapW) : middle - mapW / 2;
  Object.assign(card, { x, y, side, wide: mapW, left: isCompact ? left : x, right: x + mapW });
}

/** @param {HTMLElement} element @param {number} left @param {number} top @param {number} width @param {number} [height] */
function place(element, left, top, width, height) {
  const { style } = element;
  style.left = `${Math.round(left)}px`;
  style.top = `${Math.round(top)}px`;
  style.width = `${Math.round(width)}px`;
  if (height !== undefined) style.height = `${Math.round(height)}px`;
}
