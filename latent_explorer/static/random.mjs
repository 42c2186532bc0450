// Random numbers that are the same on every machine, and the normal distribution.

/** A function giving uniform numbers in (0, 1), all a function of the seed (Marsaglia 2003, xorshift). */
export function uniformNumbers(seed) {
  let state = (seed * 2654435761 + 88675123) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < 20; i++) next(); // seeds that are near each other part ways
  return next;
}

/** `count` standard normal numbers from uniform ones (Box & Muller 1958). */
export function normalNumbers(uniform, count) {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform())),
      angle = 2 * Math.PI * uniform();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < count) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** The share of a standard normal distribution below x, to 2e-7 (Abramowitz & Stegun 26.2.17). */
function normalShare(x) {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const polynomial =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) * polynomial;
  return x > 0 ? 1 - above : above;
}

/**
 * A normal number squeezed into [-limit, limit], so that it follows the truncated normal
 * distribution (the truncation trick: Brock et al. 2019, arXiv:1809.11096, section 3.1). A small
 * change of the limit is a small change of the number, since its rank stays what it was.
 */
export function truncate(number, limit) {
  const below = normalShare(-limit);
  const share = below + normalShare(number) * (1 - 2 * below);
  let low = -limit,
    high = limit;
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
