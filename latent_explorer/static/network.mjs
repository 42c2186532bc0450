// A network: its steps in turn, each reading what earlier ones gave.

import { LAYERS } from "./layers.mjs";
import { sizeOf } from "./moves.mjs";
import { readArray } from "./weights.mjs";

export class Network {
  /**
   * @param {object} description inputs, steps and outputs, as written by the exporter.
   * @param {ArrayBuffer} bytes the arrays of all steps.
   */
  constructor(description, bytes) {
    this.inputs = description.inputs;
    this.outputs = description.outputs;
    this.weights = description.weights;
    const shapes = this.inputs.map((input) => input.shape);
    this.steps = description.steps.map((step) => {
      const ready = { ...step, sourceShapes: step.sources.map((source) => shapes[source]) };
      for (const [name, where] of Object.entries(step.arrays)) {
        ready[name] = readArray(bytes, where);
        ready[`${name}Shape`] = where.shape;
      }
      shapes.push(step.shape);
      return ready;
    });
    this.values = shapes.map((shape) => new Float32Array(sizeOf(shape)));
  }

  /**
   * What the network gives for one example.
   * @param {ArrayLike<number>[]} inputs one array for each input; a label is an array of one number.
   * @returns {Float32Array[]} one array for each output. The next call overwrites them.
   */
  run(inputs) {
    inputs.forEach((input, index) => this.values[index].set(input));
    this.steps.forEach((step, index) => {
      const sources = step.sources.map((source) => this.values[source]);
      LAYERS[step.kind].forward(step, sources, this.values[this.inputs.length + index]);
    });
    return this.outputs.map((output) => this.values[output]);
  }

  /**
   * The gradient of the first number of the first output with respect to the first input, at the
   * example that `run` saw last. The steps are gone through backwards.
   * @returns {Float32Array}
   */
  gradient() {
    const gradients = this.values.map((value) => new Float32Array(value.length));
    gradients[this.outputs[0]][0] = 1;
    for (let index = this.steps.length - 1; index >= 0; index--) {
      const step = this.steps[index],
        number = this.inputs.length + index;
      LAYERS[step.kind].backward(
        step,
        step.sources.map((source) => this.values[source]),
        this.values[number],
        gradients[number],
        step.sources.map((source) => gradients[source]),
      );
    }
    return gradients[0];
  }
}
