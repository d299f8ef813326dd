// On a narrow page data and network are sheets that slide up from the time bar.

import { el } from "./dom.js";

const SHEETS = [
  ["data", "Data"],
  ["network", "Network"],
];

/** @param {import("./store.js").Store} store */
export function mount(store) {
  const time = /** @type {HTMLElement} */ (document.getElementById("time"));
  const { mode } = store.state;
  const buttons = SHEETS.map(([id, name]) => {
    const sheet = /** @type {HTMLElement} */ (document.getElementById(id));
    const label = id === "data" && mode === "replay" ? "Run" : name;
    const button = el("button", { type: "button", "aria-expanded": "false", "aria-controls": id }, label);
    button.addEventListener("click", () => open(sheet.classList.contains("open") ? null : sheet));
    return button;
  });
  /** @param {HTMLElement|null} sheet */
  const open = (sheet) => {
    SHEETS.forEach(([id], i) => {
      const one = /** @type {HTMLElement} */ (document.getElementById(id));
      one.classList.toggle("open", one === sheet);
      buttons[i].setAttribute("aria-expanded", String(one === sheet));
    });
    if (sheet) sheet.scrollTop = 0;
  };
  addEventListener("keydown", (event) => event.key === "Escape" && open(null));
  document.getElementById("output")?.addEventListener("pointerdown", () => open(null));
  time.prepend(el("nav", { class: "sheets", "aria-label": "Sheets" }, ...buttons));
}
