// What tests/test_lab_draw.py asks of the lab's drawing modules.

import { Chart } from "/draw/chart.js";
import { colours, rgb, setMode, setTheme } from "/draw/colours.js";
import { contourLines } from "/draw/contour.js";
import { fieldImage, unitImage } from "/draw/field.js";
import { Scene } from "/draw/scene.js";
import { ticks } from "/draw/ticks.js";

const bare = { bare: true, x: { range: [0, 10] }, y: { range: [0, 10] } };

/** An empty page in light colours. */
export function start(theme) {
  setTheme(theme);
  setMode("light");
  document.body.replaceChildren();
}

function canvas(width = 300, height = 200) {
  const made = document.createElement("canvas");
  made.style.cssText = `display: block; width: ${width}px; height: ${height}px`;
  document.body.append(made);
  return made;
}

const at = (made, x, y) => [...made.getContext("2d").getImageData(x, y, 1, 1).data];

/** How many pixels have a colour, nearly. */
function count(made, colour) {
  const { data } = made.getContext("2d").getImageData(0, 0, made.width, made.height);
  const wanted = rgb(colour);
  let n = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200 && wanted.every((part, c) => Math.abs(part - data[i + c]) < 12)) n++;
  }
  return n;
}

/** After the page has been laid out and painted. */
const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/** Two training targets, 0 and 4, and one of the test part. */
const runOf = (task) => ({ dataset: { task, y: Float64Array.of(0, 4, 99), nTrain: 2 } });

/** A row of three pixels' colours. */
const three = ({ data }) => [0, 4, 8].map((i) => [...data.slice(i, i + 3)]);

/** The field of a single input at three places. */
const rowOf = (task, out) =>
  three(fieldImage(runOf(task), { side: 3, ys: null, pass: { out } }, null));

function turned() {
  const made = canvas(300, 300);
  const axes = ["a", "b", "c"].map((label) => ({ label, range: [-1, 1] }));
  const scene = new Scene(made, { axes });
  const key = (name) =>
    made.dispatchEvent(
      new KeyboardEvent("keydown", { key: name, cancelable: true, bubbles: true }),
    );
  return { made, scene, key };
}

export function roundTicks({ low, high }) {
  return ticks([low, high], "linear", 6);
}

export function writtenTicks() {
  return [
    [-1, 1],
    [0, 20000],
    [0, 0.3],
    [0, 4e-6],
  ].map((r) => ticks(r, "linear", 4).labels);
}

export function decades() {
  return [
    ticks([0.003, 2], "log", 6),
    ticks([1, 10000], "log", 6),
    ticks([1e-12, 1], "log", 4),
    ticks([0, 10000], "log1p", 8),
  ];
}

export function thereAndBack({ scale }) {
  const chart = new Chart(canvas(), { x: { scale, range: [0.01, 300] }, y: { range: [-2, 7] } });
  return [
    [0.01, -2],
    [3, 0],
    [299, 6.5],
  ].map(([x, y]) => [x, y, ...chart.toData(...chart.toPixel(x, y))]);
}

export function equalScales() {
  const chart = new Chart(canvas(500, 200), {
    equal: true,
    x: { range: [0, 4] },
    y: { range: [0, 2] },
  });
  const [[a, b], [c, d]] = [chart.toPixel(0, 0), chart.toPixel(1, 1)];
  return [c - a, b - d, chart.layout.box];
}

export function labelled({ width }) {
  const names = ["training loss", "test loss", "the run before the last change", "noise"];
  const marks = names.map((name) => ({
    kind: "line",
    x: [0, 1],
    y: [0, 1],
    colour: "#123456",
    name,
  }));
  const made = canvas(width, 240);
  const chart = new Chart(made, {
    x: { label: "x", range: [0, 1e6] },
    y: { label: "loss", range: [0, 123456] },
  });
  chart.draw(marks);
  const { box, head } = chart.layout;
  const edge = Math.max(
    ...[0, 1].flatMap((x) => Array.from({ length: 240 }, (_, y) => at(made, x, y)[3])),
  );
  return [box, head.height, head.placed.map(({ y }) => y), head.width, edge];
}

