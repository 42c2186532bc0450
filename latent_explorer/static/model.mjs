// A run: its networks, and what the file knows of its latent space.

import { Network } from "./network.mjs";
import { Mixture } from "./prior.mjs";
import { truncate } from "./random.mjs";
import { decodeBase64, readArray } from "./weights.mjs";
import { addScaled, nearestRows } from "./vectors.mjs";

export class Model {
  /**
   * @param {object} record what the exporter says of the run.
   * @param {string} data base64 of its arrays.
   * @param {RealImages} real images of its data.
   */
  constructor(record, data, real) {
    const bytes = decodeBase64(data);
    const read = (place) => place && readArray(bytes, place);
    const open = (description) => description && new Network(description, bytes);
    Object.assign(this, {
      title: record.title,
      family: record.family,
      shape: record.shape,
      numClasses: record.numClasses,
      classNames: record.classNames,
      range: record.range,
      binary: record.binary,
      codeLabels: record.codeLabels,
      real,
      drawing: open(record.draw),
      moments: record.kept.map(({ step, draw }) => ({ step, network: open(draw) })),
      encoding: open(record.encode),
      judging: open(record.judge),
      codes: read(record.codes),
      centre: read(record.centre),
    });
    this.size = this.centre.length;
    const directions = read(record.directions);
    this.directions = Array.from({ length: directions.length / this.size }, (_, k) =>
      directions.slice(k * this.size, (k + 1) * this.size),
    );
    if (record.prior) {
      const { temperature, weights, means, cholesky, classes } = record.prior;
      this.mixture = new Mixture({
        temperature,
        weights: read(weights),
        means: read(means),
        cholesky: read(cholesky),
        classes,
      });
    }
  }

  /**
   * The picture of a latent: a number from 0 to 1 for each pixel and channel.
   * @param {Float32Array} z
   * @param {number} label the class, for a network that takes one.
   * @param {number} moment number of the kept network, of several through the training.
   */
  draw(z, label = 0, moment = this.moments.length) {
    const network = this.moments[moment]?.network ?? this.drawing;
    const [output] = network.run(this.numClasses ? [z, [label]] : [z]);
    const [low, high] = this.range;
    return Float32Array.from(output, (value) =>
      Math.min(1, Math.max(0, (value - low) / (high - low))),
    );
  }

  /** The code of a picture: the mean of q(z|x). */
  encode(pixels, label = 0) {
    const [low, high] = this.range;
    const image = Float32Array.from(
      pixels,
      (value) => low + (high - low) * (this.binary ? Math.round(value) : value),
    );
    return this.encoding
      .run(this.encoding.inputs.length > 1 ? [image, [label]] : [image])[0]
      .slice();
  }

  /** The discriminator's logit of a picture, and its gradient with respect to the pixels. */
  judge(pixels, label = 0) {
    const [low, high] = this.range;
    const image = Float32Array.from(pixels, (value) => low + (high - low) * value);
    const [logits] = this.judging.run(this.judging.inputs.length > 1 ? [image, [label]] : [image]);
    return { logit: logits[0], gradient: this.judging.gradient() };
  }

  /**
   * A draw of the prior.
   * @param {Float32Array} noise standard normal numbers, one for each latent.
   * @param {number} uniform chooses a component of a learned prior.
   * @param {{prior: string, temperature: number, limit: number, label: number}} how "normal" or
   *   "learned"; the noise is cut at `limit` and multiplied by the temperature, beside the one at
   *   which the run draws from its learned prior.
   */
  sample(noise, uniform, { prior, temperature, limit, label }) {
    const mixture = prior === "learned" && this.mixture;
    const factor = mixture ? temperature * mixture.temperature : temperature;
    const shaped = Float32Array.from(
      noise,
      (value) => factor * (limit < Infinity ? truncate(value, limit) : value),
    );
    return mixture ? mixture.latent(shaped, uniform, label) : shaped;
  }

  code(index) {
    return this.codes.slice(index * this.size, (index + 1) * this.size);
  }

  /** The code that is nearest to the mean of the codes of a class. */
  typicalCode(label) {
    const members = this.codeLabels.flatMap((found, index) => (found === label ? [index] : []));
    if (!members.length) return null;
    const mean = members.reduce(
      (sum, index) => addScaled(sum, 1 / members.length, this.code(index)),
      new Float32Array(this.size),
    );
    const rows = Float32Array.from(members.flatMap((index) => Array.from(this.code(index))));
    return this.code(members[nearestRows(rows, mean, 1)[0].row]);
  }
}

/** Real images: some training images to compare with, and some test images to reconstruct. */
export class RealImages {
  constructor(record, data) {
    const bytes = decodeBase64(data);
    this.noun = record.noun;
    this.size = record.train.shape.slice(1).reduce((product, side) => product * side, 1);
    this.train = readArray(bytes, record.train);
    this.test = readArray(bytes, record.test);
    this.trainLabels = record.trainLabels;
    this.testLabels = record.testLabels;
    this.numTrain = record.train.shape[0];
    this.numTest = record.test.shape[0];
  }

  trainImage(index) {
    return this.train.subarray(index * this.size, (index + 1) * this.size);
  }

  testImage(index) {
    return this.test.subarray(index * this.size, (index + 1) * this.size);
  }

  /** The training images with the smallest distance to a picture, over all pixels. */
  nearest(pixels, count) {
    return nearestRows(this.train, pixels, count);
  }
}
