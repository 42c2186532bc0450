"""What clipping and the denoiser do to generated digits: `python -m gan_mnist.denoise --help`.

Source 000 shows a sample three times: raw, with noise all over; after max(x, 0), since its tanh
reaches from -1 to 1 while pixels are grey values from 0 to 1; and after the denoising autoencoder.
"""

from pydantic import ValidationError

from sample_quality.protocol import MAX_REAL
from sample_quality.run_settings import image_network, read_settings
from sample_quality.scoring import check_numbers
from training_run.cli.arguments import add_run_arguments, check_num, find_run_and_output
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.config.networks import ModelSection
from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.run_folder.find import find_run
from training_run.step.sampling import choose_labels, sample_batches
from training_run.tensorflow_import import import_tensorflow

MAX_IMAGES = 1000
"""Most images of a picture."""

NUM_COLUMNS = 10
"""One for each digit of a conditional network."""


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m gan_mnist.denoise",
        description="Samples of a GAN or VAE: raw, clipped, and cleaned by a denoiser.",
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
    name = image_network(run)
    if not denoiser_run.network("denoiser").is_file():
        raise UserError(
            f"{denoiser_run.path}: expected a run folder with denoiser.keras, received one without"
        )
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
    pictures = draw_three(network, denoiser, model, arguments.num, arguments.seed)
    write_comparison(out, pictures, model)
    print(out)
    if arguments.score:
        pictures = draw_three(network, denoiser, model, arguments.score, arguments.seed)
        print(score_three(pictures, settings, arguments.seed))
    return 0


def read_model_section(run):
    """The keys of `model` that the networks of all families have, as a `ModelSection`.

    Raises:
        UserError: if the configuration of the `RunDir` lacks them.
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
    """Raise `UserError` if the denoiser takes images of another shape than the network draws."""
    drawn, taken = (
        "x".join(map(str, shape[1:])) for shape in (network.output_shape, denoiser.input_shape)
    )
    if drawn != taken:
        raise UserError(f"--denoiser: expected one for {drawn} images, received one for {taken}")


def draw_three(network, denoiser, model, num, seed):
    """Samples of a network: raw, clipped and denoised.

    Args:
        network: a loaded generator or decoder.
        denoiser: a loaded denoiser.
        model: the network's `ModelSection`.
        num: how many samples.
        seed: of the latents.

    Returns:
        Three arrays (num, H, W, C) uint8. Black and white are the ends of what the activation
        reaches in the raw images, and of the `value_range` of the training images in the clipped
        ones.
    """
    import numpy as np

    from gan_mnist.denoiser.model import denoise
    from training_run.pictures.pixels import to_uint8

    labels = choose_labels(network, None, num)
    triples = [
        (
            to_uint8(images, reach_of(model)),
            to_uint8(images, model.value_range),
            to_uint8(denoise(denoiser, images, model.value_range), (0, 1)),
        )
        for images in sample_batches(network, num, seed, labels)
    ]
    return [np.concatenate(pictures) for pictures in zip(*triples, strict=True)]


def reach_of(model):
    """(low, high) of all values that the output activation of a `ModelSection` can give."""
    return ModelSection(output_activation=model.output_activation).value_range


def write_comparison(path, pictures, model):
    """Write what `draw_three` gives as a PNG, the three pictures of a sample below each other."""
    from training_run.pictures.grid import interleave_rows, save_image_grid

    num = len(pictures[0])
    num_columns = min(num, NUM_COLUMNS)
    raw, clipped = ("{:g} to {:g}".format(*ends) for ends in (reach_of(model), model.value_range))
    captions = (f"raw ({raw})", f"clipped ({'as raw' if clipped == raw else clipped})", "denoised")
    save_image_grid(
        path,
        interleave_rows(pictures, num_columns),
        (0, 255),
        num_columns,
        row_captions=captions * -(-num // num_columns),
    )


def score_three(pictures, settings, seed):
    """The scores of raw, clipped and denoised samples as a table, text of several lines.

    Args:
        pictures: as from `draw_three`. At most as many as there are training images are scored.
        settings: the run's `RunSettings`, which names the real images.
        seed: of the protocol.

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
