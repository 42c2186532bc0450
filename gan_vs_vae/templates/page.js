"use strict";
(function () {
  // On paper, everything is unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    folded.forEach((one) => { one.open = false; });
    folded = [];
  });
})();
(function () {
  const data = document.getElementById("frames");
  if (!data) return;
  const runs = JSON.parse(data.textContent);
  const figures = Array.from(document.querySelectorAll(".moving"));
  const slider = document.getElementById("slider");
  const share = document.getElementById("share");
  const play = document.getElementById("play");
  const last = Number(slider.max);
  let timer = null;

  function nearest(frames, fraction) {
    const distance = (frame) => Math.abs(frame.fraction - fraction);
    return frames.reduce((best, frame) => (distance(frame) <= distance(best) ? frame : best));
  }

  function show(position) {
    const fraction = last ? position / last : 1;
    const percent = Math.round(100 * fraction) + "%";
    slider.value = position;
    slider.setAttribute("aria-valuetext", percent + " of the training");
    share.textContent = percent;
    figures.forEach((figure, index) => {
      const frame = nearest(runs[index], fraction);
      const image = figure.querySelector("img");
      if (image.src !== frame.src) image.src = frame.src;
      image.alt = frame.alt;
      figure.querySelector(".step").textContent = frame.caption;
    });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  function next() {
    const position = Number(slider.value) + 1;
    show(position);
    if (position >= last) stop();
  }

  play.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(slider.value) >= last) show(0);
    play.textContent = "Pause";
    timer = setInterval(next, 300);
  });
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });

  // On paper, the last pictures.
  let before = last;
  addEventListener("beforeprint", () => {
    stop();
    before = Number(slider.value);
    show(last);
  });
  addEventListener("afterprint", () => show(before));

  document.getElementById("controls").hidden = last === 0;
  show(Number(slider.value));
})();
