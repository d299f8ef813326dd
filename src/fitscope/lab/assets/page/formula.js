// What a unit computes, set as in print: names in italics with their indices low, numbers upright.

import { formulaOf } from "../model/names.js";
import { el } from "./dom.js";

/** @typedef {import("../model/run.js").Run} Run */
/** @typedef {import("../model/names.js").Formula} Formula */
/** @typedef {{layer: number, unit: number}} Unit layer 0 is the first hidden one */

const MOST_TERMS = 12;
const INDEXED = /^(\p{L}{1,2})(\d+)((?:\[\d+\])?)$/u;
const ONE_WORD = /^[\p{L}\p{N}_.^[\]]+$/u;
const TERM_LETTERS = 8; // of a number, its signs and spaces
const AROUND = 7; // the equals sign, the activation and its brackets

/** A number of a formula: as many digits as matter, and never many more than five letters.
 * @param {number} value */
export function figure(value) {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === Infinity) return `${sign}∞`;
  if (size >= 99_999.5) return `${sign}${size.toExponential(1).replace("e+", "e")}`;
  return sign + size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** A name in italics, its index below the line.
 * @param {string} name */
export function nameOf(name) {
  const parts = INDEXED.exec(name);
  return parts ? el("i", {}, parts[1], el("sub", {}, parts[2]), parts[3]) : el("i", {}, name);
}

/** The terms that are written: all, or those of the largest weights, in the order of the inputs.
 * @param {Formula} formula @param {number} most */
function writtenTerms({ terms }, most) {
  if (terms.length <= most) return terms;
  const bySize = [...terms].sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.index - b.index);
  return bySize.slice(0, most).sort((a, b) => a.index - b.index);
}

/** A formula that follows the step: its numbers are rewritten, the rest stays. */
export class FormulaLine {
  /** @param {HTMLElement} root @param {number} [mostTerms] */
  constructor(root, mostTerms = MOST_TERMS) {
    this.root = root;
    this.mostTerms = mostTerms;
    this.key = "";
    /** @type {{sign: HTMLElement, number: HTMLElement}[]} */
    this.places = [];
  }

  /** @param {Run} run @param {ArrayLike<number>} params @param {Unit} unit */
  show(run, params, { layer, unit }) {
    const formula = formulaOf(run, params, layer, unit);
    const terms = writtenTerms(formula, this.mostTerms);
    const key = [formula.left, formula.activation, ...terms.map(({ index, name }) => `${index} ${name}`)].join();
    if (key !== this.key) this.#build(formula, terms);
    this.key = key;
    [...terms, formula.bias].forEach(({ value }, i) => this.#write(i, value));
  }

  /** @param {Formula} formula @param {Formula["terms"]} terms */
  #build({ left, activation, terms: all }, terms) {
    const isLogit = left.startsWith("logit of ");
    const head = el("span", { class: "term" }, isLogit && "logit of ", nameOf(left.replace(/^logit of /, "")), " = ", `${activation}${activation && "("}`);
    this.places = [];
    const parts = terms.flatMap(({ name }, i) => [this.#place(i === 0, nameOf(ONE_WORD.test(name) ? name : `[${name}]`)), " "]);
    const rest = all.length - terms.length;
    if (rest) parts.push(el("span", { class: "term" }, `+ (${rest} smaller ${rest === 1 ? "term" : "terms"})`), " ");
    this.root.replaceChildren(head, ...parts, this.#place(false, activation ? ")" : ""));
  }

  /** Room for a sign and a number, and what the number is the weight of.
   * @param {boolean} isFirst @param {Node|string} after */
  #place(isFirst, after) {
    const made = { sign: el("span", { class: "sign" }), number: el("span", { class: "number" }) };
    this.places.push(made);
    const gap = isFirst ? "" : "\u00a0";
    return el("span", { class: "term" }, made.sign, gap, made.number, typeof after !== "string" && "\u00a0", after);
  }

  /** @param {number} i @param {number} value */
  #write(i, value) {
    const { sign, number } = this.places[i];
    const text = figure(Math.abs(value));
    const mark = value < 0 ? "−" : i === 0 ? "" : "+";
    if (number.textContent !== text) number.textContent = text;
    if (sign.textContent !== mark) sign.textContent = mark;
  }
}

/** A formula in one line, as it is read aloud.
 * @param {Run} run @param {ArrayLike<number>} params @param {Unit} unit */
export function formulaAloud(run, params, { layer, unit }) {
  const formula = formulaOf(run, params, layer, unit);
  const terms = writtenTerms(formula, MOST_TERMS);
  const rest = formula.terms.length - terms.length;
  const parts = terms.map(({ value, name }) => `${value < 0 ? "−" : "+"} ${figure(Math.abs(value))} ${name}`);
  if (rest) parts.push(`+ ${rest} smaller terms`);
  parts.push(`${formula.bias.value < 0 ? "−" : "+"} ${figure(Math.abs(formula.bias.value))}`);
  const sum = parts.join(" ").replace(/^\+ /, "").replace(/^− /, "−");
  return `${formula.left} = ${formula.activation ? `${formula.activation}(${sum})` : sum}`;
}

/** How many letters the longest formula of a network has.
 * @param {string[][]} names of the units, by layer */
export function longestFormula(names) {
  const lengths = names.slice(0, -1).map((column, c) => {
    const widest = column.map((name) => name.length + TERM_LETTERS).sort((a, b) => b - a);
    const left = Math.max(...names[c + 1].map((name) => name.length)) + AROUND;
    return left + TERM_LETTERS + widest.slice(0, MOST_TERMS).reduce((sum, n) => sum + n, 0);
  });
  return Math.max(...lengths);
}
