// The middle panel: the network as cards and lines, every unit with what it answers.

import { parameterNames } from "../model/names.js";
import { Columns } from "./columns.js";
import { el, head, whole } from "./dom.js";
import { figure, formulaAloud, FormulaLine, longestFormula } from "./formula.js";
import { controls, headings, layerButton } from "./layers.js";
import { UnitCard } from "./unit.js";
import { paintMaps } from "./unitmaps.js";
import { Wires } from "./wires.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {import("./columns.js").Card} Card */
/** @typedef {import("./wires.js").Wire} Wire */
/** @typedef {import("./wires.js").Spot} Spot */

const HELP =
  "Each card shows what a unit answers over the inputs, and each line is a weight: wide is large, warm is positive, cool is negative. Point at a unit to read its formula; click it to set its numbers by hand.";
const HINT = "Point at anything to read it; click to set its numbers.";
const HINT_NO_DATA = "This run was saved without its data, so its units have no maps.";
const REACH_PX = { mouse: 7, touch: 16 };
const SETTLED_MS = 200; // after the last change, what is read aloud is renewed
const LETTER_PX = 7;
const MOST_LINES = 4; // of the formula
const NARROW = "(max-width: 760px)"; // as in lab.css
const TOPS = { lab: 78, replay: 28 }; // height of the headings

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  const sizes = el("span", { class: "net-sizes", tip: "Inputs, hidden units layer by layer, outputs." });
  const count = el("span", { class: "net-count", tip: "All weights and biases: the numbers that training changes." });
  const diagram = new Diagram(store, actions);
  const section = el("section", { class: "net" }, head("Network", HELP, sizes, count, actions && layerButton(store, actions)), controls(store, actions), diagram.root, diagram.formula, foot(store, actions));
  root.append(section);
  placeUnit(diagram.unit, section, root.parentElement ?? section);
  store.on(["run"], ({ run }) => {
    if (!run) return;
    sizes.textContent = run.sizes.join(" – ");
    count.textContent = `${whole(run.p)} parameters`;
  });
}

/** The card of the selected unit lies over the loss, where it moves nothing; on a narrow page it
 * unfolds in the network's own sheet.
 * @param {HTMLElement} unit @param {HTMLElement} sheet @param {HTMLElement} bench */
function placeUnit(unit, sheet, bench) {
  const narrow = matchMedia(NARROW);
  const place = () => (narrow.matches ? sheet : bench).append(unit);
  narrow.addEventListener("change", place);
  place();
}

/** Below the formula: what to do, or, with numbers set by hand, what becomes of them.
 * @param {Store} store @param {Actions|null} actions */
function foot(store, actions) {
  const hint = el("p", { class: "net-hint" }, HINT);
  const train = actions && el("button", { type: "button", class: "primary", tip: "Trains on from exactly these numbers.", on: { click: () => actions.trainFromHere() } }, "Train from here");
  const undo = el("button", { type: "button", tip: "Back to the numbers that training found at this step.", on: { click: () => store.set({ hand: null }) } }, "Undo");
  const byHand = el("div", { class: "net-hand", role: "status", hidden: true }, el("span", {}, "Set by hand"), train, undo);
  store.on(["hand"], ({ hand }) => {
    byHand.hidden = hand === null;
    hint.hidden = hand !== null;
  });
  store.on(["run"], ({ run }) => {
    hint.textContent = run?.dataset.y.length === 0 ? HINT_NO_DATA : HINT;
  });
  return el("div", { class: "net-foot" }, hint, byHand);
}

