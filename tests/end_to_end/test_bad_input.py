"""Wrong configurations, command lines, data and run folders: exit code 2, a sentence, no traces.

Every case runs a command as a user types it, in one folder that holds all there is to see. It must
not change by a byte.
"""

import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from gan_mnist.config import GANConfig
from gan_mnist.denoise import main as denoise
from gan_mnist.interpolate import main as gan_interpolate
from gan_mnist.sample import main as gan_sample
from gan_mnist.train import main as gan_train
from gan_mnist.train_denoiser import main as denoiser_train
from sample_quality.command import main as quality
from sample_quality.train_classifier import main as train_classifier
from training_run.config.load import config_to_yaml, load_config
from training_run.files import sha256_of_file
from training_run.run_folder.checkpoint import save_checkpoint
from vae_mnist.interpolate import main as vae_interpolate
from vae_mnist.manifold import main as manifold
from vae_mnist.reconstruct import main as reconstruct
from vae_mnist.sample import main as vae_sample
from vae_mnist.train import main as vae_train

COMMANDS = {
    "gan": gan_train,
    "vae": vae_train,
    "denoiser": denoiser_train,
    "gan.sample": gan_sample,
    "vae.sample": vae_sample,
    "gan.interpolate": gan_interpolate,
    "vae.interpolate": vae_interpolate,
    "reconstruct": reconstruct,
    "manifold": manifold,
    "denoise": denoise,
    "quality": quality,
    "classifier": train_classifier,
}

HEAD = "family: gan\nname: x\n"
CONFIGS = {
    "syntax": HEAD + "training: {steps: 5\n",
    "tab": HEAD + "training:\n\tsteps: 5\n",
    "two_documents": HEAD + "---\nname: y\n",
    "list": "- family: gan\n",
    "scalar": "42\n",
    "empty": "",
    "python_tag": HEAD + "training: {steps: !!python/object/apply:os.system [true]}\n",
    "own_tag": HEAD + "training: {steps: !mine 3}\n",
    "twice": HEAD + "seed: 1\nseed: 2\ntraining: {steps: 5}\n",
    "misspelt": HEAD + "traning: {steps: 5}\n",
    "no_training": HEAD,
    "no_family": "name: x\ntraining: {steps: 5}\n",
    "wrong_kind": HEAD + "training: 5\n",
    "list_for_number": HEAD + "training: {steps: 5}\nseed: [1]\n",
    "number_for_text": HEAD + "training: {steps: 5}\noutput_dir: 5\n",
    "long_text": HEAD + "training: {steps: 5}\nloss: {name: " + 5000 * "x" + "}\n",
    "huge_number": HEAD + "training: {steps: 5}\nseed: " + 6000 * "9" + "\n",
    "hex_number": HEAD + "training: {steps: 0x" + 6000 * "f" + "}\n",
    "deep": HEAD + "training: " + 900 * "[" + "\n",
    "aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join(9 * ['*' + before])}]\n"
        for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
    )
    + HEAD
    + "training: {steps: *l}\nseed: *l\nmodel: {kind: *l}\nloss: *l\n",
    "alias_to_itself": HEAD + "training: &a {steps: *a}\n",
    "null_key": HEAD + "training: {steps: 5, ~: 3}\n",
    "list_key": HEAD + "training: {steps: 5}\n? [a, b]\n: 3\n",
    "number_key": HEAD + "training: {steps: 5}\n1: 3\n",
    "underscore": HEAD + "training: {steps: 5}\nseed: 1_0\n",
    "null_byte": HEAD + 'output_dir: "a\\0b"\ntraining: {steps: 5}\n',
}  # fmt: skip

