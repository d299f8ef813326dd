// Where each parameter stands, what it and each unit is called, and what a unit computes.
// It mirrors `network.parameter_names` and `analysis/diagram.py`.

/** @typedef {import("./run.js").Run} Run */
/**
 * @typedef {object} Formula what a unit computes: left = activation(sum of value * name + bias)
 * @property {string} left
 * @property {"σ"|"tanh"|"relu"|""} activation
 * @property {{index: number, value: number, name: string}[]} terms index is the place among the flat parameters
 * @property {{index: number, value: number}} bias
 */

/** @type {Record<string, "σ"|"tanh"|"relu"|"">} */
const SIGNS = { sigmoid: "σ", tanh: "tanh", relu: "relu", identity: "" };

/**
 * Place of a weight among the flat parameters; layer 0 is the first with weights.
 * @param {number[]} sizes
 * @param {number} layer
 * @param {number} unit
 * @param {number} input
 */
export function weightIndex(sizes, layer, unit, input) {
  let at = 0;
  for (let l = 0; l < layer; l++) at += (sizes[l] + 1) * sizes[l + 1];
  return at + unit * sizes[layer] + input;
}

/**
 * Place of a bias among the flat parameters.
 * @param {number[]} sizes
 * @param {number} layer
 * @param {number} unit
 */
export function biasIndex(sizes, layer, unit) {
  return weightIndex(sizes, layer, sizes[layer + 1], unit);
}

/**
 * A name for every flat parameter, counted from 1: layer, unit, input.
 * @param {number[]} sizes
 * @returns {string[]}
 */
export function parameterNames(sizes) {
  const names = [];
  for (let l = 1; l < sizes.length; l++) {
    for (let u = 1; u <= sizes[l]; u++) {
      for (let i = 1; i <= sizes[l - 1]; i++) names.push(`w${l}[${u},${i}]`);
    }
    for (let u = 1; u <= sizes[l]; u++) names.push(`b${l}[${u}]`);
  }
  return names;
}

/**
 * The name of every unit, by layer: inputs, hidden units, outputs.
 * @param {Run} run
 * @returns {string[][]}
 */
export function unitNames(run) {
  const d = run.dataset, widths = run.sizes.slice(1, -1);
  const hidden = widths.map((width, l) =>
    Array.from({ length: width }, (_, u) => (widths.length === 1 ? `h${u + 1}` : `h${l + 1}[${u + 1}]`)),
  );
  /** @param {string|number|boolean} label */
  const written = (label) => (typeof label === "string" ? label : `${d.targetName} = ${labelText(label)}`);
  let outputs = d.classes.map(written);
  if (d.task === "regression") outputs = [d.targetName];
  else if (d.task === "binary") outputs = [`P(${outputs[1]})`];
  const taken = new Set([...d.featureNames, ...hidden.flat()]);
  return [d.featureNames, ...hidden, outputs.map((name) => (taken.has(name) ? `${name}'` : name))];
}

/**
 * A class as Python writes it.
 * @param {string|number|boolean} label
 */
export function labelText(label) {
  if (typeof label === "boolean") return label ? "True" : "False";
  return String(label);
}

/**
 * The name of a hidden unit or an output; layer 0 is the first with weights, as in `weightIndex`.
 * @param {Run} run
 * @param {number} layer
 * @param {number} unit
 */
export function unitName(run, layer, unit) {
  return unitNames(run)[layer + 1][unit];
}

/**
 * What a hidden unit or an output computes from the layer before it, inputs as the network sees them.
 * @param {Run} run
 * @param {ArrayLike<number>} params
 * @param {number} layer 0 is the first with weights
 * @param {number} unit
 * @returns {Formula}
 */
export function formulaOf(run, params, layer, unit) {
  const names = unitNames(run), isOutput = layer === run.sizes.length - 2, { task } = run.dataset;
  const name = names[layer + 1][unit], at = biasIndex(run.sizes, layer, unit);
  const outer = task === "binary" ? "sigmoid" : "identity";
  return {
    left: isOutput && task === "multiclass" ? `logit of ${name}` : name,
    activation: SIGNS[isOutput ? outer : run.activation],
    terms: names[layer].map((input, i) => {
      const index = weightIndex(run.sizes, layer, unit, i);
      return { index, value: params[index], name: input };
    }),
    bias: { index: at, value: params[at] },
  };
}

/**
 * A number with significant digits, as Python's format "g" writes it.
 * @param {number} value
 * @param {number} digits
 */
export function general(value, digits) {
  if (Number.isNaN(value)) return "nan";
  if (Math.abs(value) === Infinity) return value < 0 ? "-inf" : "inf";
  const [mantissa, power] = value.toExponential(digits - 1).split("e"), size = Number(power);
  if (size >= -4 && size < digits) return bare(value.toFixed(digits - 1 - size));
  return `${bare(mantissa)}e${size < 0 ? "-" : "+"}${String(Math.abs(size)).padStart(2, "0")}`;
}

/** @param {string} number */
function bare(number) {
  return number.includes(".") ? number.replace(/\.?0+$/, "") : number;
}

/** What a loss is measured in, in words.
 * @param {Run} run @param {string} [loss] the run's own by default */
export function lossUnit({ loss: own, experiment, dataset }, loss = own) {
  if (loss === "cross_entropy") return "nats per sample";
  if (loss === "smooth_l1") return "smooth L1";
  if (loss === "relative") return "relative error";
  if (dataset.task !== "regression") return "squared error of the probability";
  return experiment.data.standardize ? "squared error of the standardised target" : "squared error";
}
