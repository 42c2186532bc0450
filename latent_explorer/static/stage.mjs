// The picture of the latent that is chosen now, and what stands beside it.

import { fillSelect, find, findAll, onPress, sayForAMoment } from "./controls.mjs";
import { linkTo } from "./link.mjs";
import { CLASS_COLORS, hasClassColors } from "./pad.mjs";
import { paint, Strip } from "./picture.mjs";
import { planeOfClasses, planeOfDirections, planeOfLatents, planeOfPins } from "./planes.mjs";
import { normalNumbers } from "./random.mjs";
import { CLASSES } from "./typical.mjs";

const NEIGHBOURS = 5;
const SAVED_SIDE = 560; // pixels of a saved PNG, at least

export class Stage {
  constructor(store, modelOf) {
    Object.assign(this, { store, modelOf, neighbours: new Strip(find("nearest"), () => {}) });
    onPress("new", () => this.drawAnew());
    onPress("save", () => this.save());
    onPress("copy", () => this.copy());
    for (const id of ["plane", "latent-a", "latent-b"]) {
      find(id).addEventListener("change", () => this.choosePlane());
    }
    find("moment").addEventListener("input", (event) =>
      store.set({ moment: event.target.valueAsNumber }),
    );
    store.listen(["z", "label", "model", "moment"], (state) => this.show(state));
    store.listen(["model"], (state) => this.offer(state));
    store.listen(["label", "model"], (state) => this.markClass(state));
    store.listen(["pins", "plane", "model"], (state) => this.offerPlanes(state));
    store.listen(["plane", "model"], ({ plane }) => {
      find("axis-x").textContent = `${plane.names[0]} \u2192`;
      find("axis-y").textContent = `${plane.names[1]} \u2192`;
    });
    store.listen(["moment", "model"], (state) => this.nameMoment(state));
  }

  /** The picture, and the training images that are nearest to it. */
  show(state) {
    const model = this.modelOf(state),
      { noun, trainLabels, numTrain } = model.real;
    const pixels = model.draw(state.z, state.label, state.moment);
    paint(find("picture"), pixels, model.shape);
    const found = model.real.nearest(pixels, NEIGHBOURS);
    this.neighbours.show(
      found.map(({ row, distance }) => ({
        pixels: model.real.trainImage(row),
        label:
          `training image${trainLabels ? ` of class ${trainLabels[row]}` : ""}, ` +
          `distance ${distance.toFixed(1)}`,
      })),
      model.shape,
    );
    const text = trainLabels ? `class ${trainLabels[found[0].row]}` : "an image";
    find("picture").setAttribute(
      "aria-label",
      `the picture of this latent; the nearest training image is ${text}`,
    );
    find("nearest-note").textContent =
      `Nearest of ${numTrain} training ${noun} in this file, distance ${found[0].distance.toFixed(1)}`;
  }

  /** The controls that a model has. */
  offer(state) {
    const model = this.modelOf(state);
    find("class-field").hidden = !model.numClasses;
    find("classes").replaceChildren(
      ...Array.from({ length: model.numClasses }, (_, label) => {
        const button = document.createElement("button");
        const textContent = model.classNames?.[label] ?? label;
        Object.assign(button, { type: "button", className: "chip", textContent });
        button.addEventListener("click", () => this.store.set({ label }));
        return button;
      }),
    );
    find("moment-field").hidden = !model.moments.length;
    Object.assign(find("moment"), { max: model.moments.length, value: state.moment });
    const latents = Array.from({ length: model.size }, (_, k) => [String(k), `latent ${k + 1}`]);
    fillSelect("latent-a", latents, "0");
    fillSelect("latent-b", latents, "1");
    this.colorClasses(model);
    findAll(".noun").forEach((element) => {
      element.textContent = model.real.noun.replace(/s$/, "");
    });
    find("shadow-note").textContent =
      model.size > 2
        ? "A dot is the shadow of a test image\u2019s code, the fainter the further it is from the plane."
        : "A dot is the code of a test image: the plane is the whole latent space.";
    findAll("[data-needs]").forEach((element) => {
      element.hidden = !model[element.dataset.needs];
    });
  }

