// Three axes on a canvas, and what lies between them, to be turned.

import { Camera, extent } from "./camera.js";
import { colours } from "./colours.js";
import { drawCube } from "./cube.js";
import { drawHead, entriesOf, placeHead } from "./legend.js";
import { Painter } from "./painter.js";
import { Sheet } from "./sheet.js";
import { clippedPolygon, solids } from "./solids.js";
import { turnable } from "./turn.js";

/** @typedef {import("./cube.js").Axis} Axis */
/** @typedef {import("./solids.js").Mark} Mark */
/** @typedef {import("./solids.js").PolygonMark} PolygonMark */
/** @typedef {import("./camera.js").View} View */
/**
 * @typedef {{axes: Axis[], title?: string, legend?: boolean}} Options three axes: x, y and,
 *   upwards, z
 */

/** From where a scene is seen at first. @type {View} */
const FIRST_VIEW = { yaw: -0.62, pitch: 0.42, zoom: 1 };

// Pixels around the box, for labels.
const SIDES = 44;
const ABOVE = 22;
const BELOW = 40;

/** A scene that draws marks and can be turned; its view survives drawing. */
export class Scene {
  /**
   * @param {HTMLCanvasElement} canvas its CSS size comes from the stylesheet
   * @param {Options} options
   */
  constructor(canvas, options) {
    this.options = options;
    /** @type {View} */
    this.view = { ...FIRST_VIEW };
    /** @type {readonly Mark[]} */
    this.marks = [];
    /** @type {import("./solids.js").Solid[]} */
    this.solids = [];
    /** @type {import("./painter.js").Face[]} */
    this.faces = [];
    this.asked = 0;
    this.sheet = new Sheet(canvas, () => this.redraw());
    this.release = turnable(
      canvas,
      this.view,
      () => this.soon(),
      () => this.reset(),
    );
  }

  /** Changes axes, title or legend; `draw` shows it. @param {Partial<Options>} changed */
  set(changed) {
    this.options = { ...this.options, ...changed };
  }

  /** Clears the canvas and draws; the marks are kept and drawn again as the scene turns.
   * @param {readonly Mark[]} marks */
  draw(marks) {
    const { axes } = this.options;
    this.marks = marks;
    this.solids = marks.flatMap((mark) => (mark.kind === "polygon" ? [] : solids(mark, axes)));
    this.faces = marks
      .filter((mark) => mark.kind === "polygon")
      .map((mark) => ({ mark, places: clippedPolygon(mark, axes) }))
      .filter(({ places }) => places.length > 2);
    this.redraw();
  }

  /** Draws the last marks from where they are seen now. */
  redraw() {
    const { sheet, options, marks } = this;
    if (!sheet.clear()) return;
    const inks = colours.inks();
    const entries = options.legend === false ? [] : entriesOf(marks);
    const head = placeHead(sheet, sheet.width, { title: options.title, entries });
    this.camera = this.placed(head.height);
    drawCube(sheet, this.camera, options.axes, inks);
    new Painter(sheet, this.camera, this.solids, inks.paper).paint(this.faces);
    drawHead(sheet, head, 0, inks);
  }

  /** The camera, with the box in the middle of what is left under the head; it keeps its size as it
   * is turned to the sides. @param {number} head */
  placed(head) {
    const { width, height } = this.sheet;
    const { wide, above, below } = extent(this.view.pitch);
    const [top, tall] = [head + ABOVE, height - head - ABOVE - BELOW];
    const scale = Math.max(1, Math.min((width / 2 - SIDES) / wide, tall / (above + below)));
    const y = top + tall / 2 + ((above - below) / 2) * scale;
    return new Camera(this.view, { x: width / 2, y, scale });
  }

  /** Redraws once in the next frame. */
  soon() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.redraw();
    });
  }

  /** Sees the scene as at first. */
  reset() {
    Object.assign(this.view, FIRST_VIEW);
    this.soon();
  }

  /** Says what the picture shows to those who do not see it. @param {string} text */
  describe(text) {
    this.sheet.describe(text);
  }

  /** Stops following the canvas. */
  close() {
    this.release();
    this.sheet.close();
    cancelAnimationFrame(this.asked);
  }
}
