// Five stops for who sees this for the first time: a question, what to do, what to look for.

import { find, findAll, onPress, prefersStillness } from "./controls.mjs";

// `needs` is what a run must have for a stop: "codes" (a VAE) or "digits" (a VAE of digits whose
// codes say the class). The stop is then shown with the first such run.

const PLANE = {
  panel: "stage",
  question: "What does a latent space look like?",
  text:
    "Drag the ring across the pad. Each place is a list of numbers, and the network draws a " +
    "picture from them. Look for borders: how far do you go before one is another?",
};

const THREE_AND_EIGHT = {
  panel: "walk-panel",
  needs: "digits",
  opensPins: true,
  question: "What is between a 3 and an 8?",
  text:
    "A and B are codes of a 3 and of an 8. Follow the strip from left to right. Is there a " +
    "place where the picture is neither? Does the stroke close at once, or in steps?",
};

const BETWEEN = {
  panel: "walk-panel",
  question: "What is between two pictures?",
  text:
    "Pin pictures that differ, and follow the strips from left to right. Compare the middles: " +
    "draws of N(0, I) lie near a sphere, and a straight line between them passes inside of it.",
};

const BLUR = {
  panel: "sketch-panel",
  needs: "codes",
  question: "Why are these blurred?",
  text:
    "Choose a real image and erase half of it. A VAE that is trained by squared error answers " +
    "with the mean of all images that fit its code. Where these differ, the mean is grey.",
};

const TRUNCATION = {
  panel: "samples-panel",
  question: "Quality or variety?",
  text:
    "Draw the truncation down. Latents near the middle give usual pictures: look for those " +
    "that become alike, and for odd ones that go away.",
};

const HOLES = {
  panel: "samples-panel",
  needs: "codes",
  question: "Where are the holes in the prior?",
  text:
    "Both grids come from the same network. On the left its latents are drawn from N(0, I), on " +
    "the right from where real images have their codes. A picture of nothing fell into a hole.",
};

const ONE_LATENT = {
  panel: "stage",
  question: "What does one latent do?",
  text:
    "Drag the bars, one after the other. Does one of them stand for something that has a name, " +
    "such as the slant? Mostly it is a mixture: nothing asked the network to sort them.",
};

const COPIES = {
  panel: "stage",
  question: "Does it copy?",
  text:
    "Press \u201cNew\u201d some times and compare the picture with the nearest training images " +
    "below it. A copy would be the same in every pixel, at a distance near 0. The file has " +
    "only some of the training images.",
};

export class Tour {
  /**
   * @param {{codes: boolean, digits: boolean}[]} runs what each run has.
   * @param {(number: number, opensPins: boolean) => void} show shows a run, with the pins that it
   *   opens with if the stop is about them.
   */
  constructor(runs, show) {
    const oneOf = (...stops) => stops.find(({ needs }) => !needs || runs.some((run) => run[needs]));
    this.stops = [
      PLANE,
      oneOf(THREE_AND_EIGHT, BETWEEN),
      oneOf(BLUR, TRUNCATION),
      oneOf(HOLES, ONE_LATENT),
      COPIES,
    ];
    Object.assign(this, { runs, showRun: show, at: 0 });
    onPress("tour", () => this.open());
    onPress("tour-next", () =>
      this.at + 1 < this.stops.length ? this.show(this.at + 1) : this.close(),
    );
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
    if (stop.needs)
      this.showRun(
        this.runs.findIndex((run) => run[stop.needs]),
        stop.opensPins,
      );
    find("tour-count").textContent = `${index + 1} of ${this.stops.length}`;
    find("tour-question").textContent = stop.question;
    find("tour-text").textContent = stop.text;
    find("tour-back").disabled = index === 0;
    find("tour-next").textContent = index + 1 < this.stops.length ? "Next" : "Done";
    this.mark(stop.panel);
    requestAnimationFrame(() =>
      find(stop.panel).scrollIntoView({
        block: "start",
        behavior: prefersStillness() ? "auto" : "smooth",
      }),
    );
  }

  mark(panel) {
    findAll(".toured").forEach((element) => element.classList.remove("toured"));
    if (panel) find(panel).classList.add("toured");
  }
}
