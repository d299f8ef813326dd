// Everything explains itself: a short text on hover and focus, and at once in the "?" mode.

import { el } from "./dom.js";

const WAIT_MS = 450;

/** @param {import("./store.js").Store} store */
export function mount(store) {
  const note = el("div", { id: "tip", role: "tooltip", hidden: true });
  document.body.append(note);
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let waiting;
  /** @param {Element} target */
  const show = (target) => {
    note.textContent = target.getAttribute("data-tip");
    note.hidden = false;
    place(note, target.getBoundingClientRect());
  };
  const hide = () => {
    clearTimeout(waiting);
    note.hidden = true;
  };
  /** @param {Event} event */
  const over = (event) => {
    const target = event.target instanceof Element && event.target.closest("[data-tip]");
    clearTimeout(waiting);
    if (!target) return hide();
    waiting = setTimeout(() => show(target), store.state.explaining ? 0 : WAIT_MS);
  };
  addEventListener("pointerover", (event) => event.pointerType === "touch" || over(event));
  addEventListener("focusin", (event) => {
    if (/** @type {Element} */ (event.target).matches(":focus-visible")) over(event);
  });
  addEventListener("focusout", hide);
  addEventListener("pointerdown", hide, true);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hide();
    store.set({ explaining: false });
  });
  addEventListener("click", (event) => explainInstead(event, store, show), true);
  store.on(["explaining"], ({ explaining }) =>
    document.documentElement.classList.toggle("explaining", explaining),
  );
}

/** In the "?" mode a click explains what it would otherwise do.
 * @param {MouseEvent} event @param {import("./store.js").Store} store @param {(target: Element) => void} show */
function explainInstead(event, store, show) {
  const target = event.target instanceof Element && event.target.closest("[data-tip]");
  if (!store.state.explaining || !target || target.id === "explain") return;
  event.preventDefault();
  event.stopPropagation();
  show(target);
}

/** Below its target, or above where there is no room; never beyond the window.
 * @param {HTMLElement} note @param {DOMRect} target */
function place(note, target) {
  const { width, height } = note.getBoundingClientRect();
  const left = Math.max(8, Math.min(innerWidth - width - 8, target.left + target.width / 2 - width / 2));
  const below = target.bottom + 8;
  note.style.left = `${left}px`;
  note.style.top = `${below + height < innerHeight - 8 ? below : Math.max(8, target.top - height - 8)}px`;
}
