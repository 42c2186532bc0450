"""Whole runs of a small denoiser, and what it makes of a small generator's samples."""

import csv
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from gan_mnist.denoise import main as denoise
from gan_mnist.denoiser.config import DenoiserConfig
from gan_mnist.train import main as train_gan
from gan_mnist.train_denoiser import main as train
from training_run.config.load import load_config


def arguments(data, output_dir, *overrides):
    return [
        "--config", "denoiser_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.num_hidden=6", "training.batch_size=10", "training.steps=60", "samples.every=20",
        "log.every=10", "checkpoints.every=20", "samples.num_columns=5",
        "optimizer.learning_rate=0.01", *overrides,
    ]  # fmt: skip


def gan_arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[8]", "model.discriminator_widths=[8]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=4", "training.jit_compile=false", *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tiny_data, tmp_path_factory):
    """A folder with runs 1: a denoiser, 2: a GAN, 3: a GAN on [0, 1], 4: a conditional GAN."""
    folder = tmp_path_factory.mktemp("outputs")
    assert train(arguments(tiny_data, folder)) == 0
    assert train_gan(gan_arguments(tiny_data, folder)) == 0
    assert train_gan(gan_arguments(tiny_data, folder, "model.value_range=[0,1]")) == 0
    assert train_gan(gan_arguments(tiny_data, folder, "model.conditional=true")) == 0
    return folder


@pytest.fixture(scope="module")
def run(outputs):
    return outputs / "00001-denoiser_smoke"


def losses_of(run):
    with open(run / "log.csv", newline="") as file:
        return [float(row["reconstruction_loss"]) for row in csv.DictReader(file)]


def grids_of(run):
    return {path.name: np.asarray(Image.open(path)) for path in sorted(run.glob("samples/*.png"))}


def weights_of(run):
    with np.load(run / "checkpoints/step_000060/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def assert_same_run(one, other):
    assert losses_of(one) == losses_of(other)
    for ours, theirs in ((grids_of(one), grids_of(other)), (weights_of(one), weights_of(other))):
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert (one / "progress.gif").read_bytes() == (other / "progress.gif").read_bytes()


def test_the_run_folder_is_complete(run):
    for name in (
        "config.yaml", "environment.json", "log.csv", "losses.png", "reals.png", "progress.gif",
        "denoiser.keras", "checkpoints",
    ):  # fmt: skip
        assert (run / name).exists(), name
    assert list(grids_of(run)) == [f"step_{step:06d}.png" for step in (0, 20, 40, 60)]


def test_it_learns_to_clean(run):
    losses = losses_of(run)
    assert len(losses) == 6
    assert losses[-1] < 0.9 * losses[0]


def test_a_grid_shows_the_same_clean_and_corrupted_digits_and_ever_better_restored_ones(run):
    """Ten test images, two rows of five: each row over its corrupted and its restored images."""
    first, *_, last = grids_of(run).values()
    pitch = (first.shape[0] - 2) // 6  # six rows of images, and lines of 2 pixels
    first, last = (grid[2:].reshape(6, pitch, -1).astype(int) for grid in (first, last))
    for row in (0, 1, 3, 4):
        assert np.array_equal(first[row], last[row])
    for clean, corrupted, restored in ((0, 1, 2), (3, 4, 5)):
        assert not np.array_equal(last[clean], last[corrupted])
        errors = [np.abs(grid[restored] - grid[clean]).mean() for grid in (first, last)]
        assert errors[1] < errors[0]


def test_the_written_configuration_has_the_range_and_loads_again(run):
    config = load_config(DenoiserConfig, run / "config.yaml")
    assert config.model.value_range == (0.0, 1.0)
    assert config.corruption.strengths() == {
        "gaussian": 0.1, "masking": 0.1, "salt_and_pepper": 0.03,
    }  # fmt: skip


def test_the_same_command_twice_gives_the_same_bytes(run, tiny_data, tmp_path):
    assert train(arguments(tiny_data, tmp_path)) == 0
    assert_same_run(run, tmp_path / "00001-denoiser_smoke")


def test_a_resumed_run_ends_like_one_never_stopped(run, tmp_path):
    """Killed after its checkpoint at step 40 and some more rows and grids."""
    again = shutil.copytree(run, tmp_path / run.name)
    shutil.rmtree(again / "checkpoints/step_000060")
    assert train(["--resume", str(again)]) == 0
    assert_same_run(run, again)


def test_the_dry_run_counts_the_parameters_of_source_000(tmp_path, capsys):
    assert train(["--dry-run", f"output_dir={tmp_path / 'new'}"]) == 0
    assert "79,234" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.value_range=[-1,1]", "model.value_range.0: expected 0.0, received -1"),
        ("corruption.gaussian=-0.1", "corruption.gaussian: expected a number greater"),
        ("corruption.masking=1.1", "corruption.masking: expected a number less"),
        ("corruption.blur=1", "corruption.blur: unknown key"),
        ("corruption={}", "corruption: expected a strength above 0 for at least one kind"),
    ],
)
def test_wrong_configurations_are_explained(override, sentence, capsys):
    assert train([override]) == 2
    assert sentence in capsys.readouterr().err


def cells_of(path, num_columns):
    """The picture's images (rows, columns, 8, 8), without captions: they stand on the right."""
    pixels = np.asarray(Image.open(path).convert("L"))[10:-10, :-10]
    pixels = pixels[2:, -num_columns * 58 :]  # images of 56 pixels and lines of 2
    rows = pixels.reshape(-1, 58, num_columns, 58).swapaxes(1, 2)
    return rows[:, :, 3:56:7, 3:56:7]


