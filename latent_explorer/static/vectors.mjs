// Latents are points of a space with many axes; these are the few things one does with them.

export const dotProduct = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
export const lengthOf = (a) => Math.sqrt(dotProduct(a, a));

/** a + s b. */
export const addScaled = (a, s, b) => Float32Array.from(a, (value, i) => value + s * b[i]);

/** On the straight line from a (t = 0) to b (t = 1). */
export const onLine = (a, b, t) => Float32Array.from(a, (value, i) => (1 - t) * value + t * b[i]);

/**
 * On the arc from a to b around the origin; their lengths change over evenly. The latents of a GAN
 * lie near a sphere, which the straight line leaves (White 2016, arXiv:1609.04468).
 */
export function onArc(a, b, t) {
  const lengths = [lengthOf(a), lengthOf(b)];
  const cosine = dotProduct(a, b) / (lengths[0] * lengths[1] || 1);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (Math.sin(angle) < 1e-4) return onLine(a, b, t);
  const length = (1 - t) * lengths[0] + t * lengths[1];
  const left = (Math.sin((1 - t) * angle) / Math.sin(angle)) * (length / lengths[0]);
  const right = (Math.sin(t * angle) / Math.sin(angle)) * (length / lengths[1]);
  return Float32Array.from(a, (value, i) => left * value + right * b[i]);
}

/** A point of the path through several stops, t from 0 (the first) to 1 (the last). */
export function alongStops(stops, t, between) {
  const place = Math.min(t * (stops.length - 1), stops.length - 1 - 1e-9);
  const leg = Math.floor(place);
  return between(stops[leg], stops[leg + 1], place - leg);
}

/** Two directions of length 1 at right angles, the first along a; null if a and b are parallel. */
export function rightAngles(a, b) {
  const first = addScaled(new Float32Array(a.length), 1 / (lengthOf(a) || 1), a);
  const rest = addScaled(b, -dotProduct(first, b), first);
  const length = lengthOf(rest);
  if (lengthOf(a) < 1e-6 || length < 1e-6) return null;
  return [first, addScaled(new Float32Array(a.length), 1 / length, rest)];
}

/** The axis of one latent. */
export const axis = (dimension, size) => new Float32Array(size).fill(1, dimension, dimension + 1);

/** The nearest rows of a table to a point: indices and distances, the nearest first. */
export function nearestRows(rows, point, count) {
  const size = point.length,
    found = [];
  for (let row = 0, at = 0; at < rows.length; row++, at += size) {
    let distance = 0;
    for (let i = 0; i < size; i++) distance += (rows[at + i] - point[i]) ** 2;
    found.push({ row, distance: Math.sqrt(distance) });
  }
  return found.sort((a, b) => a.distance - b.distance).slice(0, count);
}
