// The pad: a plane through the latent space. A drag moves through it.
//
// The plane has an origin and two directions a and b of length 1 at right angles. A latent z is
// rest + u a + v b: (u, v) is its place on the pad, counted from the origin, and the rest is what
// the plane does not show.
// A drag changes u and v alone, so every picture of the pad has the same rest.

import { Background, find, signed } from "./controls.mjs";
import { paint } from "./picture.mjs";
import { addScaled, dotProduct, lengthOf } from "./vectors.mjs";

const TILES = 13; // pictures along a side
const TRAIL = 60; // pictures remembered
const STEP = 0.04; // a key press, as a share of the half side

/** Colours of classes, told apart on black, also by colour-blind eyes (after Paul Tol). */
export const CLASS_COLORS = [
  "#88ccee",
  "#eedd88",
  "#44bb99",
  "#ee8866",
  "#aaaaff",
  "#bbcc33",
  "#ffaabb",
  "#ee5599",
  "#dddddd",
  "#bb88dd",
];

/** True if each class of a model's codes has a colour of its own. */
export const hasClassColors = ({ codeLabels }) =>
  Boolean(codeLabels) && Math.max(...codeLabels) < CLASS_COLORS.length;

const colorOfClass = (model, index) =>
  CLASS_COLORS[hasClassColors(model) ? model.codeLabels[index] : 0];