/** Cards, lines and the formula, which follow the step. */
class Diagram {
  /** @param {Store} store @param {Actions|null} actions */
  constructor(store, actions) {
    this.store = store;
    const canvas = el("canvas", { class: "net-wires", "aria-hidden": "true" });
    this.note = el("p", { class: "net-note", hidden: true });
    this.inner = el("div", { class: "net-inner" }, canvas, this.note);
    this.root = el("div", { class: "net-stage", role: "group", "aria-label": "Network diagram" }, this.inner);
    this.formula = el("p", { class: "net-formula", "aria-live": "off" });
    this.unit = el("div", { class: "net-unit", hidden: true, role: "group", "aria-label": "Selected unit" });
    this.line = new FormulaLine(this.formula);
    this.card = new UnitCard(this.unit, store, (index) => this.#pointAt(index), () => this.#close());
    this.wires = new Wires(canvas);
    this.columns = new Columns(this.inner, TOPS[actions ? "lab" : "replay"]);
    this.headings = headings(this.inner, store, actions);
    /** @type {string[]} */
    this.parameters = [];
    /** @type {Spot|null} */
    this.hovered = null;
    /** @type {Wire|null} */
    this.wire = null;
    /** @type {number|null} a parameter to be edited once its card is there */
    this.wanted = null;
    /** @type {Spot|null} the card that takes the focus */
    this.home = null;
    this.#listen();
    this.#follow();
  }

  #follow() {
    const { store } = this;
    store.on(["run"], () => this.layOut());
    store.on(["run", "unit"], (state) => this.#select(state));
    store.on(["moment", "theme", "unit"], () => this.draw());
    store.on(["moment"], () => this.card.follow());
    store.on(["explaining"], ({ explaining }) => this.columns.setExplaining(explaining));
    new ResizeObserver(() => {
      this.layOut();
      this.draw();
    }).observe(this.root);
  }

  /** Puts all cards in their places. */
  layOut() {
    const { run } = this.store.state;
    const [width, height] = [this.root.clientWidth, this.root.clientHeight];
    if (!run || !width) return;
    this.columns.heads = this.headings(this.store.state);
    const box = this.columns.layOut(run, { width, height });
    this.wires.set(run, this.columns.cards, box);
    this.parameters = parameterNames(run.sizes);
    const lines = Math.ceil((longestFormula(this.columns.names) * LETTER_PX) / width);
    this.#giveLines(Math.max(1, Math.min(MOST_LINES, lines)));
    this.wire = null;
    this.#showNote(null);
    if (!this.columns.at(this.hovered)) this.hovered = null;
    this.#mark();
    this.#moveHome();
  }

  /** Room for the longest formula, so that nothing moves while it changes.
   * @param {number} lines */
  #giveLines(lines) {
    this.root.parentElement?.style.setProperty("--lines", String(lines));
  }

  /** Everything that follows the step. */
  draw() {
    const { run, moment } = this.store.state;
    if (!run || !moment || !this.root.clientWidth || !this.columns.cards.length) return;
    const spot = this.#spot();
    paintMaps(moment, this.columns.cards);
    this.wires.draw(moment.params, spot, this.wire);
    this.#writeFormula(spot);
    if (this.wire) this.#showNote(this.wire);
    this.#settleSoon();
  }

