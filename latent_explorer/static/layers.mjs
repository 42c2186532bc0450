// One function for each kind of layer, for one example at a time. This is all that a network does.
//
// An image is a flat array, row by row, the channels of a pixel side by side: pixel (y, x), channel
// c of an image (height, width, channels) is at (y * width + x) * channels + c. A step has the
// `shape` of its output and its arrays, such as `kernel` and `bias`, whose last axis is the output
// channel. `forward` fills `y`. `backward` gets dy, the gradient of some number with respect to y,
// and adds the gradient with respect to each input to dxs: the chain rule, a layer at a time.

import { averagePool, concatenate, crop, pad, reshape, sizeOf, upsample } from "./moves.mjs";

/** y = x W + b: every output is a weighted sum of all inputs. */
const dense = {
  forward(step, [x], y) {
    const { kernel, bias } = step,
      units = y.length;
    y.set(bias);
    for (let i = 0, at = 0; i < x.length; i++, at += units) {
      const value = x[i];
      for (let o = 0; o < units; o++) y[o] += value * kernel[at + o];
    }
  },
  backward(step, [x], y, dy, [dx]) {
    const { kernel } = step,
      units = y.length;
    for (let i = 0, at = 0; i < x.length; i++, at += units) {
      let sum = 0;
      for (let o = 0; o < units; o++) sum += dy[o] * kernel[at + o];
      dx[i] += sum;
    }
  },
};

/**
 * Visit all pairs of pixels that a kernel joins: a pixel of the large image, one of the small image
 * and the place in the kernel between them. A convolution of stride s looks from every s-th place
 * of the large image at the pixels around it; a transposed one paints the kernel there instead.
 */
function eachPair(step, large, small, visit) {
  const [kernelHeight, kernelWidth] = step.kernelShape;
  const [strideY, strideX] = step.strides,
    [top, left] = step.padding;
  for (let sy = 0; sy < small[0]; sy++) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      const ly = sy * strideY + ky - top;
      if (ly < 0 || ly >= large[0]) continue; // outside are zeros
      for (let sx = 0; sx < small[1]; sx++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          const lx = sx * strideX + kx - left;
          if (lx < 0 || lx >= large[1]) continue;
          visit(ly * large[1] + lx, sy * small[1] + sx, ky * kernelWidth + kx);
        }
      }
    }
  }
}

/** Add to `to`, at one pixel, the channels of `from` at another times the kernel between them. */
function addProducts(from, fromAt, numFrom, to, toAt, numTo, kernel, place) {
  const start = toAt * numTo;
  let weight = place * numFrom * numTo;
  for (let i = fromAt * numFrom, end = i + numFrom; i < end; i++, weight += numTo) {
    const value = from[i];
    if (value === 0) continue;
    for (let o = 0; o < numTo; o++) to[start + o] += value * kernel[weight + o];
  }
}

/** The same read from right to left: `from` gets the channels of `to` times the kernel. */
function addTransposedProducts(from, fromAt, numFrom, to, toAt, numTo, kernel, place) {
  const start = toAt * numTo;
  let weight = place * numFrom * numTo;
  for (let i = fromAt * numFrom, end = i + numFrom; i < end; i++, weight += numTo) {
    let sum = 0;
    for (let o = 0; o < numTo; o++) sum += to[start + o] * kernel[weight + o];
    from[i] += sum;
  }
}

/** Start every pixel of an image at the bias of its channels. */
function fillWithBias(y, bias) {
  for (let at = 0; at < y.length; at += bias.length) y.set(bias, at);
}

/** Every output pixel is a weighted sum of the input pixels around it. */
const convolution = {
  forward(step, [x], y) {
    const [, , channels] = step.sourceShapes[0],
      filters = step.shape[2];
    fillWithBias(y, step.bias);
    eachPair(step, step.sourceShapes[0], step.shape, (large, small, place) =>
      addProducts(x, large, channels, y, small, filters, step.kernel, place),
    );
  },
  backward(step, [x], y, dy, [dx]) {
    const [, , channels] = step.sourceShapes[0],
      filters = step.shape[2];
    eachPair(step, step.sourceShapes[0], step.shape, (large, small, place) =>
      addTransposedProducts(dx, large, channels, dy, small, filters, step.kernel, place),
    );
  },
};

