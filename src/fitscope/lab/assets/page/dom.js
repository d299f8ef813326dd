// Elements, numbers and times as the page writes them.

/** @typedef {Node|string|null|undefined|false} Child */

/**
 * An element with its properties and children. `class`, `tip` (the explanation shown on hover and
 * focus), `on` (listeners) and `data` are understood; the rest are attributes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name === "tip") explain(made, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === "data") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(.../** @type {(Node|string)[]} */ (children.filter((child) => child)));
  return made;
}

/** Gives an element the sentence that explains it.
 * @param {Element} element
 * @param {string} text */
export function explain(element, text) {
  element.setAttribute("data-tip", text);
  element.setAttribute("aria-description", text);
}

/** Puts new children in the place of an element's own; the control that has the focus, told by
 * its place among the controls, has it afterwards, too.
 * @param {Element} root
 * @param {...Child} children */
export function refill(root, ...children) {
  const controls = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("button, input, select")]);
  const focused = controls().findIndex((one) => one === document.activeElement);
  root.replaceChildren(.../** @type {(Node|string)[]} */ (children.filter((child) => child)));
  controls()[focused]?.focus({ preventScroll: true });
}

/** The heading of a panel, with a "?" that unfolds two sentences: what is seen, what to try.
 * @param {string} title
 * @param {string} help
 * @param {...Child} more what stands beside the heading
 * @returns {HTMLElement} */
export function head(title, help, ...more) {
  const text = el("p", { class: "help", hidden: true }, help);
  const ask = el(
    "button",
    { class: "ask", type: "button", "aria-label": `What is ${title}?`, "aria-expanded": "false" },
    "?",
  );
  ask.addEventListener("click", () => {
    text.hidden = !text.hidden;
    ask.setAttribute("aria-expanded", String(!text.hidden));
  });
  const line = el("div", { class: "head" }, el("h2", {}, title), ask, ...more);
  return el("div", {}, line, text);
}

const ICONS = /** @type {Record<string, string>} */ ({
  start: "M4 3v10M13 3 6 8l7 5z",
  back: "M11 3 5 8l6 5z",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  next: "M5 3l6 5-6 5z",
  end: "M12 3v10M3 3l7 5-7 5z",
  light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1M8 14v1M1 8h1M14 8h1M3 3l.7.7M12.3 12.3l.7.7M3 13l.7-.7M12.3 3.7l.7-.7",
  dark: "M13 10A6 6 0 0 1 6 3a5.5 5.5 0 1 0 7 7z",
  close: "M4 4l8 8M12 4l-8 8",
});

/** A small drawing in the text's colour.
 * @param {string} name */
export function icon(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" })) {
    made.setAttribute(key, value);
  }
  path.setAttribute("d", ICONS[name]);
  made.append(path);
  return made;
}

/** A sentence in which what stands between backticks is code.
 * @param {string} text
 * @returns {HTMLElement} */
export function prose(text) {
  const parts = text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
  return el("p", {}, ...parts);
}

/** A number as it is typed. Commas that group thousands go; another one is a decimal comma.
 * @param {string} text
 * @returns {number} NaN where it is none */
export function numberIn(text) {
  const typed = text.trim().replaceAll("−", "-");
  const isGrouped = /^-?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/.test(typed);
  return typed ? Number(isGrouped ? typed.replaceAll(",", "") : typed.replace(",", ".")) : NaN;
}

/** A whole number with separators.
 * @param {number} value */
export function whole(value) {
  return value.toLocaleString("en-US");
}

/** A number with four digits that matter; NaN and infinity in words.
 * @param {number|null|undefined} value
 * @param {number} [digits] */
export function shown(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "no number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(digits - 2).split("e");
    return `${mantissa}e${Number(exponent)}`;
  }
  return value.toPrecision(digits).includes("e")
    ? String(Math.round(value))
    : trimmed(value, digits);
}

/** @param {number} value @param {number} digits */
function trimmed(value, digits) {
  const size = Math.abs(value);
  const places = size >= 1 ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : digits;
  return value.toFixed(places);
}

/** Seconds in the unit that suits them.
 * @param {number} seconds */
export function duration(seconds) {
  if (seconds < 0.0995) return `${shown(seconds * 1000, 2)} ms`;
  return seconds < 60 ? `${shown(seconds, 3)} s` : `${shown(seconds / 60, 3)} min`;
}

/** Saves bytes or text as a file.
 * @param {BlobPart} content
 * @param {string} name
 * @param {string} type */
export function download(content, name, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