CONFIG_SENTENCES = {
    "syntax": "expected YAML, received text that is not",
    "tab": "expected YAML",
    "two_documents": "expected YAML",
    "list": "expected keys and values, received [{'family': 'gan'}]",
    "scalar": "expected keys and values, received 42",
    "empty": "expected keys and values, received None",
    "python_tag": "yaml:3: training.steps: expected a plain YAML value, received one with the tag",
    "own_tag": "expected a plain YAML value, received one with the tag '!mine'",
    "twice": "yaml:4: seed: expected each key once, received it again (first on line 3)",
    "misspelt": "yaml:3: traning: unknown key, received {'steps': 5}; did you mean 'training'?",
    "no_training": "training: expected a value, received none",
    "no_family": "family: expected a value, received none",
    "wrong_kind": "yaml:3: training: expected keys and values, received 5",
    "list_for_number": "yaml:4: seed: expected an integer, received [1]",
    "number_for_text": "yaml:4: output_dir: expected a string, received 5",
    "long_text": "loss.name: expected 'non_saturating'",
    "huge_number": "expected YAML, received text that is not: Exceeds the limit",
    "hex_number": "training.steps: ",
    "deep": "expected YAML",
    "aliases": "training.steps: expected a number of steps or epochs from 1 on",
    "alias_to_itself": "training.steps: expected a number of steps or epochs",
    "null_key": "null_key.yaml:3: training: expected keys that are text, received ~",
    "list_key": "list_key.yaml:4: expected keys that are text, received a list or keys",
    "number_key": "number_key.yaml:4: expected keys that are text, received 1",
    "underscore": "underscore.yaml:4: seed: expected an integer, received '1_0'",
    "null_byte": "output_dir: expected a folder for the runs, received a name with a null",
}

OVERRIDES = [
    ("gan", "training.steps=0", "training.steps: expected a number of steps or epochs from 1 on"),
    ("gan", "training.steps=-5", "training.steps: expected a number of steps"),
    ("gan", "training.steps=1.5", "training.steps: expected a number of steps"),
    ("gan", "training.steps=3 weeks", "received '3 weeks'"),
    ("gan", "training.steps=true", "received True"),
    ("gan", "training.steps=10000000000000", "training.steps: expected a number of steps"),
    ("gan", "training.batch_size=0", "expected a number greater than 0, received 0"),
    ("gan", "training.batch_size=51", "expected at most the 50 training images of 'mnist'"),
    ("gan", "optimizer.learning_rate=0", "expected a number greater than 0"),
    ("gan", "optimizer.learning_rate=.nan", "expected a finite number, received nan"),
    ("gan", "optimizer.learning_rate=fast", "expected a number, received 'fast'"),
    ("gan", "optimizer.beta_1=1", "expected a number less than 1"),
    ("gan", "name=../x", "name: expected text that matches"),
    ("gan", "name=", "name: expected a string, received None"),
    ("gan", "seed=-1", "expected a number greater than or equal to 0"),
    ("gan", "seed.x=3", "command line: seed: expected an integer, received {'x': 3}"),
    ("gan", "training=3", "command line: training: expected keys and values, received 3"),
    ("gan", "training={}", "command line: training.steps: expected a value, received none"),
    ("gan", "seed=1_0", "command line: seed: expected an integer, received '1_0'"),
    ("gan", "output_dir=data/dangling", "data/dangling, which is no folder"),
    ("gan", "output_dir=/proc/x", "/proc/x, which may not be written to"),
    ("gan", "seed=2147483648", "expected a number less than 2147483648"),
    ("gan", "loss.name=wgan", "or 'own', received 'wgan'"),
    ("gan", "loss.name=wasserstein", "a critic of unbounded slope"),
    ("gan", "model.kind=cnn", "model.kind: expected 'mlp', 'conv' or 'saved', received 'cnn'"),
    ("gan", "model.value_range=[0,255]", "expected a value_range inside [-1, 1]"),
    ("gan", "samples.num_rows=33", "expected a number less than or equal to 32"),
    ("gan", "samples.num_columns=0", "expected a number greater than or equal to 1"),
    ("gan", "data.dataset=cifar", "data.dataset: expected 'mnist'"),
    ("gan", "data.image_size=4", "data.image_size: expected a number greater than or equal to 8"),
    ("gan", "data.image_size=32", "of 8x8x1, which are not resized: expected no image_size"),
    ("gan", "data.num_channels=2", "data.num_channels: expected 1 or 3, received 2"),
    ("gan", "data.path=''", "data.path: expected text of at least 1 character"),
    ("gan", "output_dir=", "output_dir: expected a string, received None"),
    ("gan", "output_dir=data/text.png/outputs", "data/text.png, which is no folder"),
    ("gan", "log.every=[1]", "log.every: expected a number of steps"),
    ("gan", "gif.seconds=-1", "gif.seconds: expected a number greater than"),
    ("gan", "gif.seconds=1.5", "gif.seconds: expected a number greater than 2, received 1.5"),
    ("gan", "gif.seconds=601", "expected a number less than or equal to 600, received 601"),
    ("gan", "model.latent_dim=1000001", "expected sizes of networks up to 1,000,000, received"),
    ("gan", "model.generator_widths=[9, 9999999]", "sizes of networks up to 1,000,000, received"),
    ("denoiser", "model.num_hidden=100000000000000000000", "sizes of networks up to 1,000,000"),
    ("gan", "ema.decay=1", "ema.decay: expected a number less than 1"),
    ("gan", "distribution.strategy=cluster", "distribution.strategy: expected 'none'"),
    ("gan", "checkpoints.keep=0", "checkpoints.keep: expected a number greater than 0"),
    ("vae", "loss.beta=-1", "loss.beta: expected a number greater than or equal to 0"),
    ("vae", "loss.reconstruction=l2", "loss.reconstruction: expected 'squared_error'"),
    ("vae", "model.value_range=[-1,1]", "expected a value_range inside [0, 1]"),
    ("vae", "model.output_activation=tanh", "model.output_activation: expected 'sigmoid'"),
    ("vae", "validation.every=150", "expected a multiple of log.every (100 steps), received 150"),
    ("vae", "data.binarize=yes", "data.binarize: expected 'none', 'static' or 'dynamic'"),
    ("denoiser", "corruption.masking=1.1", "corruption.masking: expected a number less than or"),
    ("denoiser", "corruption={}", "expected a strength above 0 for at least one kind"),
    ("denoiser", "model.value_range=[-1,1]", "model.value_range.0: expected 0.0, received -1"),
]  # fmt: skip

