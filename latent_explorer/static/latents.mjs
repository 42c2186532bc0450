// All latents at once: a bar for each, which a finger or a key moves.

import { find, signed } from "./controls.mjs";
import { addScaled } from "./vectors.mjs";

const REACH = 3; // the bars go from -3 to 3
const A_ROW = 25; // bars in a row, so that each is as wide as a finger needs
const TALL = 84,
  LOW = 46; // height of a row, alone or among others

export class Latents {
  constructor(store) {
    Object.assign(this, { store, canvas: find("latents"), chosen: 0 });
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.chosen = this.barAt(event);
      this.drag(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.drag(event);
    });
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("focus", () => this.paint());
    this.canvas.addEventListener("blur", () => this.paint());
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    store.listen(["z", "model"], () => this.paint());
  }

  get z() {
    return this.store.state.z;
  }

  get numRows() {
    return Math.ceil(this.z.length / A_ROW);
  }

  get rowHeight() {
    return this.numRows > 1 ? LOW : TALL;
  }

  get perRow() {
    return Math.ceil(this.z.length / this.numRows);
  }

  barAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.perRow);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.numRows);
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
    return clamp(
      clamp(row, this.numRows) * this.perRow + clamp(column, this.perRow),
      this.z.length,
    );
  }

  drag(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(this.chosen / this.perRow);
    const middle = box.top + ((row + 0.5) / this.numRows) * box.height;
    this.change((2 * REACH * (middle - event.clientY) * this.numRows) / box.height);
  }

  change(value) {
    const z = addScaled(this.z, 0, this.z);
    z[this.chosen] = Math.min(REACH, Math.max(-REACH, value));
    this.store.set({ z });
  }

  onKey(event) {
    const { chosen, z } = this,
      step = event.shiftKey ? 0.5 : 0.1;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      this.chosen = (chosen + (event.key === "ArrowLeft" ? -1 : 1) + z.length) % z.length;
      this.paint();
    } else if (event.key === "ArrowUp") this.change(z[chosen] + step);
    else if (event.key === "ArrowDown") this.change(z[chosen] - step);
    else if (event.key === "Home") this.change(0);
    else return;
    event.preventDefault();
  }

  paint() {
    const { canvas, z } = this;
    const width = canvas.clientWidth;
    if (!z || !width) return;
    const ratio = Math.min(2, devicePixelRatio || 1),
      height = this.rowHeight * this.numRows;
    canvas.style.height = `${height}px`;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const surface = canvas.getContext("2d"),
      style = getComputedStyle(canvas);
    surface.setTransform(ratio, 0, 0, ratio, 0, 0);
    z.forEach((value, index) => this.paintBar(surface, style, width, value, index));
    const text = `latent ${this.chosen + 1} of ${z.length}: ${signed(z[this.chosen], 2)}`;
    find("latent-name").textContent = text;
    canvas.setAttribute("aria-valuenow", z[this.chosen].toFixed(2));
    canvas.setAttribute("aria-valuetext", text);
  }

  paintBar(surface, style, width, value, index) {
    const row = Math.floor(index / this.perRow),
      column = index % this.perRow;
    const slot = width / this.perRow,
      middle = (row + 0.5) * this.rowHeight;
    const height = (Math.max(-REACH, Math.min(REACH, value)) / REACH) * (this.rowHeight / 2 - 3);
    const isChosen = index === this.chosen;
    surface.fillStyle = style.getPropertyValue("--line");
    surface.fillRect(column * slot, middle - 0.5, slot, 1);
    surface.fillStyle = style.getPropertyValue(isChosen ? "--accent" : "--bar");
    surface.fillRect(column * slot + slot * 0.15, middle, slot * 0.7, -height || 1);
  }
}
