// The planes that the pad can show. Each has an origin, two directions of length 1 at right angles,
// their names, and its kind: its value in the list of planes.

import { addScaled, axis, dotProduct, rightAngles } from "./vectors.mjs";

/** The plane of two principal directions, through the middle of the codes. */
export function planeOfDirections(model, [a, b]) {
  return {
    kind: `${a},${b}`,
    first: model.directions[a],
    second: model.directions[b],
    origin: model.centre,
    names: [`direction ${a + 1}`, `direction ${b + 1}`],
  };
}

/** The plane of two latents, through the origin. */
export function planeOfLatents(model, [a, b]) {
  return {
    kind: "latents",
    first: axis(a, model.size),
    second: axis(b, model.size),
    origin: new Float32Array(model.size),
    names: [`latent ${a + 1}`, `latent ${b + 1}`],
  };
}

/** The plane through three pins, with their mean in the middle; null if they lie on a line. */
export function planeOfPins([a, b, c], kind = "pins") {
  const directions = rightAngles(addScaled(b.z, -1, a.z), addScaled(c.z, -1, a.z));
  if (!directions) return null;
  const [first, second] = directions;
  const origin = a.z.map((value, i) => (value + b.z[i] + c.z[i]) / 3);
  return { kind, first, second, origin, names: [`from ${a.name} to ${b.name}`, `towards ${c.name}`] };
}

const CLASSES = [3, 8, 1]; // digits that differ, two of them little

/**
 * The plane through usual codes of three classes; null for a model without such codes. The codes of
 * a model that is told the class do not say it.
 */
export function planeOfClasses(model) {
  if (!model.codeLabels || model.size < 3 || model.numClasses) return null;
  const pins = CLASSES.map((name) => ({ name, z: model.typicalCode(name) }));
  return pins.every(({ z }) => z) ? planeOfPins(pins, "classes") : null;
}

/** The place of the plane that is nearest to a latent. */
export function ontoPlane(z, { origin, first, second }) {
  const away = addScaled(z, -1, origin);
  const across = addScaled(origin, dotProduct(away, first), first);
  return addScaled(across, dotProduct(away, second), second);
}

/** The plane that a model opens with; two latents are all of it. */
export function usualPlane(model) {
  if (model.size === 2) return planeOfLatents(model, [0, 1]);
  return planeOfClasses(model) ?? planeOfDirections(model, [0, 1]);
}
