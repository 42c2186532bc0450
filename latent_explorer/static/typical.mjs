// Latents to begin with: clear pictures of classes that differ.

import { normalNumbers, uniformNumbers } from "./random.mjs";
import { lengthOf } from "./vectors.mjs";

/** The classes of those latents: digits that differ, two of them little. */
export const CLASSES = [3, 8, 1];

const CANDIDATES = 48; // draws of a GAN among which the clear ones are
const PLAIN = { prior: "learned", temperature: 1, limit: Infinity, label: 0 };

/**
 * True if a model has few classes and is not told them, so that its latents decide on the class.
 * @param {{numClasses: number, codeLabels: number[]}} model or the record of one.
 * @param {number[]} labels of images of its data.
 */
export const decidesOnClass = ({ numClasses }, labels) =>
  Boolean(labels) && !numClasses && Math.max(...labels) < 10;

/**
 * Latents of clear pictures, one for each of `CLASSES`: a VAE's codes nearest to the mean code of
 * the class, or a GAN's draws nearest to a training image of the class.
 * @returns {{latents: Float32Array[], areOfClasses: boolean}} where a class is missing, any draws.
 */
export function typicalLatents(model) {
  model.typical ??= findTypical(model);
  return model.typical;
}

function findTypical(model) {
  const fits = decidesOnClass(model, model.real.trainLabels);
  const codes = fits && model.codes ? CLASSES.map((name) => model.typicalCode(name)) : [];
  if (codes.length && codes.every(Boolean)) return { latents: codes, areOfClasses: true };
  const draws = drawCandidates(model);
  const found = CLASSES.map((wanted) => fits && draws.find(({ name }) => name === wanted));
  const areOfClasses = found.every(Boolean);
  const chosen = areOfClasses ? found : draws.slice(0, CLASSES.length);
  return { latents: chosen.map(({ z }) => z), areOfClasses };
}

/**
 * Draws of the prior, the clearest first: those whose picture is nearest to a training image. The
 * distance is a share of the picture's length, since thin digits are near to each other.
 */
function drawCandidates(model) {
  const uniform = uniformNumbers(1);
  return Array.from({ length: CANDIDATES }, () => {
    const z = model.sample(normalNumbers(uniform, model.size), uniform(), PLAIN);
    const pixels = model.draw(z),
      [{ row, distance }] = model.real.nearest(pixels, 1);
    return { z, distance: distance / lengthOf(pixels), name: model.real.trainLabels?.[row] };
  }).sort((a, b) => a.distance - b.distance);
}
