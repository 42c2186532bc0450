// Five stops for who sees this for the first time: a question, what to do, what to look for.

import { find, findAll, onPress, prefersStillness } from "./controls.mjs";

const VAE = "VAE", GAN = "GAN";

const STOPS = [
  {
    panel: "stage",
    question: "What does a latent space look like?",
    text: "Drag the ring across the pad. Each place is a list of numbers, and the network draws a "
      + "picture from them. Look for borders: how far do you go before one digit is another?",
  },
  {
    panel: "walk-panel",
    family: VAE,
    question: "What is between a 3 and an 8?",
    text: "A and B are codes of a 3 and of an 8. Follow the strip from left to right. Is there a "
      + "place where the picture is neither? Does the stroke close at once, or in steps?",
  },
  {
    panel: "sketch-panel",
    family: VAE,
    question: "Why are these blurred?",
    text: "Choose a digit and erase half of it. A VAE that is trained by squared error answers "
      + "with the mean of all images that fit its code. Where these differ, the mean is grey.",
  },
  {
    panel: "samples-panel",
    family: VAE,
    question: "Where are the holes in the prior?",
    text: "Both grids come from the same network. On the left its latents are drawn from N(0, I), "
      + "on the right from where real images have their codes. What is no digit fell into a hole.",
  },
  {
    panel: "stage",
    question: "Does it copy?",
    text: "Press \u201cNew\u201d some times and compare the picture with the nearest training "
      + "images below it. A copy would be the same stroke for stroke, at a distance near 0. The "
      + "file has only some of the training images.",
  },
];

const GAN_STOPS = [
  {
    panel: "walk-panel",
    family: GAN,
    question: "Is there anything between two pictures?",
    text: "Pin two pictures that differ. On the straight strip and on the arc, look at the middle: "
      + "latents of a GAN lie near a sphere, and the straight line passes inside of it.",
  },
  {
    panel: "samples-panel",
    family: GAN,
    question: "Quality or variety?",
    text: "Draw the truncation down. Latents near the middle give usual pictures: look for digits "
      + "that become alike, and for odd ones that go away.",
  },
];

export class Tour {
  /** @param {(family: string) => boolean} showFamily shows a run of a family, if there is one. */
  constructor(families, showFamily) {
    const fits = ({ family }) => !family || families.has(family);
    const middle = families.has(VAE) ? [] : GAN_STOPS;
    this.stops = [STOPS[0], ...STOPS.slice(1, 4).filter(fits), ...middle, STOPS[4]];
    Object.assign(this, { showFamily, at: 0 });
    onPress("tour", () => this.open());
    onPress("tour-next", () => (this.at + 1 < this.stops.length ? this.show(this.at + 1) : this.close()));
    onPress("tour-back", () => this.show(Math.max(0, this.at - 1)));
    onPress("tour-close", () => this.close());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  open() {
    find("tour-card").hidden = false;
    this.show(0);
    find("tour-next").focus();
  }

  close() {
    if (find("tour-card").hidden) return;
    find("tour-card").hidden = true;
    this.mark(null);
    find("tour").focus();
  }

  show(index) {
    this.at = index;
    const stop = this.stops[index];
    if (stop.family) this.showFamily(stop.family);
    find("tour-count").textContent = `${index + 1} of ${this.stops.length}`;
    find("tour-question").textContent = stop.question;
    find("tour-text").textContent = stop.text;
    find("tour-back").disabled = index === 0;
    find("tour-next").textContent = index + 1 < this.stops.length ? "Next" : "Done";
    this.mark(stop.panel);
    requestAnimationFrame(() => find(stop.panel).scrollIntoView({
      block: "start", behavior: prefersStillness() ? "auto" : "smooth",
    }));
  }

  mark(panel) {
    findAll(".toured").forEach((element) => element.classList.remove("toured"));
    if (panel) find(panel).classList.add("toured");
  }
}
