// Arrays from the bytes that the file carries.

import { sizeOf } from "./moves.mjs";

/** The bytes of a base64 text. */
export function decodeBase64(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

/**
 * An array as 32-bit numbers.
 * @param {ArrayBuffer} bytes
 * @param {{type: string, at: number, shape: number[], scales?: number}} where its place. An "int8"
 *   array is whole numbers times a scale for each channel, its last axis. "uint8" ones are pixels, which
 *   become numbers from 0 to 1.
 */
export function readArray(bytes, where) {
  const size = sizeOf(where.shape);
  if (where.type === "float32") return new Float32Array(bytes, where.at, size);
  const array = new Float32Array(size);
  if (where.type === "float16") {
    const halves = new Uint16Array(bytes, where.at, size);
    for (let i = 0; i < size; i++) array[i] = fromHalf(halves[i]);
    return array;
  }
  if (where.type === "uint8") {
    const levels = new Uint8Array(bytes, where.at, size);
    for (let i = 0; i < size; i++) array[i] = levels[i] / 255;
    return array;
  }
  const channels = where.shape.at(-1);
  const whole = new Int8Array(bytes, where.at, size);
  const scales = new Float32Array(bytes, where.scales, channels);
  for (let i = 0; i < size; i++) array[i] = whole[i] * scales[i % channels];
  return array;
}

/** The number in 16 bits: a sign, 5 bits of exponent and 10 of fraction (IEEE 754). */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1,
    exponent = (bits >> 10) & 31,
    fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