TINY = "data.path=data/tiny.npz"
LINES = [
    ("gan", "--confg gan_mlp", "unrecognized arguments: --confg; did you mean '--config'?"),
    ("gan", "--config gan_mpl", "received 'gan_mpl'; did you mean 'gan_mlp'?"),
    ("gan", "--config=", "expected a preset's name or a path, received ''"),
    ("gan", "--config no/such.yaml", "received a path where there is none"),
    ("gan", "--config data", "expected a preset's name or a path, received 'data'"),
    ("gan", "--config configs/folder.yaml", "received a path where there is none"),
    ("gan", "--config vae_mlp", "--config: vae_mlp is a preset of vae_mnist.train"),
    ("gan", "steps", "expected an override of the form key=value, received 'steps'"),
    ("gan", "=3", "expected an override of the form key=value, received '=3'"),
    ("gan", "a..b=3", "expected an override of the form key=value"),
    ("gan", "seed=[1", "command line: seed:1: expected YAML"),
    ("gan", "--resume runs/gan --config gan_mlp", "expected --config or --resume, received both"),
    ("gan", "--resume=", "received an empty name"),
    ("gan", "--resume 7", "outputs: expected the number of a run (newest: none), received 7"),
    ("gan", "--resume ²", "²: expected a run folder"),
    ("gan", "--resume latest", "outputs: expected at least one gan run"),
    ("gan", "--resume latest --outputs data/text.png", "data/text.png: expected at least one gan"),
    ("gan", "--resume", "--resume: expected one argument"),
    ("gan", "--allow-change seed", "--allow-change: expected together with --resume"),
    ("gan", "--resume runs/gan --allow-change sede", "received 'sede'; did you mean 'seed'?"),
    ("gan.sample", "", "the following arguments are required: RUN"),
    ("gan.sample", "runs/gan --num abc", "--num: expected an integer, received 'abc'"),
    ("gan.sample", "runs/gan --num 0", "--num: expected 1 to 1,000,000 images, received 0"),
    ("gan.sample", "runs/gan --num 1000001", "--num: expected 1 to 1,000,000 images"),
    ("gan.sample", "runs/gan --seed -1", "--seed: expected 0 to 2147483647, received -1"),
    ("gan.sample", "runs/gan --out x.jpg", "--out: expected a file ending in .png or .npz"),
    ("gan.sample", "runs/gan --out no/x.png", "--out: expected a file in an existing folder"),
    ("gan.sample", "runs/gan --out data/folder.png", "--out: expected a file in an existing"),
    ("gan.sample", "runs/whole --label 3", "--label: expected a run with model.conditional"),
    ("gan.interpolate", "runs/gan --frames 1", "--frames: expected 2 to 101, received 1"),
    ("vae.interpolate", "x --from 1 --from-class 2", "not allowed with argument --from"),
    ("vae.interpolate", "x --from y", "--from: expected an integer"),
    ("denoise", "runs/gan", "the following arguments are required: --denoiser"),
    ("denoise", "runs/whole --denoiser runs/gan", "expected a run folder with denoiser.keras"),
    ("reconstruct", "runs/gan", "runs/gan: expected a run of family 'vae', received one of family"),
    ("manifold", "runs/gan", "expected a run of family 'vae'"),
    ("quality", "runs/gan --num 5", "--num: expected 100 to 100,000 images, received 5"),
    ("classifier", "--dataset imagenet", "--dataset: expected mnist or"),
    ("classifier", "--seed -1", "--seed: expected 0 to 2147483647"),
    ("classifier", "--image-size 4", "--image-size: "),
]

