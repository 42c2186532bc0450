// What a GAN's discriminator says of the picture, and which pixels it would change.

import { find, signed } from "./controls.mjs";

const WIDEST = 10; // logits beyond are at the end of the scale

export class Critic {
  constructor(store, modelOf) {
    Object.assign(this, { store, modelOf });
    find("show-gradient").addEventListener("change", () => this.show());
    store.listen(["z", "label", "model", "moment"], () => this.show());
  }

  show() {
    const { state } = this.store,
      model = this.modelOf(state),
      overlay = find("overlay");
    overlay.hidden = !model.judging || !find("show-gradient").checked;
    if (!model.judging) return;
    const pixels = model.draw(state.z, state.label, state.moment);
    const { logit, gradient } = model.judge(pixels, state.label);
    find("logit").textContent = signed(logit, 2);
    const share = 50 + (50 * Math.max(-WIDEST, Math.min(WIDEST, logit))) / WIDEST;
    find("logit-mark").style.left = `${share}%`;
    if (!overlay.hidden) paintGradient(overlay, gradient, model.shape);
  }
}

/** Orange where more light would raise the logit, blue where less light would. */
function paintGradient(canvas, gradient, [height, width, channels]) {
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  const sums = Array.from({ length: width * height }, (_, pixel) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += gradient[pixel * channels + c];
    return sum;
  });
  const largest = Math.max(...sums.map(Math.abs)) || 1;
  sums.forEach((sum, pixel) => {
    const color = sum > 0 ? [255, 150, 40] : [70, 150, 255];
    image.data.set(
      [...color, 255 * Math.min(1, 0.9 * (Math.abs(sum) / largest) ** 1.3)],
      4 * pixel,
    );
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
