"""The pictures of a report, with what is written around them."""

import json

import numpy as np

from gan_vs_vae.figures import loss_curves, quality_over_time, scored_while_training
from gan_vs_vae.markup import Head, figure, image, paragraph, side_by_side, text_of
from gan_vs_vae.pictures import NUM_NEIGHBOURS, NUM_STRIPS, STRIP_FRAMES
from gan_vs_vae.tables import protocol_in_words
from gan_vs_vae.words import duration, listed
from training_run.pictures.interpolation import percentages

NOUNS = {"mnist": "digits", "orl_faces": "faces"}
"""Data set -> what its images are called."""


def noun_of(run):
    """What a run's images are called: "digits", "faces" or "images"."""
    return NOUNS.get(run.settings.data.dataset, "images")


def head_of(run, colors):
    """The title of a run's figure."""
    step = f", step {run.step:,} of {run.total_steps:,}" if run.is_unfinished else ""
    return Head(run.title, f"{run.family}{step}", colors[run.title])


def samples(runs, drawn, colors):
    """A grid of samples of each run."""
    figures = []
    for run in runs:
        of = drawn[run.title]
        alt = f"{of.num_samples} {noun_of(run)} drawn by the {run.network} of {run.title}"
        figures.append(figure(head_of(run, colors), image(of.samples, alt)))
    num = drawn[runs[0].title].num_samples
    lead = f"{num} random latents for each run, drawn by its saved network; none was picked."
    return paragraph(lead, "lead") + side_by_side(figures)


def neighbours(runs, drawn, colors):
    """Samples of each run, and the training images they resemble most."""
    noun = noun_of(runs[0])
    figures = []
    for run in runs:
        alt = (
            f"Top: {NUM_NEIGHBOURS} samples of {run.title}. Bottom: under each, the training "
            f"image that is nearest to it"
        )
        content = image(drawn[run.title].neighbours, alt)
        figures.append(figure(head_of(run, colors), content))
    lead = (
        f"Above, the first {NUM_NEIGHBOURS} of the samples; below each of them, of all training "
        f"{noun}, the one with the most similar pixels. A sample that repeats its neighbour "
        "stroke for stroke would be memorised, not learned."
        if noun == "digits"
        else f"Above, the first {NUM_NEIGHBOURS} of the samples; below each of them, of all "
        f"training {noun}, the one with the most similar pixels. A sample that repeats its "
        "neighbour would be memorised, not learned."
    )
    return paragraph(lead, "lead") + side_by_side(figures)


def strips(runs, drawn, colors):
    """Ways through the latent space of each run."""
    ticks = "".join(f"<span>{text}</span>" for text in percentages(STRIP_FRAMES))
    figures = []
    for run in runs:
        of = drawn[run.title]
        alt = (
            f"{NUM_STRIPS} rows of {STRIP_FRAMES} {noun_of(run)} by {run.title}, each turning "
            "from the one at the left into the one at the right"
        )
        content = f'<div class="ticks" aria-hidden="true">{ticks}</div>{image(of.strips, alt)}'
        figures.append(figure(head_of(run, colors), content, f"Between {of.between}."))
    lead = "From one point of the latent space to another in ten equal steps."
    return paragraph(lead, "lead") + side_by_side(figures)


def losses(runs, colors):
    """The logged losses of each run."""
    figures = []
    for run in runs:
        picture = loss_curves(run)
        if picture:
            alt = f"Curves of what {run.title} logged while training: {listed(_logged(run))}"
            figures.append(figure(head_of(run, colors), image(picture, alt, "curves")))
        else:
            figures.append(figure(head_of(run, colors), paragraph("This run has no log.")))
    lead = (
        "The losses of different models are different quantities: read each by its course, and "
        "compare models by the scores below."
    )
    return paragraph(lead, "lead") + side_by_side(figures)


def _logged(run):
    return [name.replace("_", " ") for name in run.log if name not in ("step", "seconds")]


def quality_and_time(runs, colors):
    """The Fréchet distance while training, against the clock; or why there is none."""
    scored = scored_while_training(runs)
    charts = [_chart(protocol, courses, colors) for protocol, courses in scored.items()]
    told = {course.run.title for courses in scored.values() for course in courses}
    without = [run.title for run in runs if run.title not in told]
    lead = (
        "Scored while training, so as to see the course; the level is told by the table of "
        "scores. Time is that of the whole run, with its pictures, log and scores."
    )
    content = paragraph(lead, "lead") + "".join(charts) if charts else ""
    if without:
        content += paragraph(
            f"{listed(without)} {'was' if len(without) == 1 else 'were'} not scored while "
            "training; the key quality.every of the configuration does that."
        )
    return content


def _chart(protocol, courses, colors):
    names = listed([course.run.title for course in courses])
    alt = f"Curves of the Fréchet distance against the training time of {names}"
    how = protocol_in_words(protocol) if protocol else "By a protocol that was not recorded"
    picture = image(quality_over_time(courses, colors), alt, "curves")
    return f'<figure class="chart">{picture}{paragraph(f"{how}.", "note")}</figure>'


CONTROLS = """\
<div class="controls" id="controls" hidden>
<button type="button" id="play">Play</button>
<label for="slider">Training</label>
<input type="range" id="slider" min="0" max="{last}" value="{last}" step="1">
<output for="slider" id="share">100%</output>
</div>
"""


def progress(runs, drawn, colors):
    """Grids of each run while it was training, all moved by one slider."""
    moving = [run for run in runs if drawn[run.title].frames]
    lead = "The same latents from the first step to the last, the runs side by side."
    figures = [
        _moving(run, drawn[run.title].frames, colors)
        if run in moving
        else figure(head_of(run, colors), paragraph("This run kept no pictures of its training."))
        for run in runs
    ]
    if not moving:
        return side_by_side(figures)
    last = max(len(drawn[run.title].frames) for run in moving) - 1
    frames = [_frames(run, drawn[run.title].frames) for run in moving]
    return (
        paragraph(lead, "lead")
        + CONTROLS.format(last=last)
        + side_by_side(figures)
        + "<noscript><p>The last pictures; with JavaScript, a slider shows the way to them.</p>"
        + f'</noscript><script type="application/json" id="frames">{as_json(frames)}</script>'
    )


def _moving(run, frames, colors):
    last = frames[-1]
    content = image(last.picture, _alt(run, last)) + (
        f'<p class="step">{text_of(_caption(run, last))}</p>'
    )
    return figure(head_of(run, colors), content, attributes=' class="moving"')


def _frames(run, frames):
    return [
        {
            "fraction": round(frame.fraction, 4),
            "src": frame.picture.uri,
            "alt": _alt(run, frame),
            "caption": _caption(run, frame),
        }
        for frame in frames
    ]


def _alt(run, frame):
    return f"Grid of {noun_of(run)} that {run.title} drew at step {frame.step:,}"


def _caption(run, frame):
    of = f" of {run.total_steps:,}" if run.total_steps else ""
    return f"step {frame.step:,}{of}{_time_of(run, frame.step)}"


def _time_of(run, step):
    """When that step was done, from the rows of the log around it."""
    seconds = run.log.get("seconds", np.array([]))
    known = np.isfinite(seconds)
    if not known.any():
        return ""
    steps = np.concatenate([[0.0], run.log["step"][known]])
    times = np.concatenate([[0.0], seconds[known]])
    return f" · {duration(float(np.interp(step, steps, times)))}"


def as_json(value):
    """JSON that may stand in a `script` element: without `<`, which could end it."""
    return json.dumps(value).replace("<", "\\u003c")