DATA = [
    ("nothing.npz", "data.path: expected a .npz file or a folder of IDX files, received"),
    ("~nobody-by-this-name/x.npz", "received ~nobody-by-this-name/x.npz, which does not exist"),
    ("text.npz", "text.npz: expected a .npz file, received a damaged one"),
    ("cut.npz", "cut.npz: expected a .npz file, received a damaged one"),
    ("flipped.npz", "flipped.npz: expected a .npz file, received a damaged one"),
    ("pickled.npz", "received shape (2,), dtype object"),
    ("nan.npz", "dtype uint8, received shape (9, 8, 8), dtype float32"),
    ("floats.npz", "dtype uint8, received shape (9, 8, 8), dtype float64"),
    ("flat.npz", "expected x_train of shape (N, H, W)"),
    ("channels.npz", "received shape (9, 8, 8, 5)"),
    ("no_images.npz", "N at least 2"),
    ("other_names.npz", "expected an array x_train, received none of that name"),
    ("few_labels.npz", "expected y_train of shape (9,)"),
    ("odd_labels.npz", "expected y_train to number the classes from 0"),
    ("other_test.npz", "expected images of one size, received x_train of shape"),
    ("promises.npz", "expected images that fit into the"),
    ("bomb.npz", "expected images that fit into the"),
    ("bad_header.npz", "received a damaged one"),
    ("folder.png", "expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it"),
    ("idx_cut", "needs 640 bytes, there are 600"),
    ("idx_type", "its first bytes are 0000 0d 03"),
    ("idx_bomb", "bytes, there are 0"),
]  # fmt: skip

IMAGE_FOLDERS = [
    ("none_here", "data.path: expected a folder of images, received"),
    ("text.png", "text.png, which is not a folder"),
    ("empty", "expected a folder with at least 2 images"),
    ("only_text", "expected a folder with at least 2 images"),
    ("loop", "expected a folder with at least 2 images"),
    ("links", "expected a folder with at least 2 images"),
    ("text_as_png", "expected at least 2 readable images in"),
    ("cut_png", "expected at least 2 readable images in"),
    ("huge_png", "exceeds limit of 178956970 pixels"),
    ("large_png", "too large to decode: 8000x8000"),
    ("bomb_png", "exceeds limit of 178956970 pixels"),
    ("floating_tiff", "floating-point pixels of unknown range"),
]

