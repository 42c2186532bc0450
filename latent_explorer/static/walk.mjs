// Pins: latents worth keeping; walks between them, and sums of them.

import { fillSelect, find, onPress, prefersStillness, signed } from "./controls.mjs";
import { makeChoice, paint, Strip } from "./picture.mjs";
import { addScaled, alongStops, onArc, onLine } from "./vectors.mjs";

const FRAMES = 11;
const MOST_PINS = 6;
const SECONDS_A_LEG = 2.5;
const NOW = "now"; // stands for the latent shown above, among the pins of a sum
const PATHS = { line: onLine, arc: onArc };

export class Walk {
  constructor(store, modelOf) {
    Object.assign(this, { store, modelOf, playing: false, start: 0 });
    this.strips = Object.fromEntries(
      Object.keys(PATHS).map((name) => [
        name,
        new Strip(find(`walk-${name}`), (index) => this.goTo(name, index)),
      ]),
    );
    onPress("pin", () => this.pin());
    onPress("play", () => (this.playing ? this.stop() : this.play()));
    onPress("sum-go", () => this.store.set({ z: this.sum() }));
    for (const id of ["sum-a", "sum-b", "sum-c"]) {
      find(id).addEventListener("change", () => this.showSum());
    }
    store.listen(["pins", "model"], () => this.offer());
    store.listen(["pins", "label", "model", "moment"], () => this.show());
    store.listen(["z"], () => this.showSum());
    this.observer = new IntersectionObserver(([entry]) => {
      this.isSeen = entry.isIntersecting;
      if (this.isSeen && !this.wasPlayed && !prefersStillness()) this.play();
    });
    this.observer.observe(find("loop"));
  }

  get pins() {
    return this.store.state.pins;
  }

  get model() {
    return this.modelOf(this.store.state);
  }

  draw(z) {
    const { label, moment } = this.store.state;
    return this.model.draw(z, label, moment);
  }

  pin() {
    const used = new Set(this.pins.map(({ name }) => name));
    const name = [..."ABCDEF"].find((letter) => !used.has(letter));
    if (this.pins.length < MOST_PINS) {
      this.store.set({ pins: [...this.pins, { name, z: this.store.state.z }] });
    }
  }

  unpin(name) {
    this.store.set({ pins: this.pins.filter((pin) => pin.name !== name) });
  }

  /** The shelf of pins, and the pins to choose for a sum. */
  offer() {
    const { pins } = this;
    find("pin").disabled = pins.length >= MOST_PINS;
    find("pins").replaceChildren(...pins.map((pin) => this.makePin(pin)));
    const names = [...pins.map(({ name }) => [name, name]), [NOW, "this one"]];
    const usual = [0, 1, 2].map((index) => names[Math.min(index, names.length - 1)][0]);
    ["sum-a", "sum-b", "sum-c"].forEach((id, index) => fillSelect(id, names, usual[index]));
    find("walk-note").hidden = pins.length >= 2;
  }

  makePin({ name, z }) {
    const { button, canvas } = makeChoice(`pin ${name}: show it`, () => this.store.set({ z }));
    paint(canvas, this.draw(z), this.model.shape);
    const item = document.createElement("li"),
      remove = document.createElement("button");
    const letter = document.createElement("b");
    letter.textContent = name;
    Object.assign(remove, { type: "button", className: "remove", textContent: "\u00d7" });
    remove.setAttribute("aria-label", `remove pin ${name}`);
    remove.addEventListener("click", () => this.unpin(name));
    item.append(button, letter, remove);
    return item;
  }

  latentAt(path, t) {
    return alongStops(
      this.pins.map(({ z }) => z),
      t,
      PATHS[path],
    );
  }

  show() {
    const enough = this.pins.length >= 2;
    for (const [name, strip] of Object.entries(this.strips)) {
      const frames = enough ? FRAMES : 0;
      strip.show(
        Array.from({ length: frames }, (_, k) => ({
          pixels: this.draw(this.latentAt(name, k / (FRAMES - 1))),
          label: `${Math.round((100 * k) / (FRAMES - 1))}% of the way: show it`,
        })),
        this.model.shape,
      );
    }
    this.showLoop(0);
    this.showSum();
  }

  goTo(path, index) {
    this.store.set({ z: this.latentAt(path, index / (FRAMES - 1)) });
  }

  /** a - b + c of the pins chosen. */
  sum() {
    const [a, b, c] = ["sum-a", "sum-b", "sum-c"].map(
      (id) => this.pins.find(({ name }) => name === find(id).value)?.z ?? this.store.state.z,
    );
    return addScaled(addScaled(a, -1, b), 1, c);
  }

  showSum() {
    paint(find("sum"), this.draw(this.sum()), this.model.shape);
  }

  play() {
    if (this.pins.length < 2) return;
    Object.assign(this, { playing: true, wasPlayed: true, start: performance.now() });
    find("play").textContent = "Pause";
    requestAnimationFrame(() => this.tick());
  }

  stop() {
    this.playing = false;
    find("play").textContent = "Play";
  }

  /** One frame of the loop: through all pins, and back again. */
  tick() {
    if (!this.playing) return;
    if (this.pins.length < 2) {
      this.stop();
      return;
    }
    if (this.isSeen) {
      const legs = this.pins.length - 1;
      const time = ((performance.now() - this.start) / 1000 / SECONDS_A_LEG / legs) % 2;
      this.showLoop(time < 1 ? time : 2 - time);
    }
    requestAnimationFrame(() => this.tick());
  }

  showLoop(t) {
    if (this.pins.length < 2) return;
    paint(find("loop"), this.draw(this.latentAt(find("loop-path").value, t)), this.model.shape);
    find("loop-place").textContent = `${signed(100 * t, 0)}%`;
  }
}