export function manyNames({ names }) {
  const chart = new Chart(canvas(390, 320), { x: { range: [0, 1] }, y: { range: [0, 1] } });
  chart.draw(names.map((name) => ({ kind: "points", x: [0.5], y: [0.5], colour: "#123456", name })));
  const { box, head } = chart.layout;
  return [head.placed.map(({ text }) => text), box.height];
}

export function brokenLine() {
  const made = canvas(100, 100);
  new Chart(made, bare).draw([
    { kind: "line", x: [0, 4, 5, 6, 10], y: [5, 5, NaN, 5, 5], colour: "#ff0000", width: 4 },
  ]);
  return [20, 50, 80].map((x) => at(made, x, 50)[3]);
}

export function crowdedLine() {
  const n = 20000;
  const x = Float64Array.from({ length: n }, (_, i) => (10 * i) / n);
  const y = new Float64Array(n).fill(5);
  y[7000] = 9.5;
  y[13001] = 0.5;
  const made = canvas(100, 100);
  new Chart(made, bare).draw([{ kind: "line", x, y, colour: "#ff0000", width: 2 }]);
  return [
    [35, 10],
    [65, 90],
    [50, 10],
  ].map(([px, py]) => at(made, px, py)[3]);
}

export function beyond() {
  const made = canvas(300, 200);
  const chart = new Chart(made, { x: { range: [0, 10] }, y: { range: [0, 10] }, legend: false });
  const colour = "#ff0000";
  chart.draw([{ kind: "points", x: [11, -1, 5], y: [5, 5, 11], colour, size: 12 }]);
  const outside = count(made, colour);
  chart.draw([{ kind: "points", x: [10], y: [5], colour, size: 12 }]);
  const whole = count(made, colour);
  chart.draw([{ kind: "points", x: [5], y: [5], colour, size: 12 }]);
  const same = count(made, colour);
  chart.draw([{ kind: "line", x: [-5, 20], y: [5, 5], colour, width: 6 }]);
  const { left, width, top, height } = chart.layout.box;
  const y = Math.round(top + height / 2);
  return [
    outside,
    whole,
    same,
    at(made, Math.floor(left) - 4, y)[0] > 250,
    at(made, Math.floor(left + width / 2), y)[0] > 250,
  ];
}

export function everyMark() {
  const [c, x, y] = ["#ff0000", [1, 5, 9], [2, 8, 3]];
  const grid = { xs: [0, 5, 10], ys: [0, 10], values: [0, 1, 2, 0, 1, 2] };
  const image = new ImageData(2, 2);
  image.data.fill(255);
  for (const i of [1, 2, 5, 6, 9, 10, 13, 14]) image.data[i] = 0;
  const marks = [
    { kind: "image", image, x: [0, 10], y: [0, 10] },
    { kind: "line", x, y, colour: c, width: 3 },
    { kind: "line", x, y, colour: "#000000", width: 1, halo: c },
    { kind: "points", x, y, colour: c, size: 9 },
    { kind: "points", x, y, colour: [c, c, c], size: 9 },
    { kind: "points", x, y, colour: c, hollow: true, size: 14 },
    { kind: "rule", x: 5, colour: c, width: 3 },
    { kind: "area", x, low: [0, 0, 0], high: y, colour: c, alpha: 1 },
    { kind: "rule", y: 5, colour: c, width: 3 },
    { kind: "bars", x, height: y, width: 1, colour: c },
    { kind: "text", x: 5, y: 5, text: "■■■", colour: c },
    { kind: "contour", levels: [0.5, 1.5], ...grid, colour: c, width: 3 },
  ];
  const made = canvas(200, 200);
  const chart = new Chart(made, bare);
  return marks.map((mark) => {
    chart.draw([mark]);
    return count(made, c);
  });
}