RUNS = [
    ("gan", "--resume runs/none", "runs/none: expected a run folder"),
    ("gan", "--resume data", "data: expected a run folder (with a config.yaml)"),
    ("gan", "--resume runs/vae_config", "expected a run of family 'gan', received one of family"),
    ("gan", "--resume runs/no_family", "received one without a family"),
    ("gan", "--resume runs/foreign", "foreign: expected a run of family 'gan'"),
    ("gan", "--resume runs/python", "expected a plain YAML value, received one with the tag"),
    ("gan", "--resume runs/newer_key", "quality.new: unknown key"),
    ("gan", "--resume runs/newer", "expected checkpoint format 1, received the newer 2"),
    ("gan", "--resume runs/damaged", "expected a checkpoint to resume from, received none that"),
    ("gan", "--resume runs/incomplete", "expected a checkpoint to resume from, received none"),
    ("gan", "--resume runs/no_checkpoints", "expected a checkpoint to resume from, received none"),
    ("gan", "--resume runs/record_list", "expected a checkpoint to resume from, received none"),
    ("gan", "--resume runs/pickled", "the checkpoint cannot be read (Object arrays cannot be"),
    ("gan", "--resume runs/other_network", "expected the variables of this configuration"),
    ("gan", "--resume runs/other_data", "expected the x_train that the run began with"),
    ("gan", "--resume runs/bad_record", "bad_record/environment.json: "),
    ("gan", "--resume runs/locked", "another process is training in this run folder"),
    ("gan", "--resume bundled:gan_mlp", "expected a run with checkpoints, received bundled:"),
    ("gan", "--resume runs/copy", "expected a checkpoint to resume from, received none"),
    ("gan", "--resume runs/gan seed=3", "seed: expected 0 as the run was started with"),
    ("gan", "--resume runs/gan training.steps=3", "expected at least the 5 steps that the run"),
    ("gan", "--resume runs/gan model.latent_dim=5 --allow-change model", "expected the variables"),
    ("gan.sample", "runs/lambda", "Requested the deserialization of a `Lambda` layer"),
    ("gan.sample", "runs/text", "text/generator.keras: expected a .keras file, received something"),
    ("gan.sample", "runs/cut", "cut/generator.keras: expected a .keras file"),
    ("gan.sample", "runs/damaged_network", "expected a .keras file, received something else or a"),
    ("gan.sample", "runs/optimizer", "a damaged one, without model.weights.h5"),
    ("gan.sample", "runs/kind", "expected a generator, from 2 dimensions to 4, received"),
    ("gan.sample", "runs/no_network", "expected a saved network, received a run folder without"),
    ("gan.interpolate", "runs/lambda", "Requested the deserialization of a `Lambda` layer"),
    ("denoise", "runs/lambda --denoiser runs/whole", "Requested the deserialization of a `Lam"),
    ("quality", "runs/no_network", "expected a run with generator.keras or decoder.keras"),
    ("quality", "runs/foreign", "expected a run's configuration with data and model.value_range"),
]  # fmt: skip


