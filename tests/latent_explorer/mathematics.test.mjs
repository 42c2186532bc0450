// node --test mathematics.test.mjs: what the panels compute, against values by hand.

import assert from "node:assert/strict";
import test from "node:test";
import { linkTo, readLink } from "../../latent_explorer/static/link.mjs";
import { Mixture } from "../../latent_explorer/static/prior.mjs";
import { normalNumbers, truncate, uniformNumbers } from "../../latent_explorer/static/random.mjs";
import {
  alongStops,
  nearestRows,
  onArc,
  onLine,
  rightAngles,
} from "../../latent_explorer/static/vectors.mjs";

const vector = (...numbers) => Float32Array.of(...numbers);

function assertClose(found, expected, tolerance = 1e-4) {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < tolerance, `${found}`));
}

test("a line is straight, an arc keeps its distance", () => {
  assertClose(onLine(vector(1, 0), vector(0, 2), 0.5), [0.5, 1]);
  assertClose(onArc(vector(1, 0), vector(0, 2), 0.5), [1.5 * Math.SQRT1_2, 1.5 * Math.SQRT1_2]);
  assertClose(onArc(vector(1, 0), vector(0, 2), 0), [1, 0]);
  assertClose(onArc(vector(1, 0), vector(3, 0), 0.5), [2, 0]);
});

test("a path visits all its stops", () => {
  const stops = [vector(0), vector(1), vector(5)];
  const at = (t) => alongStops(stops, t, onLine)[0];
  assertClose([at(0), at(0.25), at(0.5), at(0.75), at(1)], [0, 0.5, 1, 3, 5]);
});

test("right angles, unless two directions are one", () => {
  const [first, second] = rightAngles(vector(0, 2, 0), vector(3, 4, 0));
  assertClose(first, [0, 1, 0]);
  assertClose(second, [1, 0, 0]);
  assert.equal(rightAngles(vector(1, 1), vector(2, 2)), null);
});

test("the nearest rows come first", () => {
  const rows = vector(0, 0, 3, 4, 1, 0);
  assert.deepEqual(nearestRows(rows, vector(0, 0), 2), [
    { row: 0, distance: 0 },
    { row: 2, distance: 1 },
  ]);
});

test("a truncated normal number keeps its rank", () => {
  assertClose([truncate(0, 1), truncate(8, 0.5), truncate(-8, 0.5)], [0, 0.5, -0.5]);
  // The share below 1 is 0.8413; of [-1, 1], which has 0.6827, it is reached at 0.6219.
  assertClose([truncate(1, 1)], [0.6219], 1e-3);
});

test("normal numbers are normal, and the same for the same seed", () => {
  const numbers = normalNumbers(uniformNumbers(3), 20_000);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const square = numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length;
  assertClose([mean, square], [0, 1], 0.03);
  assert.deepEqual(normalNumbers(uniformNumbers(3), 5), numbers.slice(0, 5));
  assert.notDeepEqual(normalNumbers(uniformNumbers(4), 5), numbers.slice(0, 5));
});

test("a mixture draws m + L noise of the component that the number falls on", () => {
  const arrays = {
    temperature: 1,
    weights: vector(0.25, 0.75),
    means: vector(0, 0, 10, 20),
    cholesky: vector(1, 0, 1, 2, 1, 3),
  };
  const mixture = new Mixture(arrays);
  assertClose(mixture.latent(vector(1, 1), 0.5), [12, 24]);
  assertClose(mixture.latent(vector(1, 1), 0.2), [1, 1]);
  const ofClasses = new Mixture({ ...arrays, weights: vector(1, 1), classes: [0, 1] });
  assertClose(ofClasses.latent(vector(0, 0), 0.9, 0), [0, 0]);
  assertClose(ofClasses.latent(vector(0, 0), 0.1, 1), [10, 20]);
});

test("a link brings back what it was made from", () => {
  const model = { title: "a & b", size: 3, numClasses: 10 };
  const link = linkTo({ z: vector(0.5, -3.25, 100), label: 7 }, model);
  const found = readLink(link, ["other", "a & b"], () => model);
  assert.equal(found.model, 1);
  assert.equal(found.label, 7);
  assertClose(found.z, [0.5, -3.25, 32767 / 4096]);
  assert.equal(
    readLink("#run=nobody&z=AAAA", ["a & b"], () => model),
    null,
  );
  assert.equal(
    readLink("#run=a+%26+b&z=%25%25", ["a & b"], () => model),
    null,
  );
  assert.equal(
    readLink("#run=a+%26+b&z=AAAA", ["a & b"], () => model),
    null,
  );
});