  /** The colour of each class on the pad. */
  colorClasses(model) {
    const labels = hasClassColors(model)
      ? [...new Set(model.codeLabels)].sort((a, b) => a - b)
      : [];
    find("legend").replaceChildren(
      ...labels.map((label) => {
        const item = document.createElement("li"),
          dot = document.createElement("i");
        dot.style.background = CLASS_COLORS[label];
        item.append(dot, String(label));
        return item;
      }),
    );
  }

  markClass({ label }) {
    Array.from(find("classes").children).forEach((button, index) =>
      button.setAttribute("aria-pressed", index === label),
    );
  }

  nameMoment(state) {
    const { moments } = this.modelOf(state);
    const text = moments[state.moment] ? `step ${moments[state.moment].step}` : "trained";
    find("moment-value").textContent = text;
    find("moment").setAttribute("aria-valuetext", text);
  }

  offerPlanes(state) {
    const model = this.modelOf(state),
      directions = [];
    if (planeOfClasses(model)) {
      directions.push([
        "classes",
        `Through classes ${CLASSES.slice(0, 2).join(", ")} and ${CLASSES[2]}`,
      ]);
    }
    if (model.size > 2) directions.push(["0,1", "Directions 1 and 2"]);
    if (model.directions.length > 2)
      directions.push(["0,2", "Directions 1 and 3"], ["1,2", "Directions 2 and 3"]);
    const pins = state.pins.length >= 3 ? [["pins", "Through the first three pins"]] : [];
    const names = model.size > 2 ? "Two latents" : "Both latents";
    fillSelect("plane", [...directions, ["latents", names], ...pins], state.plane.kind);
    find("latent-pair").hidden = state.plane.kind !== "latents" || model.size === 2;
  }

  choosePlane() {
    const { state } = this.store,
      model = this.modelOf(state),
      { value } = find("plane");
    if (value === "pins") {
      const plane = planeOfPins(state.pins) ?? state.plane;
      this.store.set({ plane, z: state.pins[0].z });
    } else if (value === "classes") {
      this.store.set({ plane: planeOfClasses(model) });
    } else if (value === "latents") {
      const pair = [Number(find("latent-a").value), Number(find("latent-b").value)];
      if (pair[0] === pair[1]) pair[1] = (pair[0] + 1) % model.size;
      find("latent-b").value = String(pair[1]);
      this.store.set({ plane: planeOfLatents(model, pair) });
    } else {
      this.store.set({ plane: planeOfDirections(model, value.split(",").map(Number)) });
    }
  }

  /** A draw of the prior. */
  drawAnew() {
    const { state } = this.store,
      model = this.modelOf(state);
    const how = { prior: "learned", temperature: 1, limit: Infinity, label: state.label };
    this.store.set({ z: model.sample(normalNumbers(Math.random, model.size), Math.random(), how) });
  }

  /** Save the picture as a PNG, each pixel a square. */
  save() {
    const picture = find("picture"),
      scale = Math.ceil(SAVED_SIDE / picture.width);
    const large = document.createElement("canvas");
    Object.assign(large, { width: picture.width * scale, height: picture.height * scale });
    const surface = large.getContext("2d");
    surface.imageSmoothingEnabled = false;
    surface.drawImage(picture, 0, 0, large.width, large.height);
    large.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${this.modelOf(this.store.state).title.replace(/[^\w-]+/g, "_")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  /** Put the state into the address, and the address into the clipboard. */
  async copy() {
    const hash = linkTo(this.store.state, this.modelOf(this.store.state));
    history.replaceState(null, "", hash);
    try {
      await navigator.clipboard.writeText(location.href);
      sayForAMoment(find("copy"), "Copied");
    } catch {
      sayForAMoment(find("copy"), "It is in the address bar");
    }
  }
}