def png_chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_of_zeros(side):
    """A file of a kilobyte that says it is a grey PNG of `side` x `side` pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(bytes(1 << 20), 9))
    return b"\x89PNG\r\n\x1a\n" + header + body + png_chunk(b"IEND", b"")


def write_npz_by_hand(path, header, num_zeros):
    """An x_train with any header, over compressed zeros."""
    text = repr(header).encode() if isinstance(header, dict) else header
    text = text.ljust(117) + b"\n"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x_train.npy", "w", force_zip64=True) as member,
    ):
        member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
        for _ in range(num_zeros >> 24):
            member.write(bytes(1 << 24))


def write_arrays(folder):
    images = np.zeros((9, 8, 8), np.uint8)
    for name, arrays in {
        "tiny": {"x_train": np.zeros((50, 8, 8), np.uint8), "x_test": images},
        "pickled": {"x_train": np.array([None, {}])},
        "nan": {"x_train": np.full((9, 8, 8), np.nan, np.float32)},
        "floats": {"x_train": images / 255},
        "flat": {"x_train": images.reshape(9, 64)},
        "channels": {"x_train": np.zeros((9, 8, 8, 5), np.uint8)},
        "no_images": {"x_train": images[:0]},
        "other_names": {"images": images},
        "few_labels": {"x_train": images, "y_train": np.zeros(8, int)},
        "odd_labels": {"x_train": images, "y_train": np.full(9, -1)},
        "other_test": {"x_train": images, "x_test": np.zeros((3, 8, 9), np.uint8)},
    }.items():
        np.savez(folder / f"{name}.npz", **arrays)
    whole = (folder / "tiny.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[:2000])
    flipped = bytearray(whole)
    flipped[1000] ^= 255
    (folder / "flipped.npz").write_bytes(flipped)
    (folder / "text.npz").write_text("not a zip file")
    shape = {"descr": "|u1", "fortran_order": False}
    write_npz_by_hand(folder / "promises.npz", shape | {"shape": (10**9, 1000, 1000)}, 0)
    write_npz_by_hand(folder / "bad_header.npz", b"{'descr': '|u1', 'shape': (9, (", 0)


def write_idx(folder, content):
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(content)


def write_data(folder):
    write_arrays(folder)
    write_idx(folder / "idx_cut", struct.pack(">HBB3I", 0, 8, 3, 10, 8, 8) + bytes(600))
    write_idx(folder / "idx_type", struct.pack(">HBB3I", 0, 13, 3, 10, 8, 8) + bytes(640))
    write_idx(folder / "idx_bomb", struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 60000, 60000))
    (folder / "folder.png").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "text.png").write_text("no picture")
    for name in (
        "empty",
        "only_text",
        "loop",
        "links",
        "text_as_png",
        "cut_png",
        "huge_png",
        "large_png",
        "bomb_png",
    ):
        (folder / name).mkdir()
    (folder / "only_text" / "readme.txt").write_text("text")
    for name in ("0.png", "1.png"):
        (folder / "links" / name).symlink_to("nowhere")
        os.mkfifo(folder / "links" / f"pipe{name}")
    (folder / "loop" / "again").symlink_to(folder / "loop")
    (folder / "loop" / "itself.png").symlink_to(folder / "loop" / "itself.png")
    for number in range(3):
        (folder / "text_as_png" / f"{number}.png").write_text("no picture")
        (folder / "cut_png" / f"{number}.png").write_bytes(png_of_zeros(64)[:60])
        (folder / "large_png" / f"{number}.png").write_bytes(png_of_zeros(8000))
        (folder / "huge_png" / f"{number}.png").write_bytes(png_of_zeros(40000))
        (folder / "bomb_png" / f"{number}.png").write_bytes(png_of_zeros(2**31 - 1))
    (folder / "floating_tiff").mkdir()
    for number in range(2):
        pixels = Image.fromarray(np.zeros((9, 9), np.float32))
        pixels.save(folder / "floating_tiff" / f"{number}.tif")


class Composite(keras.Model):
    """All that a checkpoint asks of a model."""

    def __init__(self, width):
        super().__init__()
        self.network = keras.Sequential([keras.Input((width,)), keras.layers.Dense(1)])
        self.built = True

    def optimizers(self):
        return {}


def write_run(folder, name, **files):
    """A run folder with a GAN's configuration, after 5 steps; further files by name."""
    run = folder / name
    run.mkdir()
    overrides = [
        "training.steps=5", TINY, "model.generator_widths=[4]", "model.discriminator_widths=[4]",
        "model.latent_dim=3", "training.batch_size=5",
    ]  # fmt: skip
    config = load_config(GANConfig, "gan_mlp_smoke.yaml", overrides)
    (run / "config.yaml").write_text(config_to_yaml(config))
    (run / "log.csv").write_text("step,seconds,d_loss\n")
    for file, content in files.items():
        (run / file.replace("__", ".")).write_text(content)
    return run


