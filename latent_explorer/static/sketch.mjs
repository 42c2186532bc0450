// A sheet to draw on: the VAE encodes the drawing and shows what it decodes again.

import { find, onPress, oncePerFrame } from "./controls.mjs";
import { paint, Strip } from "./picture.mjs";

const FINE = 10; // strokes are drawn in squares of so many points a pixel
const PEN = 2.1; // width of a stroke in pixels of an image of 28
const ERASER = 5;
const BOX = 20 / 28; // MNIST digits fill a box of 20 of 28 pixels

export class Sketch {
  constructor(store, modelOf) {
    Object.assign(this, {
      store,
      modelOf,
      sheet: find("sketch"),
      pen: { x: 0.5, y: 0.5, isDown: false },
    });
    this.surface = this.sheet.getContext("2d", { willReadFrequently: true });
    this.examples = new Strip(find("examples"), (index) => this.load(index));
    this.showSoon = oncePerFrame(() => this.show());
    this.sheet.addEventListener("pointerdown", (event) => {
      this.sheet.setPointerCapture(event.pointerId);
      this.last = null;
      this.stroke(this.placeOf(event));
    });
    this.sheet.addEventListener("pointermove", (event) => {
      if (!this.sheet.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) this.stroke(this.placeOf(one));
    });
    this.sheet.addEventListener("keydown", (event) => this.onKey(event));
    onPress("sketch-clear", () => this.clear());
    onPress("sketch-go", () => this.store.set({ z: this.code }));
    find("centre").addEventListener("change", () => this.show());
    store.listen(["model"], () => this.open());
    store.listen(["label", "moment"], () => this.show());
  }

  get model() {
    return this.modelOf(this.store.state);
  }

  /** A sheet for the images of another model. */
  open() {
    const { model } = this;
    if (!model.encoding) return;
    const [height, width] = model.shape;
    find("centre-field").hidden = model.real.noun !== "digits";
    Object.assign(this.sheet, { width: width * FINE, height: height * FINE });
    const { real } = model,
      count = Math.min(10, real.numTest);
    this.examples.show(
      Array.from({ length: count }, (_, index) => ({
        pixels: real.testImage(index),
        label: `put this test image on the sheet${real.testLabels ? `: a ${real.testLabels[index]}` : ""}`,
      })),
      model.shape,
    );
    this.load(Math.min(4, count - 1));
  }

  /** Put a real image on the sheet. */
  load(index) {
    const { model } = this,
      picture = document.createElement("canvas");
    paint(picture, model.real.testImage(index), model.shape);
    this.surface.imageSmoothingEnabled = false;
    this.surface.drawImage(picture, 0, 0, this.sheet.width, this.sheet.height);
    this.isHandmade = false;
    if (model.numClasses) this.store.set({ label: model.real.testLabels[index] });
    this.showSoon();
  }

  clear() {
    this.surface.fillStyle = "black";
    this.surface.fillRect(0, 0, this.sheet.width, this.sheet.height);
    this.isHandmade = true;
    find("tool-draw").checked = true;
    this.showSoon();
  }

  placeOf(event) {
    const box = this.sheet.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.sheet.width,
      y: ((event.clientY - box.top) / box.height) * this.sheet.height,
    };
  }

  /** A line from the last place to this one. */
  stroke(place) {
    const { surface } = this,
      from = this.last ?? place;
    const erases = find("tool-erase").checked;
    surface.strokeStyle = erases ? "black" : "white";
    surface.lineWidth = ((erases ? ERASER : PEN) / 28) * this.sheet.width;
    surface.lineCap = surface.lineJoin = "round";
    surface.beginPath();
    surface.moveTo(from.x, from.y);
    surface.lineTo(place.x + 0.01, place.y);
    surface.stroke();
    this.last = place;
    this.showSoon();
  }

  /** Arrows move the pen, the space bar puts it down and lifts it. */
  onKey(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    const { pen } = this;
    if (!way && event.key !== " ") return;
    event.preventDefault();
    const place = () => ({ x: pen.x * this.sheet.width, y: pen.y * this.sheet.height });
    if (!way) pen.isDown = !pen.isDown;
    else {
      this.last = place();
      pen.x = Math.min(1, Math.max(0, pen.x + way[0] / 28));
      pen.y = Math.min(1, Math.max(0, pen.y + way[1] / 28));
    }
    if (pen.isDown) this.stroke(place());
    find("pen").textContent =
      `Pen ${pen.isDown ? "down" : "up"}, column ${Math.round(28 * pen.x)}, row ${Math.round(28 * pen.y)}`;
  }

  /** The sheet as an image of the network's size: the mean of each square of points. */
  pixels() {
    const [height, width, channels] = this.model.shape,
      side = width * FINE;
    const { data } = this.surface.getImageData(0, 0, side, height * FINE);
    const pixels = new Float32Array(height * width * channels);
    for (let y = 0; y < height * FINE; y++) {
      for (let x = 0; x < side; x++) {
        const at = (Math.floor(y / FINE) * width + Math.floor(x / FINE)) * channels;
        for (let c = 0; c < channels; c++) {
          pixels[at + c] += data[4 * (y * side + x) + c] / (255 * FINE * FINE);
        }
      }
    }
    return pixels;
  }

  show() {
    const { model } = this,
      { label, moment } = this.store.state;
    if (!model.encoding) return;
    const drawn = this.pixels();
    const centres = this.isHandmade && model.real.noun === "digits" && find("centre").checked;
    const seen = centres ? centreLikeMnist(drawn, model.shape) : drawn;
    this.code = model.encode(seen, label);
    const back = model.draw(this.code, label, moment);
    paint(find("seen"), seen, model.shape);
    paint(find("back"), back, model.shape);
    let error = 0;
    for (let i = 0; i < seen.length; i++) error += (seen[i] - back[i]) ** 2;
    find("sketch-error").textContent = error.toFixed(1);
  }
}

/**
 * A drawing as MNIST's makers prepared theirs: scaled to a box of 20 of 28 pixels, its centre of
 * mass in the middle (LeCun et al. 1998, section II). The network has never seen another digit.
 */
function centreLikeMnist(pixels, [height, width]) {
  let left = width,
    right = -1,
    top = height,
    bottom = -1;
  eachInk(pixels, width, (x, y) => {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  });
  if (right < 0) return pixels;
  const scale = (BOX * height) / Math.max(right - left + 1, bottom - top + 1);
  let mass = 0,
    centreX = 0,
    centreY = 0;
  eachInk(pixels, width, (x, y, value) => {
    mass += value;
    centreX += value * x;
    centreY += value * y;
  });
  const result = new Float32Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      result[y * width + x] = bilinear(
        pixels,
        height,
        width,
        centreX / mass + (x - (width - 1) / 2) / scale,
        centreY / mass + (y - (height - 1) / 2) / scale,
      );
    }
  }
  return result;
}

function eachInk(pixels, width, visit) {
  pixels.forEach((value, at) => {
    if (value > 0.1) visit(at % width, Math.floor(at / width), value);
  });
}

/** The value between pixels; outside of the image is black. */
function bilinear(pixels, height, width, x, y) {
  const x0 = Math.floor(x),
    y0 = Math.floor(y),
    a = x - x0,
    b = y - y0;
  const at = (column, row) =>
    column >= 0 && row >= 0 && column < width && row < height ? pixels[row * width + column] : 0;
  return (
    (1 - b) * ((1 - a) * at(x0, y0) + a * at(x0 + 1, y0)) +
    b * ((1 - a) * at(x0, y0 + 1) + a * at(x0 + 1, y0 + 1))
  );
}
