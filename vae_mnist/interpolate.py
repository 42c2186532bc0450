"""The path between two test digits: `python -m vae_mnist.interpolate --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

import numpy as np

from training_run.cli.arguments import (
    add_interpolation_arguments,
    add_run_arguments,
    check_frames,
    open_run,
)
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.pictures.interpolation import write_interpolation
from training_run.tensorflow_import import import_tensorflow
from vae_mnist import prior_choice
from vae_mnist.binarization import binarize_data
from vae_mnist.family import FAMILY
from vae_mnist.latent_path import choose_ends, rows_by_class
from vae_mnist.trained import NETWORKS, labels_at, load_data, load_vae


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m vae_mnist.interpolate",
        description="From one test digit to another through the latent space of a VAE: a PNG "
        "strip, labelled 0% to 100%, and a GIF that goes there and back. The seed picks a digit "
        "where no index is given. A conditional VAE draws one row for the class of each end.",
    )
    add_run_arguments(parser, "RUN-interpolation.png, here; the GIF beside it")
    add_interpolation_arguments(parser)
    for flag, end in (("--from", "first"), ("--to", "last")):
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            flag,
            dest=f"{end}_index",
            metavar="INDEX",
            type=integer,
            help=f"index of the {end} test image",
        )
        group.add_argument(
            f"{flag}-class",
            dest=f"{end}_class",
            metavar="CLASS",
            help=f"class of the {end} test image, by its name or number",
        )
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument(
        "--between-samples",
        action="store_true",
        help="go between two draws of the run's prior, of the classes that the test digits have",
    )
    prior_choice.add_arguments(parser)
    ends.add_argument(
        "--sampled",
        action="store_true",
        help="go between draws from the two posteriors (source 003), not between their means",
    )
    return run_command(_interpolate, parser.parse_args(argv))


def _interpolate(arguments):
    check_frames(arguments.frames)
    run, config, out = open_run(FAMILY, arguments, NETWORKS, "interpolation.png")
    data = load_data(config)
    first = (arguments.first_index, arguments.first_class)
    last = (arguments.last_index, arguments.last_class)
    if arguments.between_samples and (arguments.first_index, arguments.last_index) != (None, None):
        raise UserError(
            "--between-samples: expected no --from or --to, since it starts from no test digit, "
            "received one"
        )
    if arguments.prior == "normal" and not arguments.between_samples:
        raise UserError("--prior: expected together with --between-samples, received without")
    chosen = choose_ends(data, arguments.seed, first, last)
    import_tensorflow()
    vae, labels = load_vae(run, config), labels_at(data, chosen)
    if arguments.between_samples:
        latents = prior_choice.find_latents(run, config, vae.decoder, arguments)
        ends = draw_ends(vae, labels, arguments.seed, latents)
    else:
        images = binarize_data(data, config.data.binarize).x_test[chosen]
        ends, z_log_var = vae.posterior(images, labels)
        if arguments.sampled:
            ends = draw_latents(ends, z_log_var, arguments.seed)
    draw, captions = rows_by_class(vae, labels, data.class_names)
    film = write_interpolation(
        out,
        draw,
        ends,
        vae.value_range,
        num_frames=arguments.frames,
        path_between=arguments.path,
        captions=captions,
    )
    print(out, film, sep="\n")
    return 0


def draw_ends(vae, labels, seed, latents):
    """Two draws of the prior, (2, latent_dim) float32; `latents` as `generate` takes it."""
    from training_run.step.batches import draw_normal

    noise = draw_normal(seed, "interpolation", 0, (2, vae.latent_dim))
    given = labels if vae.is_conditional else None
    return np.asarray(noise if latents is None else latents(noise, seed, 0, given))


def draw_latents(z_mean, z_log_var, seed):
    """A draw from each q(z|x), as in source 003: (N, latent_dim) float32."""
    from training_run.step.batches import draw_normal
    from vae_mnist.losses import sample_posterior

    epsilon = draw_normal(seed, "interpolation", 0, z_mean.shape)
    return sample_posterior(z_mean, z_log_var, epsilon).numpy()


if __name__ == "__main__":
    sys.exit(main())