def write_checkpoints(folder):
    for name in ("newer", "damaged", "incomplete", "record_list", "pickled", "other_network"):
        run = write_run(folder, name)
        path = save_checkpoint(run / "checkpoints", Composite(3), 5, 1.0)
        record = json.loads((path / "checkpoint.json").read_text())
        if name == "newer":
            (path / "checkpoint.json").write_text(json.dumps(record | {"format": 2}))
        elif name == "damaged":
            (path / "state.npz").write_bytes((path / "state.npz").read_bytes()[:-9])
        elif name == "incomplete":
            (path / "state.npz").unlink()
        elif name == "record_list":
            (path / "checkpoint.json").write_text(3000 * "[")
        elif name == "pickled":
            np.savez(path / "state.npz", **{"model/000": np.array([{}], object)})
            record["sha256"] = sha256_of_file(path / "state.npz")
            (path / "checkpoint.json").write_text(json.dumps(record))
    for name, record in {
        "gan": None,
        "locked": None,
        "other_data": json.dumps({"data": {"sha256_x_train": 64 * "0"}}),
        "bad_record": "[1, 2",
    }.items():
        run = write_run(folder, name)
        save_checkpoint(run / "checkpoints", Composite(3), 2, 1.0)
        if record:
            (run / "environment.json").write_text(record)


def write_networks(folder):
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))]
    )
    code = keras.Sequential([*generator.layers, keras.layers.Lambda(lambda x: x)])
    code.build((None, 3))
    code.save(write_run(folder, "lambda") / "generator.keras")
    generator.save(write_run(folder, "cut") / "generator.keras")
    (folder / "text" / "generator.keras").write_text("text")
    copy = write_run(folder, "copy")
    (copy / "log.csv").unlink()
    generator.save(copy / "generator.keras")
    whole = (folder / "cut" / "generator.keras").read_bytes()
    (folder / "cut" / "generator.keras").write_bytes(whole[: len(whole) // 2])
    broken = bytearray(whole)
    middle = slice(len(whole) // 2, len(whole) // 2 + 40)
    broken[middle] = bytes(255 - byte for byte in whole[middle])
    (write_run(folder, "damaged_network") / "generator.keras").write_bytes(broken)
    with zipfile.ZipFile(write_run(folder, "optimizer") / "generator.keras", "w") as archive:
        adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}
        archive.writestr("config.json", json.dumps(adam))
        archive.writestr("metadata.json", "{}")
    discriminator = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    discriminator.save(write_run(folder, "kind") / "generator.keras")
    restorer = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Activation("relu")])
    restorer.save(write_run(folder, "whole") / "denoiser.keras")
    generator.save(folder / "whole" / "generator.keras")


def write_runs(folder):
    text = config_to_yaml(load_config(GANConfig, "gan_mlp_smoke.yaml", ["training.steps=5", TINY]))
    for name, config in {
        "vae_config": text.replace("family: gan", "family: vae"),
        "no_family": text.replace("family: gan\n", ""),
        "foreign": "services:\n  web: {image: nginx}\n",
        "python": text + "more: !!python/object/apply:os.system [true]\n",
        "newer_key": text.replace("quality:\n", "quality:\n  new: 1\n"),
    }.items():
        write_run(folder, name, config__yaml=config)
    for name in ("no_checkpoints", "text", "no_network"):
        write_run(folder, name)
    write_checkpoints(folder)
    write_networks(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with configs/, data/ and runs/, all of them wrong but for data/tiny.npz."""
    from training_run.config.load import find_config

    folder = tmp_path_factory.mktemp("world")
    before = Path.cwd()
    preset = find_config("gan_mlp_smoke").resolve().read_text()
    os.chdir(folder)
    try:
        for name in ("configs", "data", "runs"):
            (folder / name).mkdir()
        for name, text in CONFIGS.items():
            (folder / "configs" / f"{name}.yaml").write_text(text)
        (folder / "configs" / "not_utf8.yaml").write_bytes(b"family: \xff\xfe\n")
        (folder / "configs" / "folder.yaml").mkdir()
        (folder / "gan_mlp_smoke.yaml").write_text(preset)
        write_data(folder / "data")
        write_runs(folder / "runs")
        with FileLock(folder / "runs" / "locked" / ".lock"):
            yield folder
    finally:
        os.chdir(before)


def contents(folder):
    """Every path below a folder with its size and time of change; locks are as good as none."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.name != ".lock" and not path.is_dir()
    }


