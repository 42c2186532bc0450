// The page comes to life: models are opened, panels are joined to them.

import { find, findAll, onPress } from "./controls.mjs";
import { Critic } from "./critic.mjs";
import { Latents } from "./latents.mjs";
import { readLink } from "./link.mjs";
import { Model, RealImages } from "./model.mjs";
import { Pad } from "./pad.mjs";
import { ontoPlane, usualPlane } from "./planes.mjs";
import { Samples } from "./samples.mjs";
import { Sketch } from "./sketch.mjs";
import { Stage } from "./stage.mjs";
import { Store } from "./store.mjs";
import { Tour } from "./tour.mjs";
import { decidesOnClass, typicalLatents } from "./typical.mjs";
import { Walk } from "./walk.mjs";

/** What the page shows of a model when it opens. */
function openingState(model, number) {
  const { latents } = typicalLatents(model),
    plane = usualPlane(model);
  return {
    model: number,
    // The principal plane goes through the mean of a VAE's codes. A GAN's latents are far from
    // theirs, so its pictures are those of the plane through one of them.
    z: model.codes ? ontoPlane(latents[0], plane) : latents[0],
    label: 0,
    plane,
    pins: latents.slice(0, 2).map((z, index) => ({ name: "AB"[index], z })),
    moment: model.moments.length,
  };
}

function start() {
  const read = (id) => JSON.parse(find(id).textContent);
  const images = findAll("script[data-images]").map(
    (script) => new RealImages(read(`${script.id}-record`), script.textContent),
  );
  const records = findAll("script[data-run]").map((script) => read(`${script.id}-record`));
  const opened = new Map();
  /** A model, opened when it is shown for the first time. */
  const open = (number) => {
    if (!opened.has(number)) {
      const record = records[number];
      opened.set(
        number,
        new Model(record, find(`run-${number}`).textContent, images[record.images]),
      );
    }
    return opened.get(number);
  };
  const store = new Store({ model: 0 }),
    states = new Map();
  const modelOf = ({ model }) => open(model);

  const show = (number) => {
    states.set(store.state.model, { ...store.state });
    store.set(states.get(number) ?? openingState(open(number), number));
  };
  const follow = () => {
    const wanted = readLink(
      location.hash,
      records.map(({ title }) => title),
      open,
    );
    if (!wanted) return;
    if (wanted.model !== store.state.model) show(wanted.model);
    store.set({ z: wanted.z, label: wanted.label });
  };

  store.set(openingState(open(0), 0));
  store.listen(["model"], ({ model }) => {
    records.forEach((_, number) =>
      find(`tab-${number}`).setAttribute("aria-pressed", number === model),
    );
  });
  const pad = new Pad(store, modelOf);
  for (const Panel of [Stage, Latents, Critic, Walk, Samples, Sketch]) new Panel(store, modelOf);
  records.forEach((_, number) => onPress(`tab-${number}`, () => show(number)));
  onPress("clear-trail", () => pad.clearTrail());
  onPress("flatten", () => store.set({ z: ontoPlane(store.state.z, store.state.plane) }));
  const abilities = records.map((record) => ({
    codes: Boolean(record.codes),
    digits: decidesOnClass(record, record.codeLabels) && images[record.images].noun === "digits",
  }));
  new Tour(abilities, (number, opensPins) => {
    if (store.state.model !== number) show(number);
    if (opensPins) store.set({ pins: openingState(open(number), number).pins });
  });
  addEventListener("hashchange", follow);
  if (location.hash.length > 1) follow();
  store.tell();
  document.documentElement.dataset.ready = Math.round(performance.now());

  // For the browser's console: explorer.model.draw(z) gives the pixels of any z.
  globalThis.explorer = {
    get model() {
      return modelOf(store.state);
    },
    get state() {
      return store.state;
    },
    set: (change) => store.set(change),
  };
}

start();
