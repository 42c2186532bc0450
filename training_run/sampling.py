"""The `sample` command: pictures or arrays from a saved generator or decoder."""

import os
from pathlib import Path

from training_run.command import run_command
from training_run.config import load_config
from training_run.errors import UserError
from training_run.parser import CommandParser
from training_run.quiet import import_tensorflow
from training_run.rundir import check_family, find_run

MAX_IMAGES = 1_000_000
BATCH = 1000
"""Images made at once: bounds the memory, and keeps the bytes independent of --num."""


def add_run_arguments(parser, default_out):
    """Arguments that every command on a run folder has: RUN, --seed, --out, --outputs."""
    parser.add_argument(
        "run", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"default: {default_out}")
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )


def sample_command(family, program, network_name, argv=None):
    """`python -m <program> RUN [--num N] [--seed S] [--label K] [--out FILE]`.

    Args:
        family: the `Family` whose runs it reads.
        program: its module, for the usage text.
        network_name: "generator" or "decoder".
        argv: arguments; None for the process's own.

    Returns:
        Exit code.
    """
    parser = CommandParser(
        prog=f"python -m {program}",
        description="Samples from a finished or running run: a PNG grid, or uint8 arrays as .npz.",
    )
    add_run_arguments(parser, "RUN-samples.png, here")
    parser.add_argument("--num", type=int, default=64, help="how many images (default: 64)")
    parser.add_argument("--label", type=int, help="class, for a conditional model")
    return run_command(_sample, family, network_name, parser.parse_args(argv))


def check_draw(num, most, seed):
    """Refuse a --num or --seed that nothing can be drawn with.

    Raises:
        UserError: if they are not 1 to `most`, and 0 to 2^31 - 1.
    """
    if not 1 <= num <= most:
        raise UserError(f"--num: expected 1 to {most:,} images, received {num}")
    check_seed(seed)


def check_seed(seed):
    """Refuse a --seed out of range.

    Raises:
        UserError: if it is not 0 to 2^31 - 1.
    """
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed: expected 0 to 2147483647, received {seed}")


def _sample(family, network_name, arguments):
    check_draw(arguments.num, MAX_IMAGES, arguments.seed)
    run = find_run(arguments.run, arguments.outputs, family.name)
    out = checked_out(arguments.out or Path(f"{run.path.resolve().name}-samples.png"))
    check_family(run, family.name)
    config = load_config(family.config_class, run.config)
    import_tensorflow()
    from training_run.saved import load_network

    network = load_network(run, network_name)
    labels = choose_labels(network, arguments.label, arguments.num)
    images = generate(network, arguments.num, arguments.seed, config.model.value_range, labels)
    write_images(out, images, labels)
    print(out)
    return 0


def checked_out(out, suffixes=(".png", ".npz")):
    """The output path, if its suffix is known and its folder exists and can be written to.

    Raises:
        UserError: otherwise.
    """
    if out.suffix not in suffixes:
        raise UserError(f"--out: expected a file ending in {' or '.join(suffixes)}, received {out}")
    folder = out.absolute().parent
    if not folder.is_dir() or out.is_dir():
        raise UserError(f"--out: expected a file in an existing folder, received {out}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"--out: expected a folder that can be written to, received {folder}")
    return out


def choose_labels(network, label, num):
    """Labels (num,) int32 for a conditional network, None for another.

    Without a label every class gets its turn.

    Raises:
        UserError: if the network knows no labels, or not this one.
    """
    import numpy as np

    if len(network.inputs) == 1:
        if label is not None:
            raise UserError("--label: expected a run with model.conditional, received one without")
        return None
    num_classes = count_classes(network)
    if label is None:
        return np.arange(num, dtype=np.int32) % num_classes
    if not 0 <= label < num_classes:
        raise UserError(f"--label: expected a class from 0 to {num_classes - 1}, received {label}")
    return np.full(num, label, np.int32)


def count_classes(network):
    """How many classes a conditional network knows.

    Raises:
        UserError: if it is none of ours, which say so in a layer of that name.
    """
    try:
        return network.get_layer("labels_one_hot").num_tokens
    except (ValueError, AttributeError):
        raise UserError(
            f"{network.name}: expected a conditional network with a layer labels_one_hot, "
            "received one without"
        ) from None


def choose_rows(network, label):
    """Labels (rows,) int32 for a picture with one class a row, None for a network without labels.

    Without a label every class gets its row.

    Raises:
        UserError: if the network knows no labels, or not this one.
    """
    every_class = label is None and len(network.inputs) == 2
    return choose_labels(network, label, count_classes(network) if every_class else 1)


def generate(network, num, seed, value_range, labels=None):
    """Sample images from a generator or decoder, as uint8.

    Image k is a function of (seed, k) alone, whatever `num`.

    Args:
        network: z, or [z, labels], -> images in `value_range`.
        num: how many.
        seed: of the latents.
        value_range: (low, high) of the network's images.
        labels: (num,) int32 for a conditional network.

    Returns:
        (num, H, W, C) uint8.
    """
    import numpy as np

    from training_run.images import to_uint8

    batches = sample_batches(network, num, seed, labels)
    return np.concatenate([to_uint8(images, value_range) for images in batches])


def sample_batches(network, num, seed, labels=None):
    """Sample images as the network gives them, a batch at a time.

    Args:
        network, num, seed, labels: as for `generate`.

    Yields:
        (n, H, W, C) float arrays, n = `BATCH` but for the last; `num` images in all.
    """
    import numpy as np
    import tensorflow as tf

    from training_run.batches import draw_normal

    latent_dim = network.inputs[0].shape[-1]
    for start in range(0, num, BATCH):
        z = draw_normal(seed, "sample", start // BATCH, (BATCH, latent_dim))
        if labels is None:
            images = network(z, training=False)
        else:
            chosen = np.resize(labels[start : start + BATCH], BATCH)
            # Keras refuses a list of which only some are tensors.
            images = network([z, tf.convert_to_tensor(chosen)], training=False)
        yield np.asarray(images)[: num - start]


def write_images(path, images, labels=None):
    """Write uint8 images as a PNG grid or, with their labels, as `.npz`; atomically."""
    import math

    import numpy as np

    from training_run.files import atomic_path
    from training_run.images import save_image_grid

    if path.suffix == ".png":
        save_image_grid(path, images, (0, 255), math.ceil(math.sqrt(len(images))))
        return
    arrays = {"images": images} | ({} if labels is None else {"labels": labels})
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