def assert_refused(world, capsys, command, arguments, sentence):
    """Exit code 2, each line of standard error a sentence, `sentence` in it, nothing written."""
    before = contents(world)
    try:
        code = COMMANDS[command](arguments)
    except SystemExit as error:
        code = error.code
    error = capsys.readouterr().err
    assert code == 2, error
    assert sentence in error
    assert "Traceback" not in error
    lines = error.strip().splitlines()
    assert len(lines) <= 20, error
    assert all(len(line) < 700 for line in lines)
    assert contents(world) == before
    return lines


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations(world, capsys, name):
    arguments = ["--config", f"configs/{name}.yaml", TINY]
    lines = assert_refused(world, capsys, "gan", arguments, CONFIG_SENTENCES[name])
    assert all(f"configs/{name}.yaml" in line or "output_dir" in line for line in lines)


def test_a_configuration_that_is_no_text(world, capsys):
    arguments = ["--config", "configs/not_utf8.yaml"]
    assert_refused(world, capsys, "gan", arguments, "cannot be read: it is not UTF-8 text")


@pytest.mark.parametrize(("command", "override", "sentence"), OVERRIDES)
def test_overrides(world, capsys, command, override, sentence):
    """One wrong key makes one line."""
    preset = {"gan": "gan_mlp", "vae": "vae_mlp", "denoiser": "denoiser"}[command]
    path = [] if "data.path" in override else [TINY]
    arguments = ["--config", f"{preset}_smoke", *path, "training.batch_size=5", override]
    lines = assert_refused(world, capsys, command, arguments, sentence)
    assert len(lines) == 1 or override == "model.value_range=[-1,1]"


@pytest.mark.parametrize(("command", "line", "sentence"), LINES)
def test_command_lines(world, capsys, command, line, sentence):
    lines = assert_refused(world, capsys, command, line.split(), sentence)
    assert len(lines) == 1


@pytest.mark.parametrize(("name", "sentence"), DATA)
def test_data_files(world, capsys, monkeypatch, name, sentence):
    if name == "bomb.npz":
        monkeypatch.setattr(os, "sysconf", lambda name: 1 << 10)  # a machine with 1 MB
        write_npz_by_hand(
            world / "data/bomb.npz",
            {"descr": "|u1", "fortran_order": False, "shape": (1 << 11, 64, 128)},
            1 << 24,
        )
    path = name if name.startswith("~") else f"data/{name}"
    lines = assert_refused(
        world, capsys, "gan", [f"data.path={path}", "training.batch_size=5"], sentence
    )
    assert len(lines) == 1


@pytest.mark.parametrize(("name", "sentence"), IMAGE_FOLDERS)
def test_image_folders(world, capsys, name, sentence):
    arguments = ["data.dataset=image_folder", f"data.path=data/{name}", "training.batch_size=1"]
    lines = assert_refused(world, capsys, "gan", arguments, sentence)
    assert len(lines) == 1


@pytest.mark.parametrize(("command", "line", "sentence"), RUNS)
def test_run_folders(world, capsys, command, line, sentence):
    lines = assert_refused(world, capsys, command, line.split(), sentence)
    assert len(lines) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "no\x1b[2J/x.png", "runs/whole"],
        ["--out", 5000 * "x" + ".png", "runs/no\x1b[2J"],
        [f"runs/{5000 * 'x'}"],
        [f"--\x1b[2J{5000 * 'x'}", "runs/whole"],
    ],
)
def test_nothing_that_a_terminal_obeys_and_nothing_endless(world, capsys, arguments):
    (line,) = assert_refused(world, capsys, "gan.sample", arguments, "")
    assert line.isprintable()
    assert len(line) <= 600


@pytest.mark.parametrize(
    "words",
    [
        "gan_mnist.sample runs/cut",
        "gan_mnist.sample runs/damaged_network",
        "gan_mnist.train data.path=data/idx_cut",
        "gan_mnist.train data.dataset=image_folder data.path=data/text_as_png",
        "gan_vs_vae runs/whole --out /proc/x",
    ],
)
def test_tensorflow_is_not_waited_for(world, words):
    module, *arguments = words.split()
    code = (
        "import runpy, sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        f"sys.argv[1:] = {arguments!r}; runpy.run_module({module!r}, run_name='__main__')"
    )
    python = [sys.executable, "-c", code]
    path = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(python, cwd=world, env=path, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
