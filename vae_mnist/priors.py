"""Fitting a learned prior to the codes of a trained VAE.

The samples of a VAE are decoded from its prior p(z) = N(0, I), but its decoder has been trained on
draws of q(z|x), whose average over the images, the aggregate posterior q(z), is no Gaussian
(Hoffman & Johnson 2016, "ELBO surgery"). Much of N(0, I) is never decoded while training, and
samples from there are poor. So p(z) is fitted to q(z) once the networks are trained (Ghosh et al.
2020, arXiv:1903.12436, section 4, ex-post density estimation): a mixture of Gaussians with full
covariances, by expectation-maximisation (`em`). The networks stay as they are, and so
does their ELBO.

A flow was tried in the place of the mixture and is not built, since its samples were clearly worse.
"""

import math
import time
from typing import NamedTuple

import numpy as np

from sample_quality.mixture import Mixture
from sample_quality.priors import Prior, PriorRecord
from training_run.errors import UserError
from training_run.run_folder.networks import weights_sha256
from vae_mnist.em import fit_gaussians

CANDIDATES = (50, 100, 200, 400, 800)
"""Numbers of components among which held-out codes choose, where none is configured."""

MIN_GAIN = 0.05
"""Nats that held-out codes must gain by the next number of components."""

MIN_CODES = 50
"""Codes to a component, at least, for a candidate."""

MAX_HELD_OUT, SHARE_HELD_OUT = 5000, 0.1
"""Training images whose codes are only tried: at most so many, and at most this share."""


class Effort(NamedTuple):
    """How much work a fit may be: images to encode, iterations of EM, most components."""

    codes: int
    iterations: int
    components: int


FULL = Effort(codes=10**9, iterations=8, components=10**9)
"""Of the prior that a finished run has."""

QUICK = Effort(codes=10_000, iterations=4, components=100)
"""Of a prior that a score needs while the run still trains."""


class Codes(NamedTuple):
    """q(z|x) of n images: means and variances (n, d) float32; labels (n,) int32, or None."""

    means: np.ndarray
    variances: np.ndarray
    labels: np.ndarray | None

    def select(self, rows):
        """The codes of some images."""
        labels = None if self.labels is None else self.labels[rows]
        return Codes(self.means[rows], self.variances[rows], labels)


def fit_prior(vae, data, config, components=None, seed=None, effort=FULL):
    """Fit a prior to the codes of a run's training images.

    Args:
        vae: the trained `VAE`.
        data: `ImageData`, binarised as the run's `data.binarize` says.
        config: its `VAEConfig`.
        components: number of Gaussians, of all classes together for a conditional VAE; None for
            the number that held-out codes are likeliest under.
        seed: of all that is random; None for the run's.
        effort: an `Effort`.

    Returns:
        A `Prior`, a function of the networks, the data and the seed.

    Raises:
        UserError: there are fewer codes than components, or they do not vary.
    """
    started = time.monotonic()
    seed = config.seed if seed is None else seed
    codes, held_out = training_codes(vae, data, config, seed, effort.codes)
    check_codes(codes, data.num_classes)
    z = draw_codes(held_out, seed)
    if components is None:
        mixture = choose_mixture(codes, z, held_out.labels, seed, effort)
    else:
        components = min(components, effort.components)
        check_components(codes, components)
        mixture = fit_mixture(codes, components, seed, effort.iterations)
    return make_prior(
        "mixture", mixture, vae, len(codes.means), z, labels=held_out.labels, started=started
    )


def make_prior(kind, mixture, vae, num_codes, z, *, labels=None, started):
    """A `Prior` with its record.

    Args:
        kind: `prior.kind` of the configuration.
        mixture: the `Mixture`.
        vae: the `VAE` whose codes it is a prior of.
        num_codes: number of images that it was fitted to.
        z: (n, d) float32, held-out codes.
        labels: (n,) int32, theirs, where the mixture has `classes`.
        started: `time.monotonic()` before the work.
    """
    normal = -0.5 * (np.square(z).sum(axis=1) + z.shape[1] * math.log(2 * math.pi))
    networks = vae.networks()
    record = PriorRecord(
        kind=kind,
        components=len(mixture.weights),
        latent_dim=z.shape[1],
        codes=num_codes,
        held_out_codes=len(z),
        held_out_nats=nats(mixture, z, labels),
        held_out_nats_normal=float(normal.mean(dtype=np.float64)),
        seconds=round(time.monotonic() - started, 2),
        encoder_sha256=weights_sha256(networks["encoder"]),
        decoder_sha256=weights_sha256(networks["decoder"]),
    )
    return Prior(mixture, record)


