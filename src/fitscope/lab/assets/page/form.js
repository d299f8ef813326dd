// Fields made from the experiment's own schema: a slider, a menu, a switch or a text.

import { el, numberIn } from "./dom.js";

/** @typedef {{kind: "number"|"whole"|"choice"|"truth"|"text", choices: string[], low: number, high: number, isOptional: boolean, about: string, fallback: any}} Field */

/** How far a slider reaches, and whether it goes by factors; the box beside it takes everything
 * the setting allows.
 * @type {Record<string, [number, number, "even"|"log"]>} */
const REACH = {
  n_samples: [10, 5000, "log"],
  noise: [0, 1, "even"],
  test_fraction: [0, 0.5, "even"],
  w: [-5, 5, "even"],
  b: [-5, 5, "even"],
  degree: [1, 12, "even"],
  n_classes: [2, 10, "even"],
  lr: [1e-4, 10, "log"],
  momentum: [0, 0.99, "even"],
  weight_decay: [1e-5, 1, "log"],
  l2: [1e-6, 1, "log"],
  epochs: [1, 20_000, "log"],
  batch_size: [1, 1024, "log"],
};
const NAMES = /** @type {Record<string, string>} */ ({
  n_samples: "samples",
  test_fraction: "test share",
  split_seed: "split seed",
  standardize: "standardise",
  n_classes: "classes",
  lr: "learning rate",
  batch_size: "batch",
  weight_decay: "weight decay",
  l2: "L2 penalty",
  stop_below: "stop below loss",
  patience: "patience",
});

/** What a setting is, read off its JSON schema.
 * @param {any} schema
 * @returns {Field} */
export function fieldOf(schema) {
  const parts = schema.anyOf ?? [schema];
  const isOptional = parts.some((/** @type {any} */ part) => part.type === "null");
  const found = parts.find((/** @type {any} */ part) => part.type !== "null") ?? {};
  const choices = (found.enum ?? (found.const ? [found.const] : [])).map(String);
  const kinds = /** @type {Record<string, Field["kind"]>} */ ({
    integer: "whole",
    number: "number",
    boolean: "truth",
  });
  return {
    kind: choices.length ? "choice" : kinds[found.type] ?? "text",
    choices,
    low: found.minimum ?? found.exclusiveMinimum ?? -Infinity,
    high: found.maximum ?? found.exclusiveMaximum ?? Infinity,
    isOptional,
    about: schema.description ?? "",
    fallback: schema.default ?? null,
  };
}

/** One setting of the form: `row.show(value)` writes what is set, `change` hears of a new value.
 * @param {string} name
 * @param {Field} field
 * @param {(value: any) => void} change
 * @param {string[]} [choices] those that apply, in place of the schema's
 * @returns {HTMLElement & {show: (value: any) => void}} */
export function settingRow(name, field, change, choices = field.choices) {
  const title = NAMES[name] ?? name.replaceAll("_", " ");
  const tip = `${field.about[0]?.toUpperCase() ?? ""}${field.about.slice(1)}.`;
  const [control, show] = field.kind === "choice"
    ? menu(title, choices, change)
    : field.kind === "truth"
      ? check(title, change)
      : numbers(name, title, field, change);
  const row = el("label", { class: `row ${field.kind}`, tip, data: { setting: name } }, el("span", {}, title), ...control);
  return Object.assign(row, { show });
}

/** @param {string} title @param {string[]} choices @param {(value: any) => void} change
 * @returns {[HTMLElement[], (value: any) => void]} */
function menu(title, choices, change) {
  const options = choices.map((choice) => el("option", { value: choice }, choice.replaceAll("_", " ")));
  const select = el("select", { "aria-label": title }, ...options);
  select.addEventListener("change", () => change(select.value));
  return [[select], (value) => (select.value = value ?? "")];
}

/** @param {string} title @param {(value: any) => void} change
 * @returns {[HTMLElement[], (value: any) => void]} */
function check(title, change) {
  const box = el("input", { type: "checkbox", "aria-label": title });
  box.addEventListener("change", () => change(box.checked));
  return [[box], (value) => (box.checked = Boolean(value))];
}

/** A box for the number, and a slider where the setting has a natural reach.
 * @param {string} name @param {string} title @param {Field} field @param {(value: any) => void} change
 * @returns {[HTMLElement[], (value: any) => void]} */
function numbers(name, title, field, change) {
  const empty = name === "batch_size" ? "all" : "–";
  const box = el("input", { type: "text", class: "value", inputmode: "decimal", "aria-label": title, placeholder: empty, spellcheck: "false", autocomplete: "off" });
  const reach = REACH[name];
  const slider = reach && el("input", { type: "range", min: 0, max: 1000, step: 1, "aria-label": `${title}, slider` });
  /** @param {any} value */
  const show = (value) => {
    if (document.activeElement !== box) box.value = value === null || value === undefined ? "" : plain(value);
    if (slider) slider.value = String(1000 * toPlace(reach, value ?? reach[1]));
    slider?.setAttribute("aria-valuetext", value === null || value === undefined ? empty : plain(value));
  };
  box.addEventListener("change", () => change(readNumber(box.value, field)));
  slider?.addEventListener("input", () => {
    const value = fromPlace(reach, Number(slider.value) / 1000, field.kind === "whole");
    show(value);
    change(name === "batch_size" && slider.value === "1000" ? null : value);
  });
  return [slider ? [box, slider] : [box], show];
}

/** A number as it is typed; what is no number goes to the server as it is, which says so.
 * @param {string} text @param {Field} field */
function readNumber(text, field) {
  const written = text.trim();
  if (written === "" || written === "–" || written === "all") return null;
  if (field.kind === "text") return written;
  const value = numberIn(written);
  return Number.isFinite(value) ? value : written;
}

/** @param {any} value */
function plain(value) {
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
}

/** @param {[number, number, string]} reach @param {number} value */
function toPlace([low, high, scale], value) {
  if (scale === "even") return (value - low) / (high - low);
  return Math.log(Math.max(value, low) / low) / Math.log(high / low);
}

/** @param {[number, number, string]} reach @param {number} place @param {boolean} isWhole */
function fromPlace([low, high, scale], place, isWhole) {
  const value = scale === "even" ? low + place * (high - low) : low * (high / low) ** place;
  if (isWhole) return Math.round(value < 100 ? value : Number(value.toPrecision(2)));
  return scale === "even" ? Math.round(100 * value) / 100 : Number(value.toPrecision(2));
}