export class Pad {
  /**
   * @param {Store} store
   * @param {(state: object) => Model} modelOf
   */
  constructor(store, modelOf) {
    Object.assign(this, {
      store,
      modelOf,
      canvas: find("pad"),
      trail: [],
      background: new Background(),
    });
    this.mosaic = document.createElement("canvas");
    this.tile = document.createElement("canvas");
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.moveTo(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.moveTo(event);
    });
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    for (const id of ["show-pictures", "show-codes", "show-trail"]) {
      find(id).addEventListener("change", () => this.paint());
    }
    store.listen(["z", "label", "plane", "model", "moment"], (state) => this.update(state));
  }

  /** Where z is on the plane, and what remains of it. */
  placeOf(z, { origin, first, second }) {
    const away = addScaled(z, -1, origin);
    const u = dotProduct(away, first),
      v = dotProduct(away, second);
    return { u, v, rest: addScaled(addScaled(z, -u, first), -v, second) };
  }

  update(state) {
    const model = this.modelOf(state);
    const { plane, z, label, moment } = state;
    const { u, v, rest } = this.placeOf(z, plane);
    const same =
      this.plane === plane &&
      this.model === model &&
      this.label === label &&
      this.moment === moment &&
      lengthOf(addScaled(rest, -1, this.rest)) < 1e-3;
    Object.assign(this, { plane, model, label, moment, u, v });
    if (!same) {
      this.rest = rest;
      this.trail = [];
      this.extent = this.findExtent();
      this.fillMosaic();
    }
    this.remember();
    this.paint();
    this.canvas.setAttribute("aria-valuenow", (u / this.extent).toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${signed(u)} across, ${signed(v)} up`);
    find("pad-place").textContent = `${signed(u, 2)}, ${signed(v, 2)}`;
  }

  /** Half of the pad's side in the units of z: the corners and most codes lie within. */
  findExtent() {
    const { codes, size } = this.model;
    const corners = (this.plane.corners ?? []).map((z) => this.placeOf(z, this.plane));
    const least = 1.25 * Math.max(...corners.flatMap(({ u, v }) => [Math.abs(u), Math.abs(v)]), 0);
    if (!codes) return Math.max(3, least);
    this.points = Array.from({ length: codes.length / size }, (_, index) => {
      const { u, v, rest } = this.placeOf(this.model.code(index), this.plane);
      return { u, v, away: lengthOf(addScaled(rest, -1, this.plane.origin)), index };
    }).sort((a, b) => b.away - a.away); // the nearest are drawn last, on top
    const far = this.points.flatMap(({ u, v }) => [Math.abs(u), Math.abs(v)]).sort((a, b) => a - b);
    return Math.max(1.5, least, 1.15 * far[Math.floor(0.995 * (far.length - 1))]);
  }

  /** The latent at a place of the plane. */
  latentAt(u, v) {
    return addScaled(addScaled(this.rest, u, this.plane.first), v, this.plane.second);
  }

  /** Draw the pictures of the whole plane, in an order that shows all of it early. */
  fillMosaic() {
    const {
      model: {
        shape: [height, width],
      },
      mosaic,
    } = this;
    if (mosaic.width !== TILES * width || mosaic.model !== this.model) {
      // else it is drawn over
      Object.assign(mosaic, { width: TILES * width, height: TILES * height, model: this.model });
    }
    const surface = this.mosaic.getContext("2d");
    const stride = 73; // has no common divisor with TILES ** 2, so all places are visited
    this.background.start(
      TILES ** 2,
      (piece) => {
        const number = (piece * stride) % TILES ** 2;
        const column = number % TILES,
          row = Math.floor(number / TILES);
        const [u, v] = [column, TILES - 1 - row].map(
          (k) => ((2 * k + 1) / TILES - 1) * this.extent,
        );
        paint(
          this.tile,
          this.model.draw(this.latentAt(u, v), this.label, this.moment),
          this.model.shape,
        );
        surface.drawImage(this.tile, column * width, row * height);
      },
      () => this.paint(),
    );
  }

  /** Keep a picture of where the hand is, unless there is one nearby already. */
  remember() {
    const near = this.trail.some(
      ([u, v]) => Math.hypot(u - this.u, v - this.v) < (1.6 * this.extent) / TILES,
    );
    if (near) return;
    const picture = document.createElement("canvas");
    paint(
      picture,
      this.model.draw(this.latentAt(this.u, this.v), this.label, this.moment),
      this.model.shape,
    );
    this.trail = [...this.trail, [this.u, this.v, picture]].slice(-TRAIL);
  }

  clearTrail() {
    this.trail = [];
    this.remember();
    this.paint();
  }

  moveTo(event) {
    const box = this.canvas.getBoundingClientRect();
    this.go(
      ((2 * (event.clientX - box.left)) / box.width - 1) * this.extent,
      (1 - (2 * (event.clientY - box.top)) / box.height) * this.extent,
    );
  }

  /** Move to a place of the plane, not beyond its border. */
  go(u, v) {
    const within = (value) => Math.min(this.extent, Math.max(-this.extent, value));
    this.store.set({ z: this.latentAt(within(u), within(v)) });
  }

  onKey(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (!way) return;
    event.preventDefault();
    const step = STEP * this.extent * (event.shiftKey ? 5 : 1);
    this.go(this.u + step * way[0], this.v + step * way[1]);
  }

  /** Draw the pad as it is now. */
  paint() {
    if (!this.model) return;
    const side = this.canvas.clientWidth,
      ratio = Math.min(2, devicePixelRatio || 1);
    if (!side) return;
    if (this.canvas.width !== Math.round(side * ratio)) {
      this.canvas.width = this.canvas.height = Math.round(side * ratio);
    }
    const surface = this.canvas.getContext("2d");
    surface.setTransform(ratio, 0, 0, ratio, 0, 0);
    surface.fillStyle = "#0b0c0e";
    surface.fillRect(0, 0, side, side);
    const codes = this.model.codes && find("show-codes").checked;
    if (find("show-pictures").checked) this.paintMosaic(surface, side, codes ? 0.42 : 0.55);
    if (codes) this.paintCodes(surface, side);
    if (find("show-trail").checked) this.paintTrail(surface, side);
    this.paintHandle(surface, side);
  }

  toPad(u, v, side) {
    return [((u / this.extent + 1) * side) / 2, ((1 - v / this.extent) * side) / 2];
  }

  paintMosaic(surface, side, strength) {
    surface.globalAlpha = strength;
    surface.imageSmoothingEnabled = true;
    surface.drawImage(this.mosaic, 0, 0, side, side);
    surface.globalAlpha = 1;
  }

  paintCodes(surface, side) {
    const radius = Math.max(1.8, side / 190);
    this.points.forEach(({ u, v, index }, rank) => {
      const [x, y] = this.toPad(u, v, side);
      surface.globalAlpha =
        this.model.size > 2 ? 0.15 + 0.85 * (rank / this.points.length) ** 3 : 1;
      surface.fillStyle = colorOfClass(this.model, index);
      surface.beginPath();
      surface.arc(x, y, radius, 0, 2 * Math.PI);
      surface.fill();
    });
    surface.globalAlpha = 1;
  }

  paintTrail(surface, side) {
    const size = (0.92 * side) / TILES;
    for (const [u, v, picture] of this.trail) {
      const [x, y] = this.toPad(u, v, side);
      surface.drawImage(picture, x - size / 2, y - size / 2, size, size);
      surface.strokeStyle = "rgba(255, 255, 255, 0.35)";
      surface.strokeRect(x - size / 2, y - size / 2, size, size);
    }
  }

  paintHandle(surface, side) {
    const [x, y] = this.toPad(this.u, this.v, side);
    for (const [color, width] of [
      ["#0b0c0e", 6],
      ["#ffd166", 3],
    ]) {
      surface.strokeStyle = color;
      surface.lineWidth = width;
      surface.beginPath();
      surface.arc(x, y, 13, 0, 2 * Math.PI);
      surface.stroke();
    }
    surface.lineWidth = 1;
  }
}
