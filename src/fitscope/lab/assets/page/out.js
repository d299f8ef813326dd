// What can be taken out of the page: the link, the code, the run, pictures.

import { colours } from "../draw/colours.js";
import { bytesOf } from "../model/run.js";
import { answered, ask, found, post } from "./api.js";
import { download, el, icon, shown } from "./dom.js";
import { linkTo } from "./link.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {import("../model/run.js").Run} Run */

// Which of Python's pictures stands for a tab; the rest have none, or need more than a run.
const PICTURES = /** @type {Record<string, string>} */ ({
  surface: "loss_surface",
  hidden: "hidden_space",
  parameters: "parameter_paths",
  metrics: "metrics",
  compare: "loss_curves",
  basin: "basin_map",
});
const CODE = [
  ["pytorch", "PyTorch", "py"],
  ["python", "fitscope", "py"],
  ["toml", "TOML", "toml"],
  ["command", "Command", "sh"],
];

/** @param {HTMLElement} root @param {Store} store @param {Actions|null} actions */
export function mount(root, store, actions) {
  const code = codeDialog(store, actions !== null);
  const share = actions && shareButton(store);
  const button = el("button", { type: "button", tip: "The same training as a PyTorch script, as fitscope Python, as TOML, as a command.", on: { click: () => code.open() } }, "Code");
  root.append(...[share, button, exportMenu(store, actions)].filter((one) => one !== null));
}

/** @param {Store} store */
function shareButton(store) {
  const button = el("button", { type: "button", tip: "Copies a link that holds the whole experiment; opened elsewhere it trains the same run, bit for bit." }, "Share");
  button.addEventListener("click", async () => {
    const link = await linkTo(store.state);
    const told = (await copied(link)) ? "Link copied" : "It is in the address bar";
    if (store.state.run?.experiment.data.path) store.set({ error: "The link names your table and does not hold it: whoever opens it needs the file, too." });
    tell(button, told);
  });
  return button;
}

/** @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the browser allows it to no page, or not to this one
  }
}

/** A button says what it did, for a moment.
 * @param {HTMLElement} button @param {string} text */
function tell(button, text) {
  const before = button.dataset.text ?? button.textContent ?? "";
  button.dataset.text = before;
  button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = text;
  setTimeout(() => (button.textContent = before), 1600);
}

/** @param {Store} store @param {boolean} isLab */
function codeDialog(store, isLab) {
  const text = el("pre", { tabindex: "0" });
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Kind of code" });
  const copy = el("button", { type: "button", on: { click: async () => tell(copy, (await copied(text.textContent ?? "")) ? "Copied" : "Mark it and copy") } }, "Copy");
  const save = el("button", { type: "button" }, "Save as file");
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, icon("close"));
  const dialog = el("dialog", { class: "code", "aria-label": "Code" }, el("div", { class: "head" }, el("h2", {}, "The same run as code"), close), tabs, text, el("p", { class: "buttons" }, copy, save));
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  const open = async () => {
    dialog.showModal();
    text.textContent = "One moment …";
    const { run, boot } = store.state;
    try {
      const found_ = run && isLab ? await answered("/api/code", asShown(run)) : boot.code;
      const known = CODE.filter(([name]) => found_[name]);
      /** @param {string[]} kind */
      const choose = ([name, , suffix]) => {
        text.textContent = found_[name];
        save.onclick = () => download(found_[name], `fitscope.${suffix}`, "text/plain");
        for (const [i, button] of [...tabs.children].entries()) button.setAttribute("aria-pressed", String(known[i][0] === name));
      };
      tabs.replaceChildren(...known.map((kind) => el("button", { type: "button", on: { click: () => choose(kind) } }, kind[1])));
      choose(known[0]);
    } catch (error) {
      text.textContent = /** @type {Error} */ (error).message;
    }
  };
  return { open };
}

