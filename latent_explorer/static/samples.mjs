// Draws of the prior: what the model makes when it is asked for nothing.

import { find, onPress, onSlide, oncePerFrame } from "./controls.mjs";
import { Strip } from "./picture.mjs";
import { normalNumbers, uniformNumbers } from "./random.mjs";

const COUNT = 24;
const NO_LIMIT = 3; // the end of the truncation slider stands for none

export class Samples {
  constructor(store, modelOf) {
    Object.assign(this, { store, modelOf, seed: 1, temperature: 1, limit: Infinity, latents: {} });
    this.grids = Object.fromEntries(
      ["normal", "learned"].map((prior) => [
        prior,
        new Strip(find(`samples-${prior}`), (index) => store.set(this.latents[prior][index])),
      ]),
    );
    const showSoon = oncePerFrame(() => this.show());
    onSlide(
      "temperature",
      (value) => value.toFixed(2),
      (value) => {
        this.temperature = value;
        showSoon();
      },
    );
    onSlide(
      "truncation",
      (value) => (value >= NO_LIMIT ? "none" : `\u00b1${value.toFixed(1)}`),
      (value) => {
        this.limit = value >= NO_LIMIT ? Infinity : value;
        showSoon();
      },
    );
    onPress("samples-new", () => {
      this.seed += 1;
      this.show();
    });
    store.listen(["model", "label", "moment"], () => this.show());
  }

  /**
   * {z, label} of each picture of a grid. Without a learned prior, the second grid has codes of real
   * images, each with its own class.
   */
  latentsOf(prior, model, state) {
    const uniform = uniformNumbers(this.seed);
    const { temperature, limit } = this,
      label = state.label;
    return Array.from({ length: COUNT }, () => {
      const noise = normalNumbers(uniform, model.size),
        rank = uniform();
      if (prior === "learned" && !model.mixture) {
        const index = Math.floor((rank * model.codes.length) / model.size);
        return { z: model.code(index), label: model.numClasses ? model.codeLabels[index] : label };
      }
      return { z: model.sample(noise, rank, { prior, temperature, limit, label }), label };
    });
  }

  show() {
    const { state } = this.store,
      model = this.modelOf(state);
    const hasTwo = Boolean(model.codes);
    find("samples-learned-side").hidden = !hasTwo;
    find("samples-learned-name").textContent = model.mixture
      ? nameOfPrior(this.temperature * model.mixture.temperature)
      : "Codes of real images";
    find("samples-hint-codes").hidden = !hasTwo;
    find("samples-hint-plain").hidden = hasTwo;
    for (const prior of hasTwo ? ["normal", "learned"] : ["normal"]) {
      this.latents[prior] = this.latentsOf(prior, model, state);
      this.grids[prior].show(
        this.latents[prior].map(({ z, label }) => ({
          pixels: model.draw(z, label, state.moment),
          label: "a sample: show it above",
        })),
        model.shape,
      );
    }
  }
}

const nameOfPrior = (temperature) =>
  temperature === 1 ? "Learned prior" : `Learned prior at temperature ${temperature.toFixed(2)}`;
