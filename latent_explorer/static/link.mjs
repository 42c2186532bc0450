// The state as a part of the address: #run=NAME&label=K&z=..., with 16 bits a latent.

const SCALE = 4096; // a latent is stored as round(4096 z), from -8 to 8

/** The part of the address from the # on that says what the page shows. */
export function linkTo({ z, label }, model) {
  const whole = Int16Array.from(z, (value) =>
    Math.max(-32768, Math.min(32767, Math.round(value * SCALE))),
  );
  const text = btoa(String.fromCharCode(...new Uint8Array(whole.buffer)));
  const parts = new URLSearchParams({ run: model.title });
  if (model.numClasses) parts.set("label", label);
  parts.set("z", text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  return `#${parts}`;
}

/**
 * What an address asks for: {model, z, label}; null if it makes no sense.
 * @param {string} hash
 * @param {string[]} titles of the runs.
 * @param {(number: number) => Model} open gives the model of a run.
 */
export function readLink(hash, titles, open) {
  const parts = new URLSearchParams(hash.slice(1));
  const number = titles.indexOf(parts.get("run")),
    text = parts.get("z");
  if (number < 0 || !text) return null;
  const model = open(number);
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    if (bytes.length !== 2 * model.size) return null;
    const label = Math.trunc(Number(parts.get("label"))) || 0;
    return {
      model: number,
      z: Float32Array.from(new Int16Array(bytes.buffer), (value) => value / SCALE),
      label: label >= 0 && label < model.numClasses ? label : 0,
    };
  } catch {
    return null;
  }
}
