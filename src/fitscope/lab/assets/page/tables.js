// Own data: a table dropped on the page or picked, its target and its features.

import { ask, found } from "./api.js";
import { el, refill, shown, whole } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {{name: string, kind: "number"|"text"|"truth"|"date"|"other", n_different: number, n_missing: number, is_taken: boolean}} Column */
/** @typedef {{path: string, rows: number, columns: Column[], target: string|null}} Table */

const RUN = ".safetensors";
const KINDS = `.csv,.tsv,.txt,.parquet,.pq,${RUN}`;

/** @param {HTMLElement} root @param {Store} store @param {Actions} actions */
export function mount(root, store, actions) {
  const picker = el("input", { type: "file", accept: KINDS, class: "picker", "aria-label": "A table or a run file" });
  const zone = el("label", { class: "drop", tip: "A CSV or Parquet file up to 50 MB, or a run file. It stays on this machine." }, picker, "Drop a CSV, Parquet or run file here, or pick one");
  const choices = el("div", { class: "columns", hidden: true });
  root.append(zone, choices);
  /** @type {Table|null} */
  let table = null;
  /** @param {File} file */
  const take = async (file) => {
    zone.classList.add("loading");
    try {
      checkSize(file, store.state.boot.catalogue.limits);
      if (file.name.endsWith(RUN)) return actions.open(await opened(file));
      table = await uploaded(file);
      useTable(table, actions);
    } catch (error) {
      store.set({ error: `${file.name}: ${/** @type {Error} */ (error).message}` });
    } finally {
      zone.classList.remove("loading");
      picker.value = "";
    }
  };
  picker.addEventListener("change", () => picker.files?.[0] && take(picker.files[0]));
  takeDrops(take);
  store.on(["experiment"], async ({ experiment }) => {
    const { path } = experiment.data;
    choices.hidden = !path;
    if (!path) return;
    if (table?.path !== path) {
      table = await found(`/api/tables/${encodeURIComponent(nameOf(path))}`).catch(() => null);
    }
    if (table) showColumns(choices, table, experiment.data, actions);
  });
}

/** Refuses what the server would refuse, before it is sent.
 * @param {File} file @param {Record<string, number>} limits */
function checkSize({ name, size }, limits) {
  const most = name.endsWith(RUN) ? limits.run_bytes : limits.upload_bytes;
  if (size > most) throw new Error(`it has ${shown(size / 1e6, 3)} MB; the lab takes at most ${shown(most / 1e6, 3)} MB.`);
}

/** @param {File} file @returns {Promise<Table>} */
async function uploaded(file) {
  const answer = await ask(`/api/tables/${encodeURIComponent(file.name)}`, { method: "PUT", body: file, headers: { "Content-Type": "application/octet-stream" } });
  return answer.json();
}

/** A run file that the server has checked and keeps.
 * @param {File} file */
async function opened(file) {
  const name = encodeURIComponent(file.name.slice(0, -RUN.length));
  const answer = await ask(`/api/runs/${name}`, { method: "PUT", body: file, headers: { "Content-Type": "application/octet-stream" } });
  const kept = await answer.json(); // perhaps under another name, as this one may be taken
  return (await ask(`/api/runs/${encodeURIComponent(kept.name)}`)).arrayBuffer();
}

/** @param {Table} table @param {Actions} actions */
function useTable(table, actions) {
  const { experiment } = actions.store.state;
  const network = { ...experiment.network, init: "torch" };
  const training = { ...experiment.training, loss: null, batch_size: null, epochs: Math.min(experiment.training.epochs, 500), optimizer: "adam", lr: 0.01, momentum: 0, nesterov: false, l2: 0, stop_below: null, patience: null };
  const data = { path: table.path, target: table.target };
  actions.train({ title: nameOf(table.path), about: "", data, network, training }, { row: 0, playing: true, unit: null });
}

/** Which column is predicted, from which others.
 * @param {HTMLElement} root @param {Table} table @param {any} data @param {Actions} actions */
function showColumns(root, table, data, actions) {
  const target = el("select", { "aria-label": "target", tip: "The column that is to be predicted." }, ...table.columns.map(({ name }) => el("option", { value: name, selected: name === data.target }, name)));
  target.addEventListener("change", () => actions.change("data", { target: target.value, features: null }));
  const usable = table.columns.filter(({ name, kind }) => name !== data.target && kind !== "other");
  const chosen = new Set(data.features ?? usable.filter((c) => c.is_taken && !data.drop?.includes(c.name)).map(({ name }) => name));
  const boxes = usable.map((column) => {
    const { name } = column;
    const box = el("input", { type: "checkbox", checked: chosen.has(name) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(name);
      else chosen.delete(name);
      actions.change("data", { features: usable.map((c) => c.name).filter((n) => chosen.has(n)) });
    });
    return el("label", { class: "check", tip: aboutColumn(column) }, box, name);
  });
  const old = root.querySelector("details");
  const isOpen = old?.dataset.path === table.path ? old.open : usable.length <= 8;
  refill(
    root,
    el("p", {}, `${nameOf(table.path)}: ${whole(table.rows)} rows`),
    el("label", { class: "row" }, el("span", {}, "target"), target),
    el("details", { open: isOpen, data: { path: table.path } }, el("summary", {}, `inputs: ${chosen.size} of ${usable.length}`), ...boxes),
  );
}

/** What becomes of a column that is an input.
 * @param {Column} column */
function aboutColumn({ name, kind, n_different, n_missing }) {
  const texts = n_different > 20 ? "Its most frequent texts are inputs." : `Each of its ${n_different} texts is an input.`;
  const becomes = { text: texts, date: "Its year, day and hour are inputs, as far as they vary.", truth: "False is 0, true is 1.", number: `Use ${name} as an input.`, other: "" }[kind];
  return n_missing ? `${becomes} ${whole(n_missing)} values are missing; an input says where.` : becomes;
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Files dropped anywhere on the page.
 * @param {(file: File) => void} take */
function takeDrops(take) {
  const page = document.documentElement;
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? page.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    page.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
