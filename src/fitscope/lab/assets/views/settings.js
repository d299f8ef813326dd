// What differs between the settings of several runs, in words.

import { sameData } from "../model/run.js";

/** @typedef {import("../model/run.js").Run} Run */

const LONGEST = 36;
/** @type {["training"|"network"|"data", string[]][]} */
const PARTS = [
  ["training", ["loss", "optimizer", "lr", "momentum", "nesterov", "weight_decay", "l2", "epochs", "batch_size", "shuffle", "seed", "stop_below", "patience"]],
  ["network", ["hidden", "activation", "init"]],
];

/** Whether two runs learned from the same samples, scaled alike. @param {Run} a @param {Run} b */
export function isAlike(a, b) {
  return sameData(a.experiment.data, b.experiment.data);
}

/** A name for each run: the settings in which they differ; their numbers where those do not suffice.
 * @param {Run[]} runs @returns {string[]} */
export function namesOf(runs) {
  if (runs.length === 1) return ["this run"];
  const settings = runs.map(({ experiment }) => settingsOf(experiment));
  const differing = settings[0].filter(([name, value]) => settings.some((one) => one.find(([other]) => other === name)?.[1] !== value)).map(([name]) => name);
  const found = settings.map((one) => one.filter(([name]) => differing.includes(name)).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", "));
  if (new Set(found).size === found.length) return found;
  return found.map((name, i) => [`run ${i + 1}`, name].filter(Boolean).join(", "));
}

/** Every setting by name, as it is written. @param {any} experiment @returns {[string, string][]} */
function settingsOf(experiment) {
  return PARTS.flatMap(([part, names]) => names.map((name) => /** @type {[string, string]} */ ([name, written(name, experiment[part][name] ?? null)])));
}

/** @param {string} name @param {any} value */
function written(name, value) {
  if (value === null) return name === "batch_size" ? "full" : "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (!Array.isArray(value)) return String(value);
  const text = value.map((one) => (Number.isInteger(one) ? one : Number(one.toPrecision(3)))).join(", ") || "none";
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
