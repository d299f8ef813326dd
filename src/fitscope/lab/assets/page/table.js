// Every parameter of a replay at its start and its end, with what it joins.

import { parameterNames } from "../model/names.js";
import { paramsAt } from "../model/run.js";
import { el, shown, whole } from "./dom.js";

/** A table that unfolds.
 * @param {import("../model/run.js").Run} run
 * @param {string[]} meanings what each of the first parameters joins; those are listed */
export function parameterTable(run, meanings) {
  const [start, end] = [paramsAt(run, 0), paramsAt(run, run.t - 1)];
  const names = parameterNames(run.sizes);
  const rows = meanings.map((meaning, i) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, names[i], el("small", {}, meaning)),
      el("td", {}, shown(start[i])),
      el("td", {}, shown(end[i])),
    ),
  );
  const titles = ["parameter", "start", "end"].map((title) => el("th", { scope: "col" }, title));
  const left = run.p - meanings.length;
  return el(
    "details",
    { class: "parameter-table" },
    el("summary", {}, `Parameters (${whole(run.p)})`),
    el("table", {}, el("thead", {}, el("tr", {}, ...titles)), el("tbody", {}, ...rows)),
    left > 0 && el("p", {}, `and ${whole(left)} more, all in the run file`),
    run.dataset.spec.standardize &&
      el("p", {}, "Weights belong to the standardised inputs, not to the data's own units."),
  );
}
