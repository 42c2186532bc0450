// The planes that the pad can show.

import { addScaled, axis, dotProduct, rightAngles } from "./vectors.mjs";

/** The plane of two principal directions, through the middle of the codes. */
export function planeOfDirections(model, [a, b]) {
  return {
    first: model.directions[a],
    second: model.directions[b],
    origin: model.centre,
    names: [`direction ${a + 1}`, `direction ${b + 1}`],
  };
}

/** The plane of two latents, through the origin. */
export function planeOfLatents(model, [a, b]) {
  return {
    first: axis(a, model.size),
    second: axis(b, model.size),
    origin: new Float32Array(model.size),
    names: [`latent ${a + 1}`, `latent ${b + 1}`],
  };
}

/** The plane through three pins, from the first one; null if they lie on a line. */
export function planeOfPins([a, b, c]) {
  const directions = rightAngles(addScaled(b.z, -1, a.z), addScaled(c.z, -1, a.z));
  if (!directions) return null;
  const [first, second] = directions;
  const names = [`from ${a.name} to ${b.name}`, `towards ${c.name}`];
  return { first, second, origin: a.z, names };
}

/** The place of the plane that is nearest to a latent. */
export function ontoPlane(z, { origin, first, second }) {
  const away = addScaled(z, -1, origin);
  const across = addScaled(origin, dotProduct(away, first), first);
  return addScaled(across, dotProduct(away, second), second);
}

/** The plane that a model opens with: all of a latent space of two, or its main directions. */
export const usualPlane = (model) =>
  (model.size === 2 ? planeOfLatents(model, [0, 1]) : planeOfDirections(model, [0, 1]));
