"""Interpolation between two latents of a GAN: `python -m gan_mnist.interpolate --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from gan_mnist.family import FAMILY
from training_run.cli.arguments import (
    add_interpolation_arguments,
    add_run_arguments,
    check_frames,
    open_run,
)
from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.pictures.captions import label_captions
from training_run.pictures.interpolation import rows_by_label, write_interpolation
from training_run.run_folder.environment import read_class_names
from training_run.tensorflow_import import import_tensorflow


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m gan_mnist.interpolate",
        description="From one random latent of a GAN to another: a PNG strip, labelled 0% to "
        "100%, and a GIF that goes there and back. A conditional GAN gets one class a row.",
    )
    add_run_arguments(parser, "RUN-interpolation.png, here; the GIF beside it")
    add_interpolation_arguments(parser)
    parser.add_argument("--label", help="one class of a conditional GAN, by its name or number")
    return run_command(_interpolate, parser.parse_args(argv))


def _interpolate(arguments):
    check_frames(arguments.frames)
    run, config, out = open_run(FAMILY, arguments, ["generator"], "interpolation.png")
    import_tensorflow()
    from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
    from training_run.step.batches import draw_normal
    from training_run.step.sampling import choose_rows

    generator = load_network(run, "generator", LATENTS_TO_IMAGES)
    class_names = read_class_names(run)
    labels = choose_rows(generator, arguments.label, class_names)
    gif = write_interpolation(
        out,
        rows_by_label(sampler(generator), labels),
        draw_normal(arguments.seed, "interpolation", 0, (2, config.model.latent_dim)).numpy(),
        config.model.value_range,
        num_frames=arguments.frames,
        path_between=arguments.path,
        captions=() if labels is None else label_captions(labels, class_names),
    )
    print(out, gif, sep="\n")
    return 0


def sampler(generator):
    """A function of (z, labels) giving images; labels are None for a network without them."""
    import tensorflow as tf

    def sample(z, labels):
        inputs = z if labels is None else [tf.constant(z), tf.constant(labels, tf.int32)]
        return generator(inputs, training=False)

    return sample


if __name__ == "__main__":
    sys.exit(main())
