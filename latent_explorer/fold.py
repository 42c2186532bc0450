"""Batch normalisation folded into the layer before it, or the layer after it.

After training, batch normalisation multiplies each channel by a number and adds another. A dense
layer or a convolution before it can do so with its own kernel and bias, and a dense layer after it
too. A convolution after it cannot: the zeros around its input would have to be other numbers. Such
a `scale_shift` stays a step.
"""

from dataclasses import replace

import numpy as np

from latent_explorer.plan import Plan

WITH_KERNEL = ("dense", "convolution", "transposed_convolution")


def fold_batch_normalization(plan):
    """The same function as a `Plan` with as few `scale_shift` steps as can be."""
    index = 0
    while index < len(plan.steps):
        step = plan.steps[index]
        folded = None
        if step.kind == "scale_shift":
            folded = _into_step_before(plan, index) or _into_step_after(plan, index)
        if folded is None:
            index += 1
        else:
            plan = _without(folded, index)
    return plan


def _into_step_before(plan, index):
    step = plan.steps[index]
    scale, shift = step.arrays["scale"], step.arrays["shift"]
    before = plan.step_of(step.sources[0])
    if before >= 0 and plan.steps[before].kind == "reshape" and _has_one_user(plan, before):
        repeats = int(np.prod(step.shape)) // len(scale)
        scale, shift = np.tile(scale, repeats), np.tile(shift, repeats)
        before = plan.step_of(plan.steps[before].sources[0])
    if before < 0 or plan.steps[before].kind not in WITH_KERNEL or not _has_one_user(plan, before):
        return None
    arrays = plan.steps[before].arrays
    kernel, bias = arrays["kernel"] * scale, arrays["bias"] * scale + shift
    return _with_arrays(plan, before, {"kernel": kernel, "bias": bias})


def _into_step_after(plan, index):
    value = index + len(plan.inputs)
    users = plan.users(value)
    if len(users) != 1 or value in plan.outputs or plan.steps[users[0]].kind != "dense":
        return None
    scale, shift = plan.steps[index].arrays["scale"], plan.steps[index].arrays["shift"]
    arrays = plan.steps[users[0]].arrays
    bias = arrays["bias"] + shift @ arrays["kernel"]
    kernel = scale[:, None] * arrays["kernel"]
    return _with_arrays(plan, users[0], {"kernel": kernel, "bias": bias})


def _has_one_user(plan, index):
    value = index + len(plan.inputs)
    return len(plan.users(value)) == 1 and value not in plan.outputs


def _with_arrays(plan, index, arrays):
    steps = list(plan.steps)
    steps[index] = replace(steps[index], arrays=arrays)
    return replace(plan, steps=steps)


def _without(plan, index):
    """The plan without one step; who read its value reads its source."""
    removed, source = index + len(plan.inputs), plan.steps[index].sources[0]

    def renumber(values):
        values = [source if value == removed else value for value in values]
        return tuple(value - (value > removed) for value in values)

    kept = [step for number, step in enumerate(plan.steps) if number != index]
    steps = [replace(step, sources=renumber(step.sources)) for step in kept]
    return Plan(plan.inputs, steps, renumber(plan.outputs))
