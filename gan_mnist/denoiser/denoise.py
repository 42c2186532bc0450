"""What clipping and the denoiser do to generated digits: `python -m gan_mnist.denoise --help`.

Source 000 shows a sample three times: plain, and so noisy; after max(x, 0), since its tanh reaches
from -1 to 1 where pixels are grey values from 0 to 1; and as the denoising autoencoder leaves it.
"""

from functools import partial

from pydantic import ValidationError

from sample_quality.command import check_numbers
from sample_quality.run_settings import read_settings
from sample_quality.score_run import MAX_REAL
from training_run.cli.arguments import add_run_arguments, check_num, find_run_and_output
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.config.sections import ModelSection
from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.run_folder.find import find_run
from training_run.run_folder.networks import check_network
from training_run.step.sampling import choose_labels, sample_batches
from training_run.tensorflow_import import import_tensorflow

MAX_IMAGES = 1000
"""What still makes a picture."""

NUM_COLUMNS = 10
"""One for each digit of a conditional network."""

GENERATORS = ("generator", "decoder")


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m gan_mnist.denoise",
        description="Samples of a GAN or VAE as they come, clipped, and cleaned by a denoiser.",
    )
    add_run_arguments(parser, "RUN-denoised.png, here")
    parser.add_argument(
        "--denoiser",
        metavar="RUN2",
        required=True,
        help="a run of gan_mnist.train_denoiser: its folder, its number, or latest",
    )
    parser.add_argument("--num", type=integer, default=10, help="how many images (default: 10)")
    parser.add_argument(
        "--score",
        metavar="N",
        type=integer,
        help="also compare the three by their scores, with N samples (10000, say)",
    )
    return run_command(_denoise, parser.parse_args(argv))


def _denoise(arguments):
    check_num(arguments.num, MAX_IMAGES)
    if arguments.score is not None:
        check_numbers(arguments.score, arguments.seed, "--score")
    run, out = find_run_and_output(arguments, "gan", "denoised.png")
    denoiser_run = find_run(arguments.denoiser, arguments.outputs, "denoiser")
    name = saved_network(run, GENERATORS)
    saved_network(denoiser_run, ("denoiser",))
    model = read_model_section(run)
    settings = read_settings(run) if arguments.score else None
    import_tensorflow()
    from training_run.run_folder.networks import (
        IMAGES_TO_IMAGES,
        LATENTS_TO_IMAGES,
        load_network,
    )

    network = load_network(run, name, LATENTS_TO_IMAGES)
    denoiser = load_network(denoiser_run, "denoiser", IMAGES_TO_IMAGES)
    check_same_shape(network, denoiser)
    draw = partial(draw_three, network, denoiser, model, arguments.seed)
    write_comparison(out, *draw(arguments.num), model)
    print(out)
    if arguments.score:
        print(score_three(draw(arguments.score), settings, arguments.seed))
    return 0


def draw_three(network, denoiser, model, seed, num):
    """Raw, clipped and denoised samples, as from `clean`."""
    labels = choose_labels(network, None, num)
    return clean(sample_batches(network, num, seed, labels), denoiser, model)


def score_three(pictures, settings, seed):
    """Whether cleaning helps, and what it costs, as a table.

    Args:
        pictures: raw, clipped and denoised samples, each (N, H, W, C) uint8; as many of them are
            scored as there are training images at most.
        settings: the run's `RunSettings`, which names the real images.
        seed: of the protocol.

    Returns:
        Text of several lines.

    Raises:
        UserError: if there is no classifier of such images.
    """
    from sample_quality.features.classifier import classifier_for
    from sample_quality.image_scores import score_images
    from sample_quality.table import format_comparison
    from training_run.data.datasets import load_dataset

    data = load_dataset(settings.data)
    classifier = classifier_for(data, settings.data)
    real, num = data.x_test[:MAX_REAL], len(data.x_train)
    scores = {
        name: score_images(images[:num], real, data.x_train, classifier, seed=seed)
        for name, images in zip(("raw", "clipped", "denoised"), pictures, strict=True)
    }
    return format_comparison(scores)


def saved_network(run, names):
    """Which of these networks a run folder has.

    Raises:
        UserError: if it has none of them, or it is damaged.
    """
    for name in names:
        if run.network(name).is_file():
            check_network(run, name)
            return name
    files = " or ".join(f"{name}.keras" for name in names)
    raise UserError(f"{run.path}: expected a run folder with {files}, received one without")


def read_model_section(run):
    """What every image-making network has in its configuration, whatever the family.

    Args:
        run: a `RunDir`.

    Returns:
        A `ModelSection`.

    Raises:
        UserError: if the configuration does not say how its images are scaled.
    """
    values = read_yaml(run.config).values
    section = values.get("model") if isinstance(values, dict) else None
    try:
        return ModelSection.model_validate({key: section[key] for key in ModelSection.model_fields})
    except (TypeError, KeyError, ValidationError):
        raise UserError(
            f"{run.config}: expected model.output_activation and the model.value_range that it "
            "reaches, received a configuration without them"
        ) from None


def check_same_shape(network, denoiser):
    """Refuse a denoiser of other images.

    Raises:
        UserError: naming both shapes.
    """
    made, taken = (
        "x".join(map(str, shape[1:])) for shape in (network.output_shape, denoiser.input_shape)
    )
    if made != taken:
        raise UserError(f"--denoiser: expected one for {made} images, received one for {taken}")


def clean(batches, denoiser, model):
    """The three pictures of each sample.

    Args:
        batches: iterable of (n, H, W, C) float arrays, as the network gives them.
        denoiser: the loaded network.
        model: `ModelSection` of the network that made them.

    Returns:
        Raw, clipped and denoised, each (N, H, W, C) uint8. Black and white in the raw ones are all
        that the activation reaches; in the clipped ones the `value_range` of the training images.
    """
    import numpy as np

    from gan_mnist.denoiser.model import denoise
    from training_run.pictures.pixels import to_uint8

    triples = [
        (
            to_uint8(images, reach_of(model)),
            to_uint8(images, model.value_range),
            to_uint8(denoise(denoiser, images, model.value_range), (0, 1)),
        )
        for images in batches
    ]
    return [np.concatenate(pictures) for pictures in zip(*triples, strict=True)]


def reach_of(model):
    """(low, high) of all that a network can put out: the range its configuration defaults to."""
    return ModelSection(output_activation=model.output_activation).value_range


def write_comparison(path, raw, clipped, denoised, model):
    """Write the three pictures of each sample as a PNG, one above the other."""
    from training_run.pictures.grid import interleave_rows, save_image_grid

    num_columns = min(len(raw), NUM_COLUMNS)
    captions = (
        f"raw ({_span(reach_of(model))})",
        "clipped (as raw)"
        if model.value_range == reach_of(model)
        else f"clipped ({_span(model.value_range)})",
        "denoised",
    )
    save_image_grid(
        path,
        interleave_rows([raw, clipped, denoised], num_columns),
        (0, 255),
        num_columns,
        row_captions=captions * -(-len(raw) // num_columns),
    )


def _span(value_range):
    low, high = value_range
    return f"{low:g} to {high:g}"
