"""No sentence of a report says what a look at the pictures would refute.

Sample sets are planted whose faults are known, and scored as a run's samples are. Each must be
told what it is, and none may be praised for what its faults do to a single score: blur raises
precision, and training images are at no distance from real images.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gan_vs_vae.findings import find_all
from gan_vs_vae.pooling import Entry, pooled_rows
from sample_quality import image_scores, protocol
from sample_quality.protocol import Quality

pytestmark = pytest.mark.network

NUM = 800
"""Samples of a plant, and real images they are compared with."""


def blur(images, sigma):
    return np.stack([gaussian_filter(image, (sigma, sigma, 0)) for image in images])


def add_noise(images, sigma):
    noise = np.random.default_rng(1).normal(0, sigma, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def make_plants(data):
    """Name to (N, 28, 28, 1) uint8: sample sets whose faults are known."""
    order = np.random.default_rng(0).permutation(len(data.x_test))
    x, y = data.x_test[order[NUM:]], data.y_test[order[NUM:]]
    real, train = x[:NUM], data.x_train[:NUM]
    random = np.random.default_rng(2)
    return {
        "real images": real,
        "blur 0.5": blur(real, 0.5),
        "blur 1": blur(real, 1),
        "blur 2": blur(real, 2),
        "noise": random.integers(0, 256, real.shape, dtype=np.uint8),
        "noise added": add_noise(real, 50),
        "half contrast": real // 2,
        "black": np.zeros_like(real),
        "mean image": np.repeat(real.mean(axis=0, keepdims=True).astype(np.uint8), NUM, axis=0),
        "inverted": 255 - real,
        "shifted": np.roll(real, 7, axis=2),
        "one class": x[y == 1][:NUM],
        "two classes": x[np.isin(y, (3, 8))][:NUM],
        "no nines": x[y != 9][:NUM],
        "one image": np.repeat(real[:1], NUM, axis=0),
        "ten images": np.repeat(
            np.stack([x[y == label][0] for label in range(10)]), NUM // 10, axis=0
        ),
        "memorised": train,
        "half memorised": np.concatenate([real[: NUM // 2], train[: NUM // 2]]),
        "memorised, blurred": blur(train, 0.5),
        **network_samples(),
    }


def network_samples():
    """Samples of bundled models: a blurred VAE, and a VAE with its prior and with N(0, I)."""
    from sample_quality.priors import latents_of, load_prior
    from sample_quality.score_run import sample_images
    from training_run.run_folder.find import find_run
    from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network

    samples = {}
    for name in ("gan_mlp", "vae_mlp", "vae_fast"):
        run = find_run(f"bundled:{name}", "outputs")
        network_name = "generator" if name.startswith("gan") else "decoder"
        network = load_network(run, network_name, LATENTS_TO_IMAGES)
        value_range = (-1.0, 1.0) if network_name == "generator" else (0.0, 1.0)
        samples[name] = sample_images(network, NUM, 0, value_range, None)
        prior = load_prior(run, {"decoder": network}) if name == "vae_fast" else None
        if prior is not None:
            latents = latents_of(prior)
            samples[f"{name}, N(0, I)"] = samples[name]
            samples[name] = sample_images(network, NUM, 0, value_range, None, latents)
    return samples


def once(function, key):
    """A function that remembers its results by the key of its arguments."""
    known = {}

    def remember(*args):
        name = key(*args)
        if name not in known:
            known[name] = function(*args)
        return known[name]

    return remember


@pytest.fixture(scope="module")
def scores():
    """Name of a plant to its scores. Features and the floor of a distance are computed once."""
    from sample_quality.features.classifier import SHIPPED, load_classifier
    from training_run.config.sections import DataConfig
    from training_run.data.datasets import load_dataset

    data = load_dataset(DataConfig(dataset="mnist"))
    shipped = load_classifier(SHIPPED)
    classify = once(shipped, lambda images: images.tobytes())
    for name in ("record", "features_name", "features_sha256", "knows_classes"):
        setattr(classify, name, getattr(shipped, name))
    distance = once(
        image_scores.frechet_distance, lambda a, b: (a.mean.tobytes(), b.mean.tobytes())
    )
    order = np.random.default_rng(0).permutation(len(data.x_test))
    reference, train = data.x_test[order[:NUM]], data.x_train[: 2 * NUM]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_scores, "frechet_distance", distance)
        for module in (image_scores, protocol):
            patch.setattr(module, "NUM_REPLICATES", 20)
        return {
            name: image_scores.score_images(images, reference, train, classify)
            for name, images in make_plants(data).items()
        }


def sentences_on(scores, *names):
    """The findings of a report on these plants, as if each were a run, joined by line ends."""
    entries = []
    for name in names:
        settings = SimpleNamespace(data=SimpleNamespace(mirror=False, mirror_and_shift=None))
        run = SimpleNamespace(
            title=name,
            is_unfinished=False,
            seconds=None,
            environment=None,
            settings=settings,
            spec=SimpleNamespace(class_names=None),
        )
        entries.append(Entry(name, (run,)))
    rows = pooled_rows(entries, {name: Quality(scores[name], {}) for name in names})
    return "\n".join(finding.text for finding in find_all(entries, rows))


REAL = "No measure here tells"
FAULTS = {
    "blurred": "are blurred: an edge crosses",
    "grainy": "are grainy",
    "noise": "are mostly noise",
    "hard": "harder edges",
    "pale": "are paler than real images",
    "blank": "nearly of one colour",
    "unlike": "are unlike real images",
    "repeated": "are nearly equal to another sample",
    "copies": "are copies of training images",
    "one class": "are of one class",
    "missing": "hardly generates",
    "less varied": "are less varied",
    "no copy": "finds no copy",
    "every class": "finds every class",
    "unequal": "less equal than those of real",
    "classes unknown": "The classes of",
    "real": REAL,
}
"""A word for a sentence, and the words by which it is found."""

ALONE = [
    # plant, sentences it must have, sentences that may be there too
    ("real images", {"real", "every class", "no copy"}, set()),
    ("blur 0.5", {"blurred", "every class"}, set()),
    ("blur 1", {"blurred", "classes unknown"}, {"pale"}),
    ("blur 2", {"blurred", "classes unknown", "pale"}, {"repeated", "unlike"}),
    ("noise", {"noise", "unlike", "classes unknown"}, set()),
    ("noise added", {"grainy"}, {"every class", "unequal"}),
    ("half contrast", {"pale"}, {"every class"}),
    ("black", {"blank", "unlike", "repeated", "classes unknown"}, set()),
    ("mean image", {"blurred", "pale", "repeated", "classes unknown"}, {"unlike"}),
    ("inverted", {"unlike", "classes unknown"}, set()),
    ("shifted", {"unlike", "classes unknown"}, set()),
    ("one class", {"one class", "less varied"}, {"no copy"}),
    ("two classes", {"missing", "less varied"}, set()),
    ("no nines", {"missing"}, set()),
    ("one image", {"repeated", "one class", "less varied"}, set()),
    ("ten images", {"repeated", "less varied", "every class"}, set()),
    ("memorised", {"copies", "every class"}, set()),
    ("half memorised", {"copies", "every class"}, set()),
    ("memorised, blurred", {"copies", "blurred", "every class"}, set()),
    ("gan_mlp", {"every class", "no copy"}, {"unequal", "less varied"}),
    ("vae_mlp", {"blurred", "every class"}, {"unequal"}),
    ("vae_fast", {"every class", "no copy"}, {"real"}),
    ("vae_fast, N(0, I)", {"every class", "unequal", "no copy"}, set()),
]


@pytest.mark.parametrize(("plant", "expected", "allowed"), ALONE, ids=[one[0] for one in ALONE])
def test_a_plant_is_told_what_it_is_and_nothing_else(scores, plant, expected, allowed):
    text = sentences_on(scores, plant)
    found = {fault for fault, words in FAULTS.items() if words in text}
    assert expected <= found <= expected | allowed, text
    for praise in ("looks real", "look real", "better", "best", "closer", "good"):
        assert praise not in text.replace("called better", ""), text


CLOSER, NOT_CALLED, DISAGREE = (
    "are closer to real images: the Fréchet",
    "not called better",
    "measures disagree",
)

PAIRS = [
    # the one that a person would prefer or None, the other, words that must be there
    ("real images", "gan_mlp", [CLOSER]),
    ("real images", "blur 1", [CLOSER]),
    ("vae_fast", "vae_fast, N(0, I)", [CLOSER]),
    ("vae_fast", "noise", [CLOSER]),
    ("gan_mlp", "half contrast", [CLOSER]),
    ("gan_mlp", "vae_mlp", [CLOSER]),
    ("blur 0.5", "noise", [CLOSER]),
    (None, "blur 0.5", [DISAGREE, "by sharpness, gan_mlp"], "gan_mlp"),
    (None, "memorised", [NOT_CALLED, "copies of training"], "gan_mlp"),
    (None, "half memorised", [NOT_CALLED, "copies of training"], "gan_mlp"),
    (None, "no nines", [NOT_CALLED, "leave classes out"], "gan_mlp"),
    (None, "one image", [NOT_CALLED, "repeat each other"], "noise"),
    (None, "ten images", [], "half contrast"),
    (None, "black", [], "noise"),
    (None, "memorised", ["copies of training"], "real images"),
]


@pytest.mark.parametrize(
    "pair", PAIRS, ids=[f"{one[-1] if one[0] is None else one[0]} and {one[1]}" for one in PAIRS]
)
def test_samples_are_called_closer_only_where_a_person_would_agree(scores, pair):
    preferred, other, words, *partner = pair
    text = sentences_on(scores, preferred or partner[0], other)
    for expected in words:
        assert expected in text, text
    if preferred is None:
        assert CLOSER not in text, text
    else:
        assert f"samples of {preferred} {CLOSER}" in text, text
