"""Interpolation between two latents of small GANs, with and without classes."""

import keras
import numpy as np
import pytest
from PIL import Image

from gan_mnist.interpolate import main as interpolate
from gan_mnist.train import main as train
from training_run.step.batches import draw_normal

MARGIN, PITCH, TILE = 10, 58, 56  # pixels; an 8x8 image is enlarged 7 times


def train_run(data, output_dir, *overrides):
    arguments = [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[16]", "model.discriminator_widths=[16]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=10", "training.jit_compile=false",
        "samples.every=10", "log.every=10", "checkpoints.every=10", *overrides,
    ]  # fmt: skip
    assert train(arguments) == 0
    return output_dir / "00001-gan_mlp_smoke"


@pytest.fixture(scope="module")
def run(tiny_data, tmp_path_factory):
    return train_run(tiny_data, tmp_path_factory.mktemp("outputs"))


@pytest.fixture(scope="module")
def conditional_run(tiny_data, tmp_path_factory):
    return train_run(tiny_data, tmp_path_factory.mktemp("outputs"), "model.conditional=true")


def tiles(picture, num_rows, num_columns=11):
    """Images of a strip, (rows, columns, 8, 8), found from its bottom right corner."""
    pixels = np.asarray(Image.open(picture)).astype(float)
    top = pixels.shape[0] - MARGIN - num_rows * PITCH
    left = pixels.shape[1] - MARGIN - num_columns * PITCH
    grid = pixels[top : top + num_rows * PITCH, left : left + num_columns * PITCH]
    cells = grid.reshape(num_rows, PITCH, num_columns, PITCH).swapaxes(1, 2)
    return cells[:, :, :TILE:7, :TILE:7]


def generated(run, z, *labels):
    """What the generator makes of latents, as pixels; its range is that of tanh."""
    z = np.asarray(z, np.float32)
    network = keras.saving.load_model(run / "generator.keras")
    made = np.asarray(network([z, *labels] if labels else z, training=False))[..., 0]
    return np.rint(np.clip((made + 1) * 127.5, 0, 255))


def test_a_strip_between_two_latents(run, tmp_path, capsys):
    out = tmp_path / "x.png"
    assert interpolate([str(run), "--seed", "3", "--out", str(out)]) == 0
    assert capsys.readouterr().out.split() == [str(out), str(tmp_path / "x.gif")]
    a, b = draw_normal(3, "interpolation", 0, (2, 4)).numpy()
    expected = generated(run, [(1 - t) * a + t * b for t in np.linspace(0, 1, 11)])
    np.testing.assert_allclose(tiles(out, 1)[0], expected, atol=1)
    with Image.open(tmp_path / "x.gif") as gif:
        assert gif.n_frames > 2 * 40


def test_same_seed_same_bytes_another_seed_or_path_other_pictures(run, tmp_path):
    for name, options in {
        "a": ["--seed", "1"],
        "b": ["--seed", "1"],
        "seed": ["--seed", "2"],
        "path": ["--seed", "1", "--spherical"],
        "frames": ["--seed", "1", "--frames", "12"],
    }.items():
        assert interpolate([str(run), *options, "--out", str(tmp_path / f"{name}.png")]) == 0
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made["a.png"] == made["b.png"]
    assert made["a.gif"] == made["b.gif"]
    assert len(set(made.values())) == len(made) - 3  # the film is the same for 11 and 12 frames


def test_a_conditional_gan_gets_one_class_a_row(conditional_run, tmp_path):
    assert interpolate([str(conditional_run), "--out", str(tmp_path / "all.png")]) == 0
    found = tiles(tmp_path / "all.png", 10)
    first = np.repeat(draw_normal(0, "interpolation", 0, (2, 4)).numpy()[:1], 10, axis=0)
    np.testing.assert_allclose(
        found[:, 0], generated(conditional_run, first, np.arange(10)), atol=1
    )
    one = ["--label", "7", "--out", str(tmp_path / "one.png")]
    assert interpolate([str(conditional_run), *one]) == 0
    np.testing.assert_allclose(tiles(tmp_path / "one.png", 1)[0], found[7], atol=1)


@pytest.mark.parametrize(
    "options",
    [
        ["--frames", "1"],
        ["--frames", "102"],
        ["--seed", "-1"],
        ["--out", "x.gif"],
        ["--out", "no/such/x.png"],
        ["--label", "3"],
    ],
)
def test_wrong_options_are_one_sentence(run, options, capsys):
    assert interpolate([str(run), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert "expected" in error
    assert "received" in error
    assert "\n" not in error


def test_an_unknown_class_is_one_sentence(conditional_run, capsys):
    assert interpolate([str(conditional_run), "--label", "10"]) == 2
    assert "--label: expected a class from 0 to 9, received 10" in capsys.readouterr().err
