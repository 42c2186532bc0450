// The page comes to life: models are opened, panels are joined to them.

import { find, findAll, onPress } from "./controls.mjs";
import { Critic } from "./critic.mjs";
import { Latents } from "./latents.mjs";
import { readLink } from "./link.mjs";
import { Model, RealImages } from "./model.mjs";
import { Pad } from "./pad.mjs";
import { ontoPlane, usualPlane } from "./planes.mjs";
import { normalNumbers, uniformNumbers } from "./random.mjs";
import { Samples } from "./samples.mjs";
import { Sketch } from "./sketch.mjs";
import { Stage } from "./stage.mjs";
import { Store } from "./store.mjs";
import { Tour } from "./tour.mjs";
import { lengthOf } from "./vectors.mjs";
import { Walk } from "./walk.mjs";

const FIRST_CLASSES = [3, 8]; // the pins that a VAE opens with
const CANDIDATES = 16; // draws of a GAN among which the clearest are its first pins

/** What the page shows of a model when it opens. */
function openingState(model, number) {
  const hasClasses = model.codeLabels && !model.numClasses; // codes beside a label do not say it
  const typical = FIRST_CLASSES.map((name) => hasClasses && model.typicalCode(name));
  const latents = typical.every(Boolean) ? typical : clearDraws(model, FIRST_CLASSES.length);
  const plane = usualPlane(model);
  return {
    model: number,
    // A plane of two main directions goes through the mean of a VAE's codes; a GAN's latents are
    // far from their mean, so theirs does not.
    z: model.codes ? ontoPlane(latents[0], plane) : latents[0],
    label: 0,
    plane,
    pins: latents.map((z, index) => ({ name: "AB"[index], z })),
    moment: model.moments.length,
  };
}

/**
 * Draws of the prior whose pictures are nearest to a training image, of classes that differ. The
 * distance is a share of the picture's length: otherwise a thin digit would always be the nearest.
 */
function clearDraws(model, count) {
  const uniform = uniformNumbers(1), how = { prior: "learned", temperature: 1, limit: Infinity, label: 0 };
  const draws = Array.from({ length: CANDIDATES }, () => {
    const z = model.sample(normalNumbers(uniform, model.size), uniform(), how);
    const pixels = model.draw(z), [{ row, distance }] = model.real.nearest(pixels, 1);
    return { z, distance: distance / lengthOf(pixels), name: model.real.trainLabels?.[row] };
  }).sort((a, b) => a.distance - b.distance);
  const others = draws.filter(({ name }, index) => draws.findIndex((one) => one.name === name) === index);
  return [...others, ...draws].slice(0, count).map(({ z }) => z);
}

function start() {
  const read = (id) => JSON.parse(find(id).textContent);
  const images = findAll("script[data-images]").map((script) =>
    new RealImages(read(`${script.id}-record`), script.textContent));
  const records = findAll("script[data-run]").map((script) => read(`${script.id}-record`));
  const opened = new Map();
  /** A model, opened when it is shown for the first time. */
  const open = (number) => {
    if (!opened.has(number)) {
      const record = records[number];
      opened.set(number, new Model(record, find(`run-${number}`).textContent, images[record.images]));
    }
    return opened.get(number);
  };
  const store = new Store({ model: 0 }), states = new Map();
  const modelOf = ({ model }) => open(model);

  const show = (number) => {
    states.set(store.state.model, { ...store.state });
    store.set(states.get(number) ?? openingState(open(number), number));
  };
  const follow = () => {
    const wanted = readLink(location.hash, records.map(({ title }) => title), open);
    if (!wanted) return;
    if (wanted.model !== store.state.model) show(wanted.model);
    store.set({ z: wanted.z, label: wanted.label });
  };

  store.set(openingState(open(0), 0));
  store.listen(["model"], ({ model }) => {
    records.forEach((_, number) => find(`tab-${number}`).setAttribute("aria-pressed", number === model));
    document.body.dataset.family = records[model].family;
  });
  const pad = new Pad(store, modelOf);
  for (const Panel of [Stage, Latents, Critic, Walk, Samples, Sketch]) new Panel(store, modelOf);
  records.forEach((_, number) => onPress(`tab-${number}`, () => show(number)));
  onPress("clear-trail", () => pad.clearTrail());
  onPress("flatten", () => store.set({ z: ontoPlane(store.state.z, store.state.plane) }));
  new Tour(new Set(records.map(({ family }) => family)), (family) => {
    if (records[store.state.model].family !== family) {
      show(records.findIndex((record) => record.family === family));
    }
  });
  addEventListener("hashchange", follow);
  if (location.hash.length > 1) follow();
  store.tell();
  document.documentElement.dataset.ready = Math.round(performance.now());

  // For the browser's console: explorer.model.draw(z) gives the pixels of any z.
  globalThis.explorer = {
    get model() { return modelOf(store.state); },
    get state() { return store.state; },
    set: (change) => store.set(change),
    models: records.map((_, number) => ({ get open() { return open(number); } })),
  };
}

start();
