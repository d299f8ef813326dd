// What a chart can draw, each mark by its kind.

import { contourLines } from "./contour.js";
import { stamp } from "./markers.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./axes.js").Box} Box */
/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("./colours.js").Inks} Inks */
/** @typedef {ArrayLike<number>} Numbers */
/**
 * @typedef {{kind: "image", image: ImageData, x: Numbers, y: Numbers, smooth?: boolean,
 *   alpha?: number, name?: undefined}} ImageMark
 *   `x` and `y` are where its outermost pixels have their middles, as a field's are
 */
/**
 * @typedef {{kind: "line", x: Numbers, y: Numbers, colour: string, width?: number,
 *   dash?: number[], alpha?: number, halo?: string, name?: string}} LineMark
 */
/**
 * @typedef {{kind: "points", x: Numbers, y: Numbers, colour: string|string[], marker?: string,
 *   size?: number, hollow?: boolean, fill?: string, edge?: string|null, alpha?: number,
 *   name?: string}} PointsMark
 *   `edge` is the ground's colour by default, so that points stand apart; `colour` may be one a
 *   point
 */
/**
 * @typedef {{kind: "area", x: Numbers, low: Numbers, high: Numbers, colour: string,
 *   alpha?: number, name?: string}} AreaMark
 */
/**
 * @typedef {{kind: "rule", x?: number, y?: number, colour: string, width?: number,
 *   dash?: number[], alpha?: number, label?: string, name?: string}} RuleMark
 */
/**
 * @typedef {{kind: "bars", x: Numbers, height: Numbers, base?: Numbers, width: number,
 *   colour: string, alpha?: number, name?: string}} BarsMark
 *   `x` are their middles, `base` is where they stand: on 0 by default
 */
/**
 * @typedef {{kind: "text", x: number, y: number, text: string, align?: CanvasTextAlign,
 *   colour: string, dx?: number, dy?: number, size?: number, halo?: string,
 *   name?: undefined}} TextMark
 *   `dx` and `dy` move it by CSS pixels
 */
/**
 * @typedef {{kind: "contour", levels: Numbers, xs: Numbers, ys: Numbers, values: Numbers,
 *   colour: string, width?: number, dash?: number[], alpha?: number, name?: string}} ContourMark
 */
/** @typedef {ImageMark|LineMark|PointsMark|AreaMark|RuleMark|BarsMark|TextMark|ContourMark} Mark */
/**
 * @typedef {{sheet: Sheet, box: Box, x: Scale, y: Scale, inks: Inks, ground: string}} Place
 *   `ground` is the colour that lies under the marks
 */

const FAR = 1e5; // pixels; canvases lose their way beyond
const CROWDED = 2; // points a pixel

/** @type {{[K in Mark["kind"]]: (place: Place, mark: Extract<Mark, {kind: K}>) => void}} */
const DRAW = {
  image: drawImage,
  line: drawLine,
  points: drawPoints,
  area: drawArea,
  rule: drawRule,
  bars: drawBars,
  text: drawText,
  contour: drawContour,
};