export function oddInputs({ size }) {
  const ranges = [
    [0, 0],
    [NaN, 1],
    [-1, 1],
    [1, -1],
    [0, Infinity],
    [-Infinity, Infinity],
    [-1e308, 1e308],
    [1e-320, 1e-319],
    [-5, -5],
  ];
  const lists = [[], [NaN], [NaN, 1, Infinity], [-Infinity, 1e308, -1e308], [1, 2, 3]];
  let n = 0;
  for (const range of ranges) {
    for (const scale of ["linear", "log", "log1p"]) {
      const chart = new Chart(canvas(...size), {
        x: { label: "x", scale, range },
        y: { label: "y", scale, range },
      });
      const scene = new Scene(canvas(...size), {
        axes: ["a", "b", "c"].map((label) => ({ label, range })),
      });
      for (const l of lists) {
        const grid = { xs: l, ys: l, values: l.flatMap(() => l) };
        chart.draw([
          { kind: "line", x: l, y: l, colour: "#ff0000", name: "" },
          { kind: "points", x: l, y: l, colour: "#ff0000", name: "name ".repeat(60) },
          { kind: "area", x: l, low: l, high: l, colour: "#ff0000" },
          { kind: "rule", x: l[0], colour: "#ff0000" },
          { kind: "bars", x: l, height: l, width: 1, colour: "#ff0000" },
          { kind: "text", x: l[0], y: l[1], text: "t", colour: "#ff0000" },
          { kind: "image", image: new ImageData(1, 1), x: range, y: range },
          { kind: "contour", levels: l, ...grid, colour: "#ff0000" },
        ]);
        scene.draw([
          { kind: "points", x: l, y: l, z: l, colour: "#ff0000" },
          { kind: "line", x: l, y: l, z: l, colour: "#ff0000" },
          { kind: "surface", ...grid, levels: l },
          { kind: "polygon", points: l.map((v) => [v, v, v]), colour: "#ff0000" },
        ]);
        n++;
      }
      chart.close();
      scene.close();
    }
  }
  return n;
}

export function topRow() {
  const out = [Float64Array.of(-50, -50, 50, 50)];
  const image = fieldImage(runOf("binary"), { side: 2, ys: [0, 1], pass: { out } }, null);
  const made = canvas(100, 100);
  new Chart(made, bare).draw([{ kind: "image", image, x: [0, 10], y: [0, 10] }]);
  const [top, bottom] = [0, 8].map((i) => [...image.data.slice(i, i + 3)]);
  return [top, bottom, at(made, 50, 2), at(made, 50, 97)];
}

export function yesAndNo() {
  const unit = (kind, values) => three(unitImage(values, kind, 3));
  return [
    rowOf("binary", [Float64Array.of(-40, 0, 40)]),
    unit("sigmoid", [0, 0.5, 1]),
    unit("tanh", [-1, 0, 1]),
    unit("relu", [-2, 0, 2]),
    unit("identity", [-7, 0, 7]),
    unit("relu", [0, 0, 0]),
    unitImage([NaN, 1, 1], "tanh", 3).data[3],
  ];
}

export function severalClasses() {
  const logits = [Float64Array.of(99, 0, 1), new Float64Array(3), new Float64Array(3)];
  return rowOf("multiclass", logits);
}

export function regression() {
  return rowOf("regression", [Float64Array.of(0, 2, 4)]);
}

export function ramps() {
  return [colours.fieldRamp(256), colours.lossRamp(256)].map((ramp) => [...ramp]);
}

export function inks({ light, dark }) {
  const made = canvas(300, 200);
  const chart = new Chart(made, { x: { range: [0, 1] }, y: { range: [0, 1] } });
  chart.draw([]);
  const before = count(made, light);
  setMode("dark");
  chart.redraw();
  return [before, count(made, light), count(made, dark)];
}

export function contours() {
  const n = 41;
  const xs = Array.from({ length: n }, (_, i) => i / 10 - 2);
  const values = xs.flatMap((y) => xs.map((x) => x * x + y * y));
  const lines = contourLines(xs, xs, values, 1);
  values[20 * n + 30] = NaN; // on the circle
  const broken = contourLines(xs, xs, values, 1);
  const { x, y } = lines[0];
  const closed = (line) => line.x[0] === line.x.at(-1) && line.y[0] === line.y.at(-1);
  const radii = [...x].map((v, i) => Math.hypot(v, y[i]));
  return [lines.length, radii, closed(lines[0]), broken.length, closed(broken[0])];
}

export async function resized() {
  const made = canvas(0, 0);
  const chart = new Chart(made, bare);
  chart.draw([{ kind: "rule", y: 5, colour: "#ff0000", width: 4 }]);
  made.style.width = "120px";
  made.style.height = "80px";
  await frame();
  const first = [made.width, made.height, at(made, 110, 40)[3]];
  made.style.width = "200px";
  await frame();
  return [first, [made.width, made.height, at(made, 190, 40)[3]]];
}

