// The link holds the whole experiment: opened elsewhere, it trains the same run, bit for bit.

import { VIEWS } from "./output.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").State} State */

const WAIT_MS = 300;

/** What the page's address asks for, or null.
 * @returns {Promise<{experiment: any, step: number|undefined, state: Partial<State>}|null>}
 * @throws {Error} one sentence, where the link is damaged */
export async function asked() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const letters = parts.get("e");
  if (!letters) return null;
  const experiment = await experimentIn(letters);
  const step = parts.has("step") ? Number(parts.get("step")) : undefined;
  const tab = parts.get("view") ?? "";
  return { experiment, step, state: Object.hasOwn(VIEWS, tab) ? { tab } : {} };
}

/** @param {string} letters @returns {Promise<any>} */
async function experimentIn(letters) {
  try {
    const experiment = JSON.parse(await unpacked(letters));
    if (["data", "network", "training"].every((part) => experiment[part])) return experiment;
  } catch {
    // said below
  }
  throw new Error("The link is damaged, so it cannot be shown; ask for it again.");
}

/** The address of an experiment, at a step and in a view where they are given.
 * @param {State} state @returns {Promise<string>} */
export async function linkTo({ run, row, tab }) {
  if (!run) return location.href;
  const parts = new URLSearchParams({ e: await packed(JSON.stringify(lean(run.experiment))) });
  if (tab !== "output") parts.set("view", tab);
  if (row !== run.t - 1) parts.set("step", String(run.steps[row]));
  return `${location.origin}${location.pathname}#${parts}`;
}

/** Keeps the address at what is shown, and shows what another address asks for.
 * @param {Store} store @param {import("./actions.js").Actions} actions */
export function keepLink(store, actions) {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let waiting;
  let own = location.hash;
  store.on(["run", "row", "tab"], () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const link = await linkTo(store.state);
      if (store.state.playing) return;
      history.replaceState(null, "", link);
      own = location.hash;
    }, WAIT_MS);
  });
  addEventListener("hashchange", async () => {
    if (location.hash === own) return;
    own = location.hash;
    try {
      const wanted = await asked();
      if (!wanted) return;
      const run = await actions.train(wanted.experiment, wanted.state);
      if (run && wanted.step !== undefined) actions.seekStep(wanted.step);
    } catch (error) {
      store.set({ error: /** @type {Error} */ (error).message });
    }
  });
}

/** The same experiment without what is not set.
 * @param {any} experiment */
function lean(experiment) {
  return JSON.parse(JSON.stringify(experiment, (_, value) => (value === null ? undefined : value)));
}

/** Text, deflated, in letters that an address takes.
 * @param {string} text */
async function packed(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} letters */
async function unpacked(letters) {
  const binary = atob(letters.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw")));
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {CompressionStream|DecompressionStream} stream */
async function through(bytes, stream) {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
