// A single line that invites to the first change, until one was made.

import { el } from "./dom.js";

/** @param {HTMLElement} root @param {import("./store.js").Store} store @param {string} text */
export function invitation(root, store, text) {
  const line = el("p", { class: "invitation" }, text);
  /** @type {any} */
  let first = null;
  root.append(line);
  store.on(["experiment", "run"], ({ experiment }) => {
    first ??= experiment;
    line.hidden = experiment !== first && JSON.stringify(experiment?.network) !== JSON.stringify(first?.network);
    line.hidden ||= experiment?.data.name !== "rings";
  });
}