  /** The selected unit. @returns {Spot|null} */
  #chosen() {
    const { unit } = this.store.state;
    return unit && { column: unit.layer + 1, unit: unit.unit };
  }

  /** What is pointed out: the unit under the pointer, or the selected one. */
  #spot() {
    return this.hovered ?? this.#chosen();
  }

  /** The formula of the unit that is pointed out, else of the output.
   * @param {Spot|null} spot */
  #writeFormula(spot) {
    const { run, moment } = this.store.state;
    if (!run || !moment) return;
    const { column, unit } = spot && spot.column > 0 ? spot : { column: run.sizes.length - 1, unit: 0 };
    this.line.show(run, moment.params, { layer: column - 1, unit });
  }

  /** @param {State} state */
  #select(state) {
    const { unit } = state;
    if (unit && this.columns.cards.length && this.columns.turn(unit.layer + 1, unit.unit)) this.layOut();
    this.#mark();
    this.card.show(state);
    if (this.wanted !== null) this.card.edit(this.wanted);
    this.wanted = null;
    this.#moveHome();
  }

  /** Marks the card of the selected unit. */
  #mark() {
    const chosen = this.columns.at(this.#chosen());
    for (const card of this.columns.cards.flat()) {
      card.button.classList.toggle("chosen", card === chosen);
      if (card.column > 0) card.button.setAttribute("aria-pressed", String(card === chosen));
    }
  }

  /** Folds the card up; the focus goes back to the unit it was of. */
  #close() {
    const home = this.columns.cards.flat().find(({ button }) => button.tabIndex === 0);
    const card = this.columns.at(this.#chosen()) ?? home;
    this.store.set({ unit: null });
    card?.button.focus();
  }

  /** Keeps exactly one card in the order of the Tab key. */
  #moveHome() {
    const { cards } = this.columns;
    const home = this.columns.at(this.home) ?? this.columns.at(this.#chosen()) ?? cards.at(-1)?.[0];
    for (const card of cards.flat()) card.button.tabIndex = card === home ? 0 : -1;
  }

  #listen() {
    const { root, inner } = this;
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerleave", () => this.#hover(null, null));
    inner.addEventListener("focusin", (event) => {
      const card = this.#cardOf(event.target);
      if (!card) return;
      this.home = card;
      this.#moveHome();
      if (card.button.matches(":focus-visible")) this.#hover(card, null);
    });
    inner.addEventListener("focusout", () => this.#hover(null, null));
  }

  /** @param {EventTarget|null} target */
  #cardOf(target) {
    const button = target instanceof Element && /** @type {HTMLElement|null} */ (target.closest(".unit-card"));
    return button ? this.columns.at({ column: Number(button.dataset.column), unit: Number(button.dataset.unit) }) : undefined;
  }

  /** The line under the pointer.
   * @param {PointerEvent|MouseEvent} event */
  #wireAt(event) {
    if (event.target instanceof Element && event.target.closest("button, input")) return null;
    const box = this.inner.getBoundingClientRect();
    const isTouch = "pointerType" in event && event.pointerType === "touch";
    return this.wires.near(event.clientX - box.left, event.clientY - box.top, REACH_PX[isTouch ? "touch" : "mouse"]);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "touch") return;
    const card = this.#cardOf(event.target);
    this.#hover(card ?? null, card ? null : this.#wireAt(event));
  }

  /** @param {Card|null} card @param {Wire|null} wire */
  #hover(card, wire) {
    const isSame = this.hovered?.column === card?.column && this.hovered?.unit === card?.unit;
    if (isSame && this.wire === wire) return;
    this.hovered = card && { column: card.column, unit: card.unit };
    this.wire = wire;
    this.root.classList.toggle("on-wire", wire !== null);
    this.#showNote(wire);
    const { moment } = this.store.state;
    if (!moment) return;
    this.wires.draw(moment.params, this.#spot(), wire);
    this.#writeFormula(this.#spot());
  }

  /** A parameter of the selected unit, from its card.
   * @param {number|null} index */
  #pointAt(index) {
    this.#hover(null, this.wires.wires.find((wire) => wire.index === index) ?? null);
  }

  /** The number of a line, beside its middle.
   * @param {Wire|null} wire */
  #showNote(wire) {
    const { note } = this;
    const { moment } = this.store.state;
    note.hidden = !wire || !moment;
    if (!wire || !moment) return;
    const { names } = this.columns;
    const text = `${this.parameters[wire.index]} = ${figure(moment.params[wire.index])}: ${names[wire.layer][wire.input]} to ${names[wire.layer + 1][wire.unit]}`;
    if (note.textContent === text) return;
    note.textContent = text;
    const half = note.offsetWidth / 2;
    const x = (wire.x0 + wire.x1) / 2;
    const [from, to] = [this.root.scrollLeft + half + 2, this.root.scrollLeft + this.root.clientWidth - half - 2];
    note.style.left = `${Math.max(from, Math.min(to, x)) - half}px`;
    note.style.top = `${Math.max(0, (wire.y0 + wire.y1) / 2 - 34)}px`;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {Element} */ (event.target);
    const rest = /** @type {HTMLElement|null} */ (target.closest(".rest"));
    if (rest) {
      this.columns.turn(Number(rest.dataset.column));
      this.layOut();
      this.draw();
      return this.#focusRest(rest);
    }
    const card = this.#cardOf(target);
    if (card) return this.#choose(card);
    if (target.closest(".layer")) return;
    const wire = this.#wireAt(event);
    this.wanted = wire && wire.index;
    this.store.set({ unit: wire && { layer: wire.layer, unit: wire.unit } });
    const { unit } = this.store.state;
    if (wire && unit?.layer === wire.layer && unit.unit === wire.unit) this.card.edit(wire.index);
  }

  /** @param {HTMLElement} old the button that was there before the column was turned */
  #focusRest(old) {
    this.columns.more.find((button) => button.dataset.column === old.dataset.column)?.focus();
  }

  /** @param {Card} card */
  #choose({ column, unit }) {
    const { unit: chosen, features, run } = this.store.state;
    if (column === 0) {
      if (run && run.dataset.d > 2 && !features.includes(unit)) this.store.set({ features: [unit, features[0]] });
      return;
    }
    const isSame = chosen?.layer === column - 1 && chosen.unit === unit;
    this.store.set({ unit: isSame ? null : { layer: column - 1, unit } });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const card = this.#cardOf(event.target);
    if (event.key === "Escape") this.store.set({ unit: null });
    if (!card || !/^(Arrow|Home$|End$)/.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the time bar has these keys elsewhere
    this.columns.beside(card, event.key)?.button.focus();
  }

  /** Renews what is read aloud, once the picture stands still. */
  #settleSoon() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.#settle(), SETTLED_MS);
  }

  #settle() {
    const { run, moment } = this.store.state;
    if (!run || !moment) return;
    for (const { column, unit, name, button } of this.columns.cards.flat()) {
      const what = `${button.dataset.kind} ${unit + 1}, ${name}`;
      const formula = column > 0 && formulaAloud(run, moment.params, { layer: column - 1, unit });
      button.setAttribute("aria-label", formula ? `${what}: ${formula}` : what);
    }
  }
}