export function followed() {
  const [made, told] = [canvas(300, 200), []];
  const chart = new Chart(made, { x: { range: [0, 10] }, y: { range: [0, 10] } });
  const end = chart.onHover(
    (x, y) => told.push([x, y]),
    () => told.push("left"),
  );
  const [px, py] = chart.toPixel(4, 6);
  const { left, top } = made.getBoundingClientRect();
  const move = (x, y) =>
    made.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
  move(px, py);
  move(1, 1);
  move(2, 2);
  end();
  move(px, py);
  chart.describe("The loss falls.");
  return [
    told,
    made.getAttribute("role"),
    made.getAttribute("aria-label"),
    chart.inside(px, py),
    chart.inside(1, 1),
  ];
}

export function keptView() {
  const { made, scene, key } = turned();
  const first = { ...scene.view };
  const pointer = (type, x) =>
    made.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: 9, pointerId: 1, button: 0 }));
  made.setPointerCapture = () => {};
  scene.draw([{ kind: "points", x: [0], y: [0], z: [0], colour: "#ff0000" }]);
  pointer("pointerdown", 10);
  const held = made.style.cursor;
  pointer("pointermove", 60);
  pointer("pointerup", 60);
  key("ArrowUp");
  made.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, cancelable: true }));
  const after = { ...scene.view };
  scene.draw([{ kind: "line", x: [0, 1], y: [0, 1], z: [0, 1], colour: "#ff0000" }]);
  const again = { ...scene.view };
  made.dispatchEvent(new MouseEvent("dblclick"));
  return [first, after, again, scene.view, held, made.style.cursor, made.tabIndex];
}

export function hidden() {
  const { made, scene } = turned();
  const grid = Array.from({ length: 30 }, (_, i) => -1 + (2 * i) / 29);
  const red = "#ff0000";
  const surface = {
    kind: "surface",
    xs: grid,
    ys: grid,
    values: grid.flatMap(() => grid.map(() => 0)),
  };
  const point = (z) => ({ kind: "points", x: [0], y: [0], z: [z], colour: red, size: 14 });
  const line = (z) => ({
    kind: "line",
    x: [-0.5, 0.5],
    y: [0, 0],
    z: [z, z],
    colour: red,
    width: 4,
  });
  const seen = (pitch, mark) => {
    scene.view.pitch = pitch;
    scene.draw([surface, mark]);
    return count(made, red) > 20;
  };
  return [point, line].flatMap((mark) => [
    seen(0.8, mark(-0.6)),
    seen(0.8, mark(0.6)),
    seen(-0.8, mark(-0.6)),
    seen(-0.8, mark(0.6)),
  ]);
}

export function tinted() {
  const { made, scene } = turned();
  scene.view.yaw = 0;
  scene.view.pitch = 0;
  const wall = {
    kind: "polygon",
    points: [
      [-9, 0, -9],
      [9, 0, -9],
      [9, 0, 9],
      [-9, 0, 9],
    ],
    colour: "#0000ff",
    alpha: 0.5,
  };
  const floor = {
    kind: "polygon",
    points: [
      [-1, -1, 0.9],
      [1, -1, 0.9],
      [1, 1, 0.9],
      [-1, 1, 0.9],
    ],
    colour: "#00ff00",
    alpha: 0.5,
  };
  const point = (y) => ({
    kind: "points",
    x: [0],
    y: [y],
    z: [0],
    colour: "#ff0000",
    size: 14,
    edge: null,
  });
  return [[wall], [wall, floor], [floor, wall]].flatMap((walls) =>
    [-0.5, 0.5].map((y) => {
      scene.draw([...walls, point(y)]);
      const { x, y: up } = scene.camera;
      return at(made, Math.round(x), Math.round(up));
    }),
  );
}

export function fewPoints({ colour }) {
  const { made, scene } = turned();
  const points = (n) => ({
    kind: "points",
    x: Array(n).fill(-0.9),
    y: Array(n).fill(0.95),
    z: Array(n).fill(-0.9),
    colour,
    size: 12,
  });
  return [1, 100].map((n) => {
    scene.draw([points(n)]);
    return count(made, colour);
  });
}
