"""A run folder in, its scores out.

Importing this imports TensorFlow. What is read before that is in `run_settings.py`.
"""

from functools import partial

from sample_quality.features.classifier import classifier_for
from sample_quality.features.random_convolutions import RandomConvolutions
from sample_quality.image_scores import score_each_image, score_images, score_normal_prior
from sample_quality.priors import describe, latents_of, load_prior
from sample_quality.protocol import MAX_REAL, METRICS, Quality
from sample_quality.run_settings import USUAL_EFFORT
from sample_quality.scores.likelihood import binarize_images
from sample_quality.stacked_scores import score_stacked
from sample_quality.vae_scores import score_vae
from training_run.data.datasets import find_dataset
from training_run.data.image_data import NUM_STACKED
from training_run.errors import UserError
from training_run.files import sha256_of_file
from training_run.run_folder.networks import IMAGES_TO_POSTERIORS, LATENTS_TO_IMAGES, load_network
from training_run.step.sampling import choose_labels, generate


def measure_run(run, name, settings, num, seed, effort=USUAL_EFFORT):
    """Sample a run's network and score the samples; for a VAE, score its view of test images too.

    Args:
        run: the `RunDir`.
        name: of the network that draws the samples, "generator" or "decoder".
        settings: the run's `RunSettings`.
        num: how many samples. With fewer training images, as many as there are: the floor takes
            one training image for each sample.
        seed: of the latents and of the protocol.
        effort: the `LikelihoodEffort` of a VAE.

    Returns:
        `Quality`.

    Raises:
        UserError: the data or the network cannot be read or do not fit together.
    """
    notes = []
    about = {
        "run": run.path.resolve().name,
        "network": f"{name}.keras",
        "network_sha256": sha256_of_file(run.network(name)),
        "notes": notes,
    }
    dataset = find_dataset(settings.data)
    data = dataset.read(print)
    about["data"] = describe_images(dataset.spec.title, data)
    if data.class_names:
        about["class_names"] = list(data.class_names)
    classifier = find_classifier(data, settings.data, notes.append)
    if classifier is None:
        about["without_classifier"] = notes[-1]
        if settings.stacked:
            raise UserError(f"{run.path}: modes are counted by a classifier. {notes[-1]}")
        classifier = RandomConvolutions(data.x_train)
    network = load_network(run, name, LATENTS_TO_IMAGES)
    if settings.stacked:
        stacked_shape = (*data.x_train.shape[1:3], NUM_STACKED)
        _check_shape(run.network(name), network.output_shape[1:], stacked_shape)
        images = sample_images(network, num, seed, settings.value_range, None)
        return Quality(score_stacked(images, data.x_train, classifier, seed=seed), about)
    _check_shape(run.network(name), network.output_shape[1:], data.x_train.shape[1:])
    if num > len(data.x_train):
        num = len(data.x_train)
        notes.append(f"{num:,} samples, as many as there are training images")
    prior = load_prior(run, {"decoder": network}) if name == "decoder" else None
    labels = choose_labels(network, None, num)
    draw = partial(sample_images, network, num, seed, settings.value_range, labels)
    images, reference = draw(latents_of(prior)), data.x_test[:MAX_REAL]
    scores = score_images(images, reference, data.x_train, classifier, labels=labels, seed=seed)
    if prior is not None:
        about["prior_sha256"] = prior.record.prior_sha256
        notes.append(f"samples are drawn from a learned prior, a {describe(prior)}")
        scores |= score_normal_prior(draw(), reference, data.x_train, classifier, seed=seed)
    if name == "decoder" and run.network("encoder").is_file():
        scores |= _vae_scores(run, network, data, settings, effort, seed, notes.append, prior)
    return Quality({name: scores[name] for name in METRICS if name in scores}, about)


def measure_each_image(run, name, settings, data, num, seed):
    """The scores that `score_each_image` gives a run: what older files do not have.

    Args as for `measure_run`; `data` is the `ImageData` of the run. It takes seconds.

    Returns:
        dict of `METRICS` name to `Score`.
    """
    num = min(num, len(data.x_train))
    network = load_network(run, name, LATENTS_TO_IMAGES)
    prior = load_prior(run, {"decoder": network}) if name == "decoder" else None
    labels = choose_labels(network, None, num)
    images = sample_images(network, num, seed, settings.value_range, labels, latents_of(prior))
    return score_each_image(images, data.x_train, seed=seed)


def _check_shape(path, shape, expected):
    if shape != expected:
        raise UserError(
            f"{path}: expected images of shape {expected}, as in the data set, received {shape}"
        )


def _vae_scores(run, decoder, data, settings, effort, seed, note, prior):
    """Scores on test images; none for a conditional VAE if these have no labels."""
    encoder = load_network(run, "encoder", IMAGES_TO_POSTERIORS)
    load_prior(run, {"encoder": encoder})  # refuses a prior of other codes
    if run.network("decoder_raw").is_file():  # the bound is of the decoder that was trained
        decoder = load_network(run, "decoder_raw", LATENTS_TO_IMAGES)
    images, labels = encodable_images(data.x_test[:MAX_REAL], settings), None
    if len(encoder.inputs) > 1:
        if data.y_test is None:
            return {}
        labels = data.y_test[:MAX_REAL]
    return score_vae(
        encoder,
        decoder,
        images,
        labels,
        settings,
        effort=effort,
        seed=seed,
        note=note,
        mixture=prior and prior.mixture,
    )


def find_classifier(data, data_config, note):
    """The `Classifier` of a data set's images; None, with a note that says why, if there is none.

    Args as for `classifier_for`; `note` receives the sentence.
    """
    try:
        return classifier_for(data, data_config)
    except UserError as error:
        note(
            "images are compared by random convolutions, and there are no scores of classes, since "
            f"there is no classifier: {error}"
        )
        return None


def describe_images(title, data):
    """A name of the images with their number: "Images of sprites, 4,021 images, 12 classes"."""
    num_images = len(data.x_train) + len(data.x_test)
    classes = "" if data.num_classes is None else f", {data.num_classes:,} classes"
    return f"{title}, {num_images:,} images{classes}"


def sample_images(network, num, seed, value_range, labels, latents=None):
    """(num, H, W, C) uint8 samples of a network; arguments as for `generate`.

    Raises:
        UserError: if the network gives values that are no pixels, such as NaN.
    """
    try:
        return generate(network, num, seed, value_range, labels, latents)
    except ValueError as error:
        raise UserError(f"{network.name}: its samples are no images: {error}") from None


def encodable_images(images, settings):
    """The first test images, (N, H, W, C) uint8, as a VAE's encoder takes them.

    They are binarised if the VAE was trained on binary images.
    """
    return images if settings.binarize == "none" else binarize_images(images, "test")