def training_codes(vae, data, config, seed, most):
    """`Codes` to fit and held-out `Codes`, of training images in an order that the seed gives.

    Images that are binarised at every step are here the draw that static binarisation makes.
    """
    from sample_quality.scores.likelihood import binarize_images
    from vae_mnist.losses import MAX_LOG_VAR

    num = len(data.x_train)
    order = np.random.default_rng(seed).permutation(num)[: min(num, most)]
    images = data.x_train
    if config.data.binarize == "dynamic":
        images = binarize_images(images, "train")
    labels = data.y_train[order] if vae.is_conditional else None
    z_mean, z_log_var = vae.posterior(images[order], labels)
    variances = np.exp(np.minimum(z_log_var.astype(np.float32), MAX_LOG_VAR))
    codes = Codes(z_mean.astype(np.float32), variances, labels)
    num_held_out = max(1, min(MAX_HELD_OUT, int(SHARE_HELD_OUT * len(order))))
    return codes.select(slice(num_held_out, None)), codes.select(slice(num_held_out))


def check_codes(codes, num_classes=None):
    """Raise `UserError` unless the codes are finite, of each class and vary in each dimension."""
    if codes.labels is not None and len(np.unique(codes.labels)) < num_classes:
        raise UserError(
            f"prior: expected codes of each of the {num_classes} classes, received those of "
            f"{len(np.unique(codes.labels))}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.var(codes.means, axis=0) + codes.variances.mean(axis=0)
    if not np.isfinite(spread).all():
        raise UserError("prior: expected finite codes, received NaN or infinity among them")
    if num := int((spread < 1e-12).sum()):
        raise UserError(
            f"prior: expected codes that vary in each of the {len(spread)} dimensions, received "
            f"{num} that are the same for all images"
        )


def check_components(codes, components):
    """Raise `UserError` if there are fewer codes than components, in a class or in all."""
    for labels, part in by_class(codes):
        num, where = len(part.means), "" if labels is None else f" of class {labels}"
        share = components_per_class(components, codes.labels)
        if num < share:
            raise UserError(
                f"components: expected at most the {num:,} codes{where} that a prior is fitted to, "
                f"received {share:,}"
            )


def by_class(codes):
    """(class, its `Codes`) of each class; (None, all) for codes without labels."""
    if codes.labels is None:
        return [(None, codes)]
    return [(label, codes.select(codes.labels == label)) for label in np.unique(codes.labels)]


def components_per_class(components, labels):
    """Components of each class, at least one; all of them without labels."""
    return components if labels is None else max(1, components // len(np.unique(labels)))


def draw_codes(codes, seed):
    """A draw from q(z|x) of each image, (n, d) float32, a function of the seed."""
    from training_run.step.batches import draw_normal

    noise = draw_normal(seed, "held_out_codes", 0, codes.means.shape).numpy()
    return codes.means + np.sqrt(codes.variances) * noise


def nats(mixture, z, labels):
    """Mean log-density of codes."""
    return float(mixture.log_density(z, labels).mean(dtype=np.float64))


def choose_mixture(codes, z, labels, seed, effort):
    """The mixture that held-out codes z are likeliest under, from few components to many.

    The search ends at the first number that gains less than `MIN_GAIN` on the one before.
    """
    most = min(effort.components, len(codes.means) // MIN_CODES)
    best, best_nats = None, -math.inf
    for components in [num for num in CANDIDATES if num <= most] or [max(1, most)]:
        mixture = fit_mixture(codes, components, seed, effort.iterations)
        value = nats(mixture, z, labels)
        if value <= best_nats + MIN_GAIN:
            break
        best, best_nats = mixture, value
    return best


def fit_mixture(codes, components, seed, iterations=FULL.iterations):
    """A `Mixture` of codes; with labels one of each class, each fitted alone.

    Args:
        codes: `Codes`, n of them.
        components: K, at most n; with labels K split evenly over the classes.
        seed: of the start.
        iterations: of EM.

    Returns:
        A `Mixture`; the same codes and seed give the same one.
    """
    share = components_per_class(components, codes.labels)
    parts = [
        (label, fit_gaussians(part, share, seed, iterations)) for label, part in by_class(codes)
    ]
    arrays = [
        np.concatenate(each).astype(np.float32) for each in zip(*(p for _, p in parts), strict=True)
    ]
    if codes.labels is None:
        return Mixture(*arrays)
    return Mixture(*arrays, np.repeat([label for label, _ in parts], share).astype(np.int32))
