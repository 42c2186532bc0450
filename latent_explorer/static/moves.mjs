// The layers that compute nothing: they move pixels to other places, or average some of them. They
// have the form of those in layers.mjs.

/** How many numbers a shape holds. */
export const sizeOf = (shape) => shape.reduce((product, side) => product * side, 1);

/** The same numbers in another shape. */
export const reshape = {
  forward(step, [x], y) {
    y.set(x);
  },
  backward(step, [x], y, dy, [dx]) {
    for (let i = 0; i < dx.length; i++) dx[i] += dy[i];
  },
};

/** The channels of several inputs side by side, at each pixel. */
export const concatenate = {
  forward(step, xs, y) {
    eachJoined(step, (number, i, o) => {
      y[o] = xs[number][i];
    });
  },
  backward(step, xs, y, dy, dxs) {
    eachJoined(step, (number, i, o) => {
      dxs[number][i] += dy[o];
    });
  },
};

function eachJoined(step, visit) {
  const all = step.shape.at(-1),
    pixels = sizeOf(step.shape) / all;
  let first = 0;
  step.sourceShapes.forEach((shape, number) => {
    const channels = shape.at(-1);
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let c = 0; c < channels; c++) {
        visit(number, pixel * channels + c, pixel * all + first + c);
      }
    }
    first += channels;
  });
}

/** Layers that only move or average pixels, told by which input pixel each output pixel takes. */
const moving = (eachMove) => ({
  forward(step, [x], y) {
    y.fill(0);
    eachMove(step, (from, to, weight) => {
      y[to] += weight * x[from];
    });
  },
  backward(step, [x], y, dy, [dx]) {
    eachMove(step, (from, to, weight) => {
      dx[from] += weight * dy[to];
    });
  },
});

/** Visit the pixels of an image: (y, x, channel). */
function eachPixel([height, width, channels], visit) {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) visit(y, x, c);
  }
}

const place = ([, width, channels], y, x, c) => (y * width + x) * channels + c;

export const crop = moving((step, move) => {
  const source = step.sourceShapes[0];
  eachPixel(step.shape, (y, x, c) =>
    move(place(source, y + step.top, x + step.left, c), place(step.shape, y, x, c), 1),
  );
});

export const pad = moving((step, move) => {
  const source = step.sourceShapes[0];
  eachPixel(source, (y, x, c) =>
    move(place(source, y, x, c), place(step.shape, y + step.top, x + step.left, c), 1),
  );
});

export const upsample = moving((step, move) => {
  const source = step.sourceShapes[0],
    [rows, columns] = step.factors;
  eachPixel(step.shape, (y, x, c) =>
    move(
      place(source, Math.floor(y / rows), Math.floor(x / columns), c),
      place(step.shape, y, x, c),
      1,
    ),
  );
});

export const averagePool = moving((step, move) => {
  const source = step.sourceShapes[0],
    [rows, columns] = step.factors;
  const [height, width, channels] = step.shape;
  eachPixel([height * rows, width * columns, channels], (y, x, c) =>
    move(
      place(source, y, x, c),
      place(step.shape, Math.floor(y / rows), Math.floor(x / columns), c),
      1 / (rows * columns),
    ),
  );
});
