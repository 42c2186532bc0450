"""A run as what the page reads: a JSON-ready record, and the bytes of its arrays."""

from typing import NamedTuple

import numpy as np
from keras import ops

from latent_explorer.material import (
    NUM_CODES,
    NUM_LATENTS,
    choose_images,
    pack_prior,
    pixel_directions,
    principal_directions,
)
from latent_explorer.networks import export_network
from latent_explorer.quantise import ByteStore
from sample_quality.priors import latents_of, load_prior
from training_run.errors import UserError
from training_run.run_folder.networks import (
    IMAGES_TO_LOGITS,
    IMAGES_TO_POSTERIORS,
    LATENTS_TO_IMAGES,
    load_network,
)
from training_run.step.sampling import choose_labels, count_classes

NUM_EXAMPLES = 100
"""Latents or images on which rounded weights are compared with the network's own."""

BATCH = 500
"""Examples that a network is given at once."""

SEED = 0
"""Of those latents."""


class Entry(NamedTuple):
    """A run of the page.

    Attributes:
        record: JSON-ready dict.
        data: base64 text of all arrays of the record.
        networks: dict of network name to `Exported`.
    """

    record: dict
    data: str
    networks: dict


def export_run(run, data, weights):
    """The `Entry` of a run.

    Args:
        run: a `latent_explorer.runs.Run`.
        data: its `ImageData`.
        weights: "auto" or "float16".

    Raises:
        UserError: a network cannot be loaded, is of other images, or has a layer that the page
            cannot run.
    """
    draw = load_network(run.folder, run.network, LATENTS_TO_IMAGES)
    _check_shape(run, draw, data)
    prior = load_prior(run.folder, {"decoder": draw}) if run.family == "VAE" else None
    latents, labels = _latents(draw, prior)
    store, networks = ByteStore(), {}

    def export(name, network, first, labels, spread=None):
        examples = [first[:NUM_EXAMPLES], *([] if labels is None else [labels[:NUM_EXAMPLES]])]
        path = run.folder.network(name)
        networks[name] = export_network(network, path, store, examples, spread, weights)
        return networks[name].description

    low, high = run.settings.value_range
    record = {
        "title": run.title,
        "family": run.family,
        "shape": list(data.x_train.shape[1:]),
        "range": [low, high],
        "binary": run.settings.binarize != "none",
        "numClasses": 0 if labels is None else count_classes(draw),
        "classNames": data.class_names and list(data.class_names),
        "draw": export(run.network, draw, latents, labels, high - low),
        "kept": [
            {"step": step, "draw": export(name, kept, latents, labels, high - low)}
            for step, name, kept in _load_kept(run)
        ],
    }
    if run.family == "VAE":
        record |= _describe_codes(run, data, store, export)
        record["prior"] = pack_prior(prior, store) if prior else None
    else:
        record |= _describe_generator(run, draw, latents, labels, store, export)
    return Entry(record, store.base64(), networks)


def _load_kept(run):
    """(step, name, network) of each network of an earlier step, in order."""
    folder = run.folder.kept(0).parent
    steps = (path.stem.removeprefix("step_") for path in sorted(folder.glob("step_*.keras")))
    for step in filter(str.isdecimal, steps):
        name = f"{folder.name}/step_{step}"
        yield int(step), name, load_network(run.folder, name, LATENTS_TO_IMAGES)


def _check_shape(run, draw, data):
    expected, received = data.x_train.shape[1:], tuple(draw.outputs[0].shape[1:])
    if received != expected:
        raise UserError(
            f"{run.folder.network(run.network)}: expected images of shape "
            f"{'x'.join(map(str, expected))}, as the data have, received "
            f"{'x'.join(map(str, received))}"
        )


def _latents(draw, prior):
    """Draws of the prior (`NUM_LATENTS`, d) float32, and the classes to draw: int32, or None."""
    noise = np.random.default_rng(SEED).standard_normal((NUM_LATENTS, draw.inputs[0].shape[-1]))
    labels, latents = choose_labels(draw, None, NUM_LATENTS), latents_of(prior)
    noise = noise.astype(np.float32)
    return noise if latents is None else np.asarray(latents(noise, SEED, 0, labels)), labels


def _describe_codes(run, data, store, export):
    """What only a VAE has: its encoder, the codes of test images and their directions."""
    encode = load_network(run.folder, "encoder", IMAGES_TO_POSTERIORS)
    chosen = choose_images(data.x_test, data.y_test, NUM_CODES)
    low, high = run.settings.value_range
    images = data.x_test[chosen] / np.float32(255)
    images = low + (high - low) * (np.round(images) if run.settings.binarize != "none" else images)
    labels = data.y_test[chosen] if len(encode.inputs) == 2 else None
    codes = _apply(encode, images, labels)
    return {
        "encode": export("encoder", encode, images, labels),
        "codes": store.add(codes.astype(np.float16)),
        "codeLabels": None if data.y_test is None else data.y_test[chosen].tolist(),
        "centre": store.add(codes.mean(axis=0)),
        "directions": store.add(principal_directions(codes)),
        "judge": None,
    }


def _describe_generator(run, draw, latents, labels, store, export):
    """What only a GAN has: the directions of its latents, and its discriminator if it was saved."""
    images = _apply(draw, latents, labels)
    record = {
        "encode": None,
        "prior": None,
        "codes": None,
        "codeLabels": None,
        "centre": store.add(np.zeros(latents.shape[1], np.float32)),
        "directions": store.add(pixel_directions(latents, images)),
        "judge": None,
    }
    if run.folder.network("discriminator").is_file():
        judge = load_network(run.folder, "discriminator", IMAGES_TO_LOGITS)
        classes = labels if len(judge.inputs) == 2 else None
        record["judge"] = export("discriminator", judge, images, classes)
    return record


def _apply(network, first, labels):
    """What a network's first output is for many examples, (N, ...) float32, a batch at a time."""
    results = []
    for start in range(0, len(first), BATCH):
        part = slice(start, start + BATCH)
        inputs = [first[part], *([] if labels is None else [labels[part]])]
        tensors = [ops.convert_to_tensor(value) for value in inputs]
        output = network(tensors if len(tensors) > 1 else tensors[0], training=False)
        results.append(np.asarray(output[0] if isinstance(output, list) else output, np.float32))
    return np.concatenate(results)
