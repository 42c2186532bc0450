// Pictures on the page: one canvas pixel a pixel, which the style sheet enlarges.

/** Fill a canvas with numbers from 0 to 1, row by row, the channels of a pixel side by side. */
export function paint(canvas, pixels, [height, width, channels]) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * pixel + c] = 255 * pixels[pixel * channels + (channels === 3 ? c : 0)]; // is rounded
    }
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A canvas with a text that says what it shows. */
function makeCanvas(label = "") {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

/** A picture that can be chosen: a button with a canvas. */
export function makeChoice(label, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "choice";
  button.title = label;
  const canvas = makeCanvas(label);
  button.append(canvas);
  button.addEventListener("click", choose);
  return { button, canvas };
}

/** A row of pictures to choose from, made anew only when their number changes. */
export class Strip {
  /**
   * @param {Element} parent
   * @param {(index: number) => void} choose called with the number of the picture chosen.
   */
  constructor(parent, choose) {
    this.parent = parent;
    this.choose = choose;
    this.canvases = [];
  }

  /** @param {{pixels: ArrayLike<number>, label: string}[]} pictures */
  show(pictures, shape) {
    if (pictures.length !== this.canvases.length) {
      const made = pictures.map((_, index) => makeChoice("", () => this.choose(index)));
      this.parent.replaceChildren(...made.map(({ button }) => button));
      this.canvases = made.map(({ canvas }) => canvas);
    }
    pictures.forEach(({ pixels, label }, index) => {
      const canvas = this.canvases[index];
      paint(canvas, pixels, shape);
      if (canvas.getAttribute("aria-label") !== label) {
        canvas.setAttribute("aria-label", label);
        canvas.parentElement.title = label;
      }
    });
  }
}