def saved_generator(outputs, number):
    (path,) = outputs.glob(f"{number:05d}-*/generator.keras")
    return keras.saving.load_model(path)


def test_raw_shows_all_of_the_tanh_and_clipped_what_the_range_means(outputs, run, tmp_path):
    out = tmp_path / "x.png"
    options = ["--denoiser", "1", "--outputs", str(outputs), "--num", "4", "--out", str(out)]
    assert denoise(["3", *options]) == 0
    raw, clipped, denoised = cells_of(out, 4).astype(float)
    # Raw shows -1 to 1: what is below its middle, 127.5, is negative, and black when clipped.
    assert raw.min() < 120
    np.testing.assert_allclose(clipped, np.clip(2 * raw - 255, 0, 255), atol=1.5)
    network = keras.saving.load_model(run / "denoiser.keras")
    restored = np.array(network(clipped[..., None].astype(np.float32) / 255))[..., 0]
    np.testing.assert_allclose(denoised, 255 * restored, atol=1.5)


def test_nothing_is_clipped_where_the_range_is_all_of_the_tanh(outputs, run, tmp_path):
    out = tmp_path / "x.png"
    options = ["--denoiser", str(run), "--outputs", str(outputs), "--num", "4", "--out", str(out)]
    assert denoise(["2", *options]) == 0
    raw, clipped, _ = cells_of(out, 4)
    assert np.array_equal(raw, clipped)
    assert raw.std() > 0


def test_a_decoder_is_cleaned_like_a_generator(outputs, run, tmp_path):
    """Any family's run, as long as it says what its images mean."""
    vae = tmp_path / "00009-vae"
    vae.mkdir()
    (vae / "config.yaml").write_text(
        "family: vae\nmodel:\n  output_activation: sigmoid\n  value_range: [0.0, 1.0]\n  more: 1\n"
    )
    decoder = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(64, activation="sigmoid"),
            keras.layers.Reshape((8, 8, 1)),
        ]
    )
    decoder.save(vae / "decoder.keras")
    out = tmp_path / "x.png"
    assert denoise([str(vae), "--denoiser", str(run), "--num", "3", "--out", str(out)]) == 0
    raw, clipped, _ = cells_of(out, 3)
    assert np.array_equal(raw, clipped)


def test_a_conditional_network_draws_its_classes_in_turn(outputs, run, tmp_path):
    from training_run.step.batches import draw_normal

    out = tmp_path / "x.png"
    options = ["--denoiser", str(run), "--outputs", str(outputs), "--num", "10", "--out", str(out)]
    assert denoise(["4", *options]) == 0
    raw = cells_of(out, 10)[0]
    z = draw_normal(0, "sample", 0, (1000, 4))[:10]
    images = saved_generator(outputs, 4)([np.array(z), np.arange(10)], training=False)
    np.testing.assert_allclose(raw, 127.5 * (np.array(images)[..., 0] + 1), atol=1)


def test_the_picture_is_the_same_bytes_for_the_same_seed(outputs, tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, seed in zip(paths, (0, 0, 1), strict=True):
        options = ["--seed", str(seed), "--out", str(path), "--num", "12"]
        assert denoise(["2", "--denoiser", "latest", "--outputs", str(outputs), *options]) == 0
    first, second, third = (path.read_bytes() for path in paths)
    assert first == second
    assert first != third


def test_the_three_are_scored_side_by_side(outputs, run, tmp_path, tiny_cache, monkeypatch, capsys):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    options = ["--denoiser", str(run), "--outputs", str(outputs), "--out", str(tmp_path / "x.png")]
    assert denoise(["2", *options, "--score", "100"]) == 0
    head, raw, clipped, denoised, *rest = capsys.readouterr().out.splitlines()[1:]
    assert head.split()[:2] == ["Fréchet", "distance"]
    # All of the tanh is the range of this run's images: clipping takes nothing away.
    assert raw.split()[1:] == clipped.split()[1:] != denoised.split()[1:]
    assert any("50 samples against 10 real images" in line for line in rest)


WRONG_OPTIONS = (
    ["2", "--denoiser", "latest", "--score", "10"],
    ["2", "--denoiser", "latest", "--num", "0"],
    ["2", "--denoiser", "latest", "--num", "1001"],
    ["2", "--denoiser", "latest", "--seed", "-1"],
    ["2", "--denoiser", "latest", "--out", "x.npz"],
    ["2", "--denoiser", "latest", "--out", "no/such/x.png"],
    ["2", "--denoiser", "77"],
    ["2", "--denoiser", "2"],
    ["1", "--denoiser", "1"],
    ["77", "--denoiser", "1"],
)


def test_wrong_options_are_one_sentence_each_before_tensorflow(outputs):
    code = (
        "import sys; from gan_mnist.denoise import main\n"
        f"for options in {WRONG_OPTIONS!r}:\n"
        f"    assert main([*options, '--outputs', {str(outputs)!r}]) == 2, options\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & sys.modules.keys(), 'too early'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    errors = done.stderr.splitlines()
    assert len(errors) == len(WRONG_OPTIONS)
    assert all("expected" in error and "received" in error for error in errors)


def test_a_denoiser_of_other_images_is_refused(outputs, run, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(run, other)
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Activation("sigmoid")])
    network.save(other / "denoiser.keras")
    assert denoise(["2", "--denoiser", str(other), "--outputs", str(outputs)]) == 2
    error = capsys.readouterr().err.strip()
    assert error == "--denoiser: expected one for 8x8x1 images, received one for 4x4x1"