/** @param {Store} store @param {Actions|null} actions */
function exportMenu(store, actions) {
  const list = el("div", { class: "menu" });
  const menu = el("details", { class: "export" }, el("summary", { tip: "Takes the run or its pictures along as files." }, "Export"), list);
  /** @param {string} text @param {string} about @param {() => (Promise<void>|void)} act */
  const item = (text, about, act) => {
    const button = el("button", { type: "button" }, el("b", {}, text), el("span", {}, about));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await act();
        menu.open = false;
      } catch (error) {
        store.set({ error: /** @type {Error} */ (error).message });
      } finally {
        button.disabled = false;
      }
    });
    return button;
  };
  list.append(item("Picture as seen", "PNG of what is on the page", () => savePage(store)));
  if (actions) {
    list.append(
      item("Run file", "safetensors, everything recorded", () => saveRun(store)),
      item("Replay", "one HTML file, works without fitscope", () => fetched(store, "html")),
      item("Picture", "PNG, drawn by matplotlib", () => fetched(store, "png")),
      item("Picture", "SVG, to scale and edit", () => fetched(store, "svg")),
      item("Film", "GIF of the training", () => fetched(store, "gif")),
      item("Keep in the workspace", "for another day", () => keepRun(store)),
    );
    const kept = el("div", { class: "kept" });
    list.append(kept);
    menu.addEventListener("toggle", () => menu.open && showKept(kept, store, actions));
  } else list.append(item("Run file", "safetensors, for fitscope", () => saveRun(store)));
  addEventListener("pointerdown", (event) => {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  return menu;
}

/** @param {Store} store */
function nameOf(store) {
  const { run } = store.state;
  return (run?.experiment.title || run?.experiment.data.name || "run").replace(/[^\w-]+/g, "-").toLowerCase();
}

/** The experiment whose training is the run as it is shown: the server trains it again, and where
 * the first training was stopped it would go on.
 * @param {Run} run */
function asShown({ experiment, outcome, trainLoss }) {
  if (outcome !== "INTERRUPTED") return experiment;
  return { ...experiment, training: { ...experiment.training, epochs: Math.max(1, trainLoss.length - 1) } };
}

/** The largest picture of the open tab, as it is.
 * @param {Store} store */
async function savePage(store) {
  const pictures = /** @type {NodeListOf<HTMLCanvasElement>} */ (document.querySelectorAll("#view .view:not([hidden]) canvas"));
  const [largest] = [...pictures].filter(({ clientWidth }) => clientWidth).sort((a, b) => b.width * b.height - a.width * a.height);
  const blob = largest && (await new Promise((done) => flattened(largest).toBlob(done)));
  if (!blob) throw new Error("There is no picture in this tab.");
  download(/** @type {Blob} */ (blob), `${nameOf(store)}-${store.state.tab}.png`, "image/png");
}

/** A picture with all its layers, on the ground of the page.
 * @param {HTMLCanvasElement} canvas */
function flattened(canvas) {
  const stage = canvas.closest(".stage");
  const layers = stage ? [...stage.querySelectorAll("canvas")] : [canvas];
  const [box, ratio] = [(stage ?? canvas).getBoundingClientRect(), canvas.width / canvas.clientWidth];
  const made = el("canvas", { width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) });
  const context = /** @type {CanvasRenderingContext2D} */ (made.getContext("2d"));
  context.fillStyle = colours.inks().paper;
  context.fillRect(0, 0, made.width, made.height);
  for (const layer of layers) {
    const { left, top } = layer.getBoundingClientRect();
    if (layer.width) context.drawImage(layer, Math.round((left - box.left) * ratio), Math.round((top - box.top) * ratio));
  }
  return made;
}

/** The run file with its samples: they were left out where the page had them.
 * @param {Store} store */
async function saveRun(store) {
  const { run, mode } = store.state;
  if (!run) return;
  const bytes = mode === "lab" ? await (await post("/api/run?data=true", asShown(run))).arrayBuffer() : bytesOf(run);
  download(bytes, `${nameOf(store)}.safetensors`, "application/octet-stream");
}

/** @param {Store} store @param {"html"|"png"|"svg"|"gif"} to */
async function fetched(store, to) {
  const { run, row, tab, theme } = store.state;
  if (!run) return;
  const answers = run.dataset.d > 1 ? "decision_field" : "response_curve";
  const view = to === "gif" ? answers : PICTURES[tab] ?? answers;
  const options = new URLSearchParams({ to, view, theme });
  if (to === "png" || to === "svg") options.set("step", String(run.steps[row]));
  const answer = await post(`/api/export?${options}`, asShown(run));
  download(await answer.blob(), `${nameOf(store)}${to === "html" ? "" : `-${view}`}.${to}`, answer.headers.get("Content-Type") ?? "");
}

/** @param {Store} store */
async function keepRun(store) {
  const { run } = store.state;
  if (!run) return;
  const name = `${nameOf(store)}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  await ask(`/api/runs/${name}`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asShown(run)) });
}

/** The runs that are kept; a click opens one.
 * @param {HTMLElement} root @param {Store} store @param {Actions} actions */
async function showKept(root, store, actions) {
  const runs = await found("/api/runs").catch(() => ({ runs: [] }));
  const items = (runs.runs ?? runs).map((/** @type {any} */ kept) => {
    const open = el("button", { type: "button" }, el("b", {}, kept.title || kept.name), el("span", {}, `${kept.shape ?? ""} loss ${shown(kept.loss)}`));
    open.addEventListener("click", async () => {
      try {
        actions.open(await (await ask(`/api/runs/${encodeURIComponent(kept.name)}`)).arrayBuffer());
      } catch (error) {
        store.set({ error: /** @type {Error} */ (error).message });
      }
    });
    return open;
  });
  root.replaceChildren(...(items.length ? [el("h3", {}, "Kept"), ...items] : []));
}
