// The planes that the pad can show. Each has an origin, two directions of length 1 at right angles,
// their names, and its kind: its value in the list of planes. Corners are latents that it must show.

import { CLASSES, typicalLatents } from "./typical.mjs";
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
  const names = [`from ${a.name} to ${b.name}`, `towards ${c.name}`];
  return { kind, first, second, origin, names, corners: [a.z, b.z, c.z] };
}

/** The plane through clear pictures of three classes; null for a model without such. */
export function planeOfClasses(model) {
  const { latents, areOfClasses } = typicalLatents(model);
  if (!areOfClasses || model.size < 3) return null;
  return planeOfPins(
    CLASSES.map((name, index) => ({ name, z: latents[index] })),
    "classes",
  );
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
