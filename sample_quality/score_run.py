"""A run folder in, its scores out."""

from training_run.errors import UserError
from training_run.files import sha256_of_file

MAX_REAL = 10_000
"""Real images that are compared with: MNIST's test split, or the first of a larger one."""


NO_CLASSIFIER = "only copies were looked for; the other scores see images by a classifier"
"""How the note begins that says why scores are missing."""


def measure_run(run, name, settings, num, seed, likelihood_images=1000):
    """Score a run's samples, with the record of what was scored.

    Args, Raises: as for `score_run`.

    Returns:
        `Quality`.
    """
    from sample_quality.protocol import Quality

    about = {
        "run": run.path.resolve().name,
        "network": f"{name}.keras",
        "network_sha256": sha256_of_file(run.network(name)),
        "notes": [],
    }
    note = about["notes"].append
    scores = score_run(run, name, settings, num, seed, likelihood_images, note)
    return Quality(scores, about)


def score_run(run, name, settings, num, seed, likelihood_images, note):
    """Sample a run's network and score the samples.

    Args:
        run: the `RunDir`.
        name: "generator" or "decoder".
        settings: its `RunSettings`.
        num: how many samples; fewer where there are fewer training images, whose place they take
            for the floor.
        seed: of the latents and of the protocol.
        likelihood_images: test images to estimate log p(x) of, at most.
        note: receives sentences about what is missing or done otherwise than asked.

    Returns:
        dict of name -> `Score`.

    Raises:
        UserError: the data, the classifier or the network cannot be had or do not fit.
    """
    from sample_quality.image_scores import score_images
    from training_run.data.datasets import load_dataset
    from training_run.run_folder.networks import (
        IMAGES_TO_POSTERIORS,
        LATENTS_TO_IMAGES,
        load_network,
    )
    from training_run.step.sampling import choose_labels

    data = load_dataset(settings.data)
    classifier = find_classifier(data, settings.data, note)
    network = load_network(run, name, LATENTS_TO_IMAGES)
    if num > len(data.x_train):
        num = len(data.x_train)
        note(f"{num:,} samples, as many as there are training images")
    labels = choose_labels(network, None, num)
    images = sample_images(network, num, seed, settings.value_range, labels)
    if images.shape[1:] != data.x_train.shape[1:]:
        raise UserError(
            f"{run.network(name)}: expected images of shape {data.x_train.shape[1:]}, as those of "
            f"{settings.data.dataset}, received {images.shape[1:]}"
        )
    real = data.x_test[:MAX_REAL]
    scores = score_images(images, real, data.x_train, classifier, labels=labels, seed=seed)
    if name == "decoder" and run.network("encoder").is_file():
        encoder = load_network(run, "encoder", IMAGES_TO_POSTERIORS)
        scores |= score_vae(encoder, network, settings, data, seed, likelihood_images, note)
    return scores


def find_classifier(data, data_config, note):
    """The classifier of a data set's images, or None where there is none."""
    from sample_quality.features.classifier import classifier_for

    try:
        return classifier_for(data, data_config)
    except UserError as error:
        note(f"{NO_CLASSIFIER}: {error}")
        return None


def sample_images(network, num, seed, value_range, labels):
    """(num, H, W, C) uint8 samples.

    Raises:
        UserError: if the network gives numbers that are no pixels.
    """
    from training_run.step.sampling import generate

    try:
        return generate(network, num, seed, value_range, labels)
    except ValueError as error:
        raise UserError(f"{network.name}: its samples are no images: {error}") from None


def score_vae(encoder, decoder, settings, data, seed, likelihood_images, note):
    """What a VAE makes of the test images; black and white ones, if it was trained on such.

    Returns:
        dict of name -> `Score`; likelihoods only where the loss was one. Nothing for a conditional
        VAE if the test images have no labels.
    """
    from sample_quality.scores.likelihood import active_units, posterior_means
    from sample_quality.vae_scores import density, likelihood_scores, reconstruction_scores

    images = encodable_images(data.x_test[:MAX_REAL], settings)
    labels = None
    if len(encoder.inputs) > 1:
        if data.y_test is None:
            return {}
        labels = data.y_test[:MAX_REAL]
    scores = reconstruction_scores(
        encoder, decoder, images, labels, value_range=settings.value_range, seed=seed
    )
    found = density(encoder, decoder, settings)
    if found is None:
        note("no likelihood: the loss this VAE was trained with is no density of its images")
        return scores
    active = active_units(posterior_means(found.model, images, labels))
    note(f"{active.sum()} of {len(active)} latent dimensions are active")
    return scores | likelihood_scores(found, images, labels, likelihood_images, seed=seed)


def encodable_images(images, settings):
    """Test images as a VAE's encoder knows them: black and white, if it was trained on such.

    Args:
        images: (N, H, W, C) uint8, the first of the test images.
        settings: the VAE's `RunSettings`.

    Returns:
        (N, H, W, C) uint8.
    """
    from sample_quality.scores.likelihood import binarize_images

    return images if settings.binarize == "none" else binarize_images(images, "test")
