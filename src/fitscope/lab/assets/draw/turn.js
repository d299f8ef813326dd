// Turning and zooming by pointer, wheel, fingers and keys.

/** @typedef {import("./camera.js").View} View */

const BY_PIXEL = 0.008; // radians
const BY_KEY = Math.PI / 36;
const STEEPEST = Math.PI / 2;
const [SMALLEST, LARGEST] = [0.5, 4];

/** @param {View} view @param {number} yaw @param {number} pitch */
function turn(view, yaw, pitch) {
  view.yaw = (view.yaw + yaw) % (2 * Math.PI);
  view.pitch = Math.max(-STEEPEST, Math.min(STEEPEST, view.pitch + pitch));
}

/** @param {View} view @param {number} factor */
function zoom(view, factor) {
  view.zoom = Math.max(SMALLEST, Math.min(LARGEST, view.zoom * factor));
}

/** @type {Record<string, (view: View) => void>} */
const KEYS = {
  ArrowLeft: (view) => turn(view, -BY_KEY, 0),
  ArrowRight: (view) => turn(view, BY_KEY, 0),
  ArrowUp: (view) => turn(view, 0, BY_KEY),
  ArrowDown: (view) => turn(view, 0, -BY_KEY),
  "+": (view) => zoom(view, 1.1),
  "=": (view) => zoom(view, 1.1),
  "-": (view) => zoom(view, 1 / 1.1),
};

/**
 * Lets a view follow the pointer on a canvas, its wheel, two fingers and the keys.
 * @param {HTMLCanvasElement} canvas
 * @param {View} view changed in place
 * @param {() => void} changed
 * @param {() => void} reset
 * @returns {() => void} ends it
 */
export function turnable(canvas, view, changed, reset) {
  const ended = new AbortController();
  const { signal } = ended;
  canvas.tabIndex = 0;
  canvas.style.cursor = "grab";
  canvas.style.touchAction = "none"; // else the browser takes a finger's drag for scrolling
  listenToPointers(canvas, view, changed, signal);
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    zoom(view, Math.exp(-event.deltaY * (event.deltaMode ? 0.03 : 0.0012)));
    changed();
  };
  canvas.addEventListener("wheel", wheel, { passive: false, signal });
  const key = (/** @type {KeyboardEvent} */ event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // the page steps through time by the same keys
    act(view);
    changed();
  };
  canvas.addEventListener("keydown", key, { signal });
  canvas.addEventListener("dblclick", reset, { signal });
  return () => ended.abort();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {View} view
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
function listenToPointers(canvas, view, changed, signal) {
  /** @type {Map<number, {x: number, y: number}>} */
  const held = new Map();
  const apart = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a.x - b.x, a.y - b.y) || 1;
  };
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.style.cursor = "grabbing";
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const from = held.get(event.pointerId);
    if (!from) return;
    const to = { x: event.clientX, y: event.clientY };
    const before = held.size === 2 ? apart() : 0;
    held.set(event.pointerId, to);
    if (held.size === 1) turn(view, (from.x - to.x) * BY_PIXEL * -1, (to.y - from.y) * BY_PIXEL);
    else if (held.size === 2) zoom(view, apart() / before);
    changed();
  };
  const up = (/** @type {PointerEvent} */ event) => {
    held.delete(event.pointerId);
    if (!held.size) canvas.style.cursor = "grab";
  };
  canvas.addEventListener("pointerdown", down, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", up, { signal });
  canvas.addEventListener("pointercancel", up, { signal });
}