/** Every input pixel paints the kernel onto the larger output, in its own strength. */
const transposedConvolution = {
  forward(step, [x], y) {
    const [, , channels] = step.sourceShapes[0],
      filters = step.shape[2];
    fillWithBias(y, step.bias);
    eachPair(step, step.shape, step.sourceShapes[0], (large, small, place) =>
      addProducts(x, small, channels, y, large, filters, step.kernel, place),
    );
  },
  backward(step, [x], y, dy, [dx]) {
    const [, , channels] = step.sourceShapes[0],
      filters = step.shape[2];
    eachPair(step, step.shape, step.sourceShapes[0], (large, small, place) =>
      addTransposedProducts(dx, small, channels, dy, large, filters, step.kernel, place),
    );
  },
};

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Each activation as [value at x, slope at x where the value is y]. */
const ACTIVATIONS = {
  linear: [(x) => x, () => 1],
  relu: [(x) => (x > 0 ? x : 0), (x) => (x > 0 ? 1 : 0)],
  leaky_relu: [(x, slope) => (x > 0 ? x : slope * x), (x, y, slope) => (x > 0 ? 1 : slope)],
  tanh: [Math.tanh, (x, y) => 1 - y * y],
  sigmoid: [sigmoid, (x, y) => y * (1 - y)],
  softplus: [(x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid],
  silu: [(x) => x * sigmoid(x), (x, y) => sigmoid(x) + y * (1 - sigmoid(x))],
  elu: [(x) => (x > 0 ? x : Math.expm1(x)), (x, y) => (x > 0 ? 1 : y + 1)],
};

/** A bend: the same function of every number, without which all layers were one. */
const activation = {
  forward(step, [x], y) {
    const [value] = ACTIVATIONS[step.name],
      { slope } = step;
    for (let i = 0; i < x.length; i++) y[i] = value(x[i], slope);
  },
  backward(step, [x], y, dy, [dx]) {
    const [, rise] = ACTIVATIONS[step.name],
      { slope } = step;
    for (let i = 0; i < x.length; i++) dx[i] += dy[i] * rise(x[i], y[i], slope);
  },
};

/** Positive numbers with sum 1, the larger the larger their input. */
const softmax = {
  forward(step, [x], y) {
    const most = Math.max(...x);
    let sum = 0;
    for (let i = 0; i < y.length; i++) sum += y[i] = Math.exp(x[i] - most);
    for (let i = 0; i < y.length; i++) y[i] /= sum;
  },
  backward(step, [x], y, dy, [dx]) {
    let mean = 0;
    for (let i = 0; i < y.length; i++) mean += y[i] * dy[i];
    for (let i = 0; i < y.length; i++) dx[i] += y[i] * (dy[i] - mean);
  },
};

/** The first half of the channels times the sigmoid of the second. */
const gate = {
  forward(step, [x], y) {
    eachGate(step, (out, value, door) => {
      y[out] = x[value] * sigmoid(x[door]);
    });
  },
  backward(step, [x], y, dy, [dx]) {
    eachGate(step, (out, value, door) => {
      const open = sigmoid(x[door]);
      dx[value] += dy[out] * open;
      dx[door] += dy[out] * x[value] * open * (1 - open);
    });
  },
};

function eachGate(step, visit) {
  const half = step.shape.at(-1),
    pixels = sizeOf(step.shape) / half;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < half; c++) {
      visit(pixel * half + c, 2 * pixel * half + c, (2 * pixel + 1) * half + c);
    }
  }
}

/** Batch normalisation after training: each channel times a number, plus a number. */
const scaleShift = {
  forward({ scale, shift }, [x], y) {
    for (let i = 0; i < x.length; i++) {
      y[i] = x[i] * scale[i % scale.length] + shift[i % scale.length];
    }
  },
  backward({ scale }, [x], y, dy, [dx]) {
    for (let i = 0; i < x.length; i++) dx[i] += dy[i] * scale[i % scale.length];
  },
};

/** A sum. An input of one pixel is added to all pixels. */
const add = {
  forward(step, xs, y) {
    y.fill(0);
    for (const x of xs) for (let i = 0; i < y.length; i++) y[i] += x[i % x.length];
  },
  backward(step, xs, y, dy, dxs) {
    for (const dx of dxs) for (let i = 0; i < y.length; i++) dx[i % dx.length] += dy[i];
  },
};

/** A product, number by number. */
const multiply = {
  forward(step, [a, b], y) {
    for (let i = 0; i < y.length; i++) y[i] = a[i % a.length] * b[i % b.length];
  },
  backward(step, [a, b], y, dy, [da, db]) {
    for (let i = 0; i < y.length; i++) {
      da[i % a.length] += dy[i] * b[i % b.length];
      db[i % b.length] += dy[i] * a[i % a.length];
    }
  },
};

/** The inner product of two vectors. */
const dot = {
  forward(step, [a, b], y) {
    y[0] = 0;
    for (let i = 0; i < a.length; i++) y[0] += a[i] * b[i];
  },
  backward(step, [a, b], y, dy, [da, db]) {
    for (let i = 0; i < a.length; i++) {
      da[i] += dy[0] * b[i];
      db[i] += dy[0] * a[i];
    }
  },
};

/** A class as a vector of zeros with a one. No gradient reaches a class. */
const oneHot = {
  forward(step, [label], y) {
    y.fill(0);
    y[label[0]] = 1;
  },
  backward() {},
};

/** Every kind of layer by its name. */
export const LAYERS = {
  dense,
  convolution,
  transposed_convolution: transposedConvolution,
  activation,
  softmax,
  gate,
  scale_shift: scaleShift,
  reshape,
  add,
  multiply,
  dot,
  concatenate,
  one_hot: oneHot,
  crop,
  pad,
  upsample,
  average_pool: averagePool,
};
