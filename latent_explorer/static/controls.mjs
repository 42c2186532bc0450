// Small helpers for the page's controls.

export const find = (id) => document.getElementById(id);

/** Elements of a selector, as an array. */
export const findAll = (selector) => Array.from(document.querySelectorAll(selector));

/** Call `act` when a button is pressed. */
export function onPress(id, act) {
  find(id).addEventListener("click", act);
}

/** A slider with its number beside it: `act` gets the number while it moves. */
export function onSlide(id, describe, act) {
  const slider = find(id),
    text = find(`${id}-value`);
  const tell = () => {
    const value = slider.valueAsNumber;
    text.textContent = describe(value);
    slider.setAttribute("aria-valuetext", describe(value));
    return value;
  };
  slider.addEventListener("input", () => act(tell()));
  tell();
}

/** Fill a select element: texts by value. */
export function fillSelect(id, options, chosen) {
  find(id).replaceChildren(
    ...options.map(([value, text]) => new Option(text, value, false, value === chosen)),
  );
}

/** True if the reader prefers that nothing moves by itself. */
export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A function that is called at most once a frame, with the last arguments. */
export function oncePerFrame(act) {
  let waiting = null;
  return (...given) => {
    const first = waiting === null;
    waiting = given;
    if (first) {
      requestAnimationFrame(() => {
        const last = waiting;
        waiting = null;
        act(...last);
      });
    }
  };
}

/** Do pieces of work between frames, some milliseconds a frame, until all are done or `stop`. */
export class Background {
  constructor(milliseconds = 10) {
    this.milliseconds = milliseconds;
    this.run = 0;
  }

  /** Start over with another list of pieces. */
  start(count, doPiece, afterFrame) {
    const run = ++this.run;
    let next = 0;
    const frame = () => {
      if (run !== this.run) return;
      const end = performance.now() + this.milliseconds;
      while (next < count && performance.now() < end) doPiece(next++);
      afterFrame();
      if (next < count) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}

/** The way a button says something for a moment. */
export function sayForAMoment(element, text) {
  const usual = element.dataset.usual ?? (element.dataset.usual = element.textContent);
  element.textContent = text;
  setTimeout(() => {
    element.textContent = usual;
  }, 1500);
}

/** A number with a sign of its own, never "-0.0". */
export const signed = (value, digits = 1) =>
  (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "\u2212");