/** Draws one mark; what lies beyond the box is left out. @param {Place} place @param {Mark} mark */
export function drawMark(place, mark) {
  const { ctx } = place.sheet;
  ctx.globalAlpha = ("alpha" in mark ? mark.alpha : undefined) ?? 1;
  /** @type {any} */ (DRAW)[mark.kind](place, mark);
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

/** @type {OffscreenCanvas|null} */
let plate = null;

/** @param {ImageData} image */
function onPlate(image) {
  if (!plate || plate.width !== image.width || plate.height !== image.height) {
    plate = new OffscreenCanvas(image.width, image.height);
  }
  const ctx = /** @type {OffscreenCanvasRenderingContext2D} */ (plate.getContext("2d"));
  ctx.putImageData(image, 0, 0);
  return plate;
}

/** @param {Place} place @param {ImageMark} mark */
function drawImage({ sheet, x, y }, { image, smooth = true, ...ends }) {
  const [left, right] = [x.pixel(ends.x[0]), x.pixel(ends.x[1])];
  const [bottom, top] = [y.pixel(ends.y[0]), y.pixel(ends.y[1])];
  if (![left, right, bottom, top].every(Number.isFinite)) return;
  const { ctx } = sheet;
  const [wide, tall] = [image.width > 1 ? 0.5 : 0, image.height > 1 ? 0.5 : 0];
  const [w, h] = [image.width - 2 * wide, image.height - 2 * tall];
  ctx.imageSmoothingEnabled = smooth;
  const edge = (/** @type {number} */ v) => Math.round(v * sheet.ratio) / sheet.ratio;
  const [l, t] = [edge(left), edge(top)];
  ctx.drawImage(onPlate(image), wide, tall, w, h, l, t, edge(right) - l, edge(bottom) - t);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {{colour: string, width?: number, dash?: number[]}} look
 */
function pen(ctx, { colour, width = 1.5, dash = [] }) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.lineCap = dash.length ? "butt" : "round";
  ctx.setLineDash(dash);
}

/** @param {Place} place @param {LineMark} mark */
function drawLine({ sheet, x, y }, mark) {
  const { ctx } = sheet;
  const [px, py] = [x.pixels(mark.x), y.pixels(mark.y)];
  const crowded = px.length > CROWDED * (x.high - x.low);
  ctx.beginPath();
  if (crowded) traceThinned(ctx, px, py);
  else traceLine(ctx, px, py);
  if (mark.halo) {
    pen(ctx, { ...mark, colour: mark.halo, width: (mark.width ?? 1.5) + 2.5, dash: [] });
    ctx.stroke();
  }
  pen(ctx, mark);
  if (crowded) ctx.lineJoin = "bevel";
  ctx.stroke();
}

/** @param {number} value */
function near(value) {
  return value > FAR ? FAR : value < -FAR ? -FAR : value;
}

/** @param {CanvasRenderingContext2D} ctx @param {Numbers} px @param {Numbers} py */
function traceLine(ctx, px, py) {
  let down = false;
  const n = Math.min(px.length, py.length);
  for (let i = 0; i < n; i++) {
    const [x, y] = [near(px[i]), near(py[i])];
    if (!(x === x && y === y)) down = false;
    else if (down) ctx.lineTo(x, y);
    else {
      ctx.moveTo(x, y);
      down = true;
    }
  }
}

/** Of neighbours in one column of pixels, the first, lowest, highest and last.
 * @param {CanvasRenderingContext2D} ctx @param {Numbers} px @param {Numbers} py */
function traceThinned(ctx, px, py) {
  const n = Math.min(px.length, py.length);
  let i = 0;
  let down = false;
  while (i < n) {
    const x = near(px[i]);
    let [y, low, high] = [near(py[i]), near(py[i]), near(py[i])];
    if (!(x === x && y === y)) {
      down = false;
      i++;
      continue;
    }
    if (down) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    down = true;
    const column = Math.floor(x);
    const first = i++;
    for (; i < n && Math.floor(px[i]) === column && py[i] === py[i]; i++) {
      y = near(py[i]);
      if (y < low) low = y;
      if (y > high) high = y;
    }
    if (i === first + 1) continue;
    ctx.lineTo(x, low);
    ctx.lineTo(x, high);
    ctx.lineTo(near(px[i - 1]), y);
  }
}

/** @param {Place} place @param {PointsMark} mark */
function drawPoints({ sheet, x, y, ground }, mark) {
  const { ctx, ratio } = sheet;
  const [px, py] = [x.pixels(mark.x), y.pixels(mark.y)];
  const n = Math.min(px.length, py.length);
  const many = typeof mark.colour === "string" ? null : mark.colour;
  const look = {
    ...mark,
    colour: many ? "" : String(mark.colour),
    edge: mark.edge === undefined ? ground : mark.edge,
  };
  let one = many ? null : stamp(look, ratio);
  const slack = 0.5;
  ctx.imageSmoothingEnabled = false; // stamps lie on whole pixels
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  for (let i = 0; i < n; i++) {
    const [at, up] = [px[i], py[i]];
    if (!(
      at >= x.low - slack &&
      at <= x.high + slack &&
      up >= y.low - slack &&
      up <= y.high + slack
    ))
      continue;
    if (many) one = stamp({ ...look, colour: many[i] }, ratio);
    const { image, half } = /** @type {import("./markers.js").Stamp} */ (one);
    ctx.drawImage(image, Math.floor(at * ratio) - half, Math.floor(up * ratio) - half);
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
}

/** @param {Place} place @param {AreaMark} mark */
function drawArea({ sheet, x, y }, mark) {
  const { ctx } = sheet;
  const [px, low, high] = [x.pixels(mark.x), y.pixels(mark.low), y.pixels(mark.high)];
  const n = Math.min(px.length, low.length, high.length);
  const whole = (/** @type {number} */ i) => Number.isFinite(px[i] + low[i] + high[i]);
  ctx.beginPath();
  for (let from = 0; from < n;) {
    let to = from;
    while (to < n && whole(to)) to++;
    for (let i = from; i < to; i++) ctx.lineTo(near(px[i]), near(high[i]));
    for (let i = to - 1; i >= from; i--) ctx.lineTo(near(px[i]), near(low[i]));
    if (to > from) ctx.closePath();
    from = to + 1;
    if (from < n && whole(from)) ctx.moveTo(near(px[from]), near(high[from]));
  }
  ctx.globalAlpha = mark.alpha ?? 0.2;
  ctx.fillStyle = mark.colour;
  ctx.fill();
}

/** @param {Place} place @param {RuleMark} mark */
function drawRule({ sheet, box, x, y, inks, ground }, mark) {
  const { ctx } = sheet;
  const across = mark.x === undefined;
  const at = across ? y.pixel(mark.y ?? Number.NaN) : x.pixel(/** @type {number} */ (mark.x));
  const [low, high] = across ? [y.low, y.high] : [x.low, x.high];
  if (!(at >= low - 0.5 && at <= high + 0.5)) return;
  const place = sheet.crisp(at);
  pen(ctx, { ...mark, width: mark.width ?? 1 });
  ctx.lineCap = "butt";
  ctx.beginPath();
  ctx.moveTo(across ? box.left : place, across ? place : box.top);
  ctx.lineTo(across ? box.left + box.width : place, across ? place : box.top + box.height);
  ctx.stroke();
  if (mark.label) labelRule({ sheet, box, inks, ground }, mark.label, place, across);
}

/** @param {Pick<Place, "sheet"|"box"|"inks"|"ground">} where @param {string} label
 * @param {number} place @param {boolean} across */
function labelRule({ sheet, box, inks, ground }, label, place, across) {
  const { ctx } = sheet;
  const right = box.left + box.width;
  ctx.font = sheet.font(12);
  const turned = across || place + 6 + ctx.measureText(label).width > right;
  ctx.textAlign = turned ? "right" : "left";
  ctx.textBaseline = across ? "bottom" : "top";
  const low = place - 3 < box.top + 12; // no room above a level rule
  const [x, y] = across
    ? [right - 2, low ? place + 15 : place - 3]
    : [turned ? place - 6 : place + 6, box.top + 2];
  written(ctx, label, x, y, inks.ink, ground);
}

/** A text with a halo of its ground, to be read on lines. @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} colour
 * @param {string} halo
 */
function written(ctx, text, x, y, colour, halo) {
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.lineWidth = 4;
  ctx.strokeStyle = halo;
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.85;
  ctx.strokeText(text, x, y);
  ctx.globalAlpha = 1;
  ctx.fillText(text, x, y);
}

/** @param {Place} place @param {BarsMark} mark */
function drawBars({ sheet, x, y }, mark) {
  const { ctx, ratio } = sheet;
  const edge = (/** @type {number} */ v) => Math.round(near(v) * ratio) / ratio;
  const floor = y.kind === "log" ? Math.min(...y.range) : 0;
  const gap = 1 / ratio;
  ctx.beginPath();
  for (let i = 0; i < Math.min(mark.x.length, mark.height.length); i++) {
    const base = mark.base?.[i] ?? floor;
    const left = edge(x.pixel(mark.x[i] - mark.width / 2));
    const right = edge(x.pixel(mark.x[i] + mark.width / 2));
    const [from, to] = [edge(y.pixel(base)), edge(y.pixel(base + mark.height[i]))];
    if (!Number.isFinite(left + right + from + to)) continue;
    ctx.rect(left, from, Math.max(right - left - gap, gap), to - from);
  }
  ctx.fillStyle = mark.colour;
  ctx.fill();
}

/** @param {Place} place @param {TextMark} mark */
function drawText({ sheet, x, y, ground }, mark) {
  const [at, up] = [x.pixel(mark.x) + (mark.dx ?? 0), y.pixel(mark.y) + (mark.dy ?? 0)];
  if (!Number.isFinite(at + up)) return;
  sheet.ctx.font = sheet.font(mark.size ?? 12);
  sheet.ctx.textAlign = mark.align ?? "left";
  sheet.ctx.textBaseline = "middle";
  written(sheet.ctx, mark.text, at, up, mark.colour, mark.halo ?? ground);
}

/** @param {Place} place @param {ContourMark} mark */
function drawContour({ sheet, x, y }, mark) {
  const { ctx } = sheet;
  ctx.beginPath();
  for (let i = 0; i < mark.levels.length; i++) {
    for (const line of contourLines(mark.xs, mark.ys, mark.values, mark.levels[i])) {
      traceLine(ctx, x.pixels(line.x), y.pixels(line.y));
    }
  }
  pen(ctx, { ...mark, width: mark.width ?? 1 });
  ctx.stroke();
}
