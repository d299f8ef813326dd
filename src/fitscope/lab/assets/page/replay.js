// The replay of one run out of the file itself: nothing is trained, everything is there.

import { unpacked } from "../model/packed.js";
import { readRun } from "../model/run.js";
import { el, head, prose, shown } from "./dom.js";
import { parameterTable } from "./table.js";

/** @typedef {import("./store.js").Store} Store */

/** The run that is in the page.
 * @returns {Promise<import("../model/run.js").Run>} */
export async function run() {
  const place = /** @type {HTMLElement} */ (document.getElementById("run"));
  const text = (place.textContent ?? "").trim();
  return readRun(await unpacked(text, JSON.parse(place.dataset.arrays ?? "[]")));
}

/** In place of the data panel: what was trained, on what, how it ended, how to get it again.
 * @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  root.setAttribute("aria-label", "Run");
  root.classList.add("replay");
  const body = el("div", {});
  root.append(head("Run", "One training, recorded step by step. Play it, or drag along the time bar; every picture follows."), body);
  store.on(["run"], ({ run: shownRun, boot }) => {
    if (!shownRun) return;
    const { summary, code, importance, meanings, note } = boot;
    body.replaceChildren(
      el("p", { class: "sentence" }, summary.sentence),
      ["FINISHED", "STOPPED", "STOPPED_EARLY", "CONVERGED"].includes(shownRun.outcome) ? "" : el("p", { class: "warning" }, ...prose(`${shownRun.ending[0].toUpperCase()}${shownRun.ending.slice(1)}.`).childNodes),
      note ? el("p", { class: "warning" }, note) : "",
      summary.formula ? section("Learned", el("p", { class: "formula" }, summary.formula)) : "",
      summary.truth ? section("Made by", el("p", { class: "formula" }, summary.truth)) : "",
      importance ? section(importance.title, el("p", {}, importance.kind), bars(importance)) : "",
      summary.notes.length ? section("About the data", ...summary.notes.map(prose)) : "",
      parameterTable(shownRun, meanings),
      section("Get it again", ...snippets(code)),
      el("p", { class: "versions" }, `Made with ${Object.entries(shownRun.versions).map(([name, number]) => `${name} ${number}`).join(", ")}.`),
    );
  });
}

/** @param {string} title @param {...(Node|string)} children */
function section(title, ...children) {
  return el("section", {}, el("h3", {}, title), ...children);
}

/** @param {{names: string[], values: number[]}} importance */
function bars({ names, values }) {
  const most = Math.max(...values.map(Math.abs)) || 1;
  const rows = names.map((name, i) => {
    const bar = el("i", { class: values[i] < 0 ? "bar negative" : "bar" });
    bar.style.width = `${(100 * Math.abs(values[i])) / most}%`;
    return el("div", {}, el("span", {}, name), el("span", { class: "of" }, bar), el("span", { class: "n" }, shown(values[i], 3)));
  });
  return el("div", { class: "importance" }, ...rows);
}

/** @param {Record<string, string>} code */
function snippets(code) {
  const titles = { command: "Command", python: "Python", pytorch: "PyTorch", toml: "TOML" };
  return Object.entries(titles)
    .filter(([name]) => code[name])
    .map(([name, title]) => el("details", { open: name === "command" }, el("summary", {}, title), el("pre", {}, code[name])));
}
