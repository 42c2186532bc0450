"""Whole runs of small VAEs on small data, and the commands that look at them."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from training_run.config.load import load_config
from training_run.pictures import captions
from vae_mnist.callbacks import Validation
from vae_mnist.config import VAEConfig
from vae_mnist.interpolate import main as interpolate
from vae_mnist.manifold import main as manifold
from vae_mnist.plane import LEFT, TOP
from vae_mnist.reconstruct import main as reconstruct
from vae_mnist.sample import main as sample
from vae_mnist.train import main as train

NAME = "00001-vae_mlp_smoke"
TILE = 56  # pixels of an 8x8 image, enlarged 7 times
PITCH = TILE + 2
MARGIN = 10


def arguments(data, output_dir, *overrides):
    return [
        "--config", "vae_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.encoder_widths=[16]", "model.decoder_widths=[16]", "model.latent_dim=2",
        "training.batch_size=10", "training.steps=60", "training.jit_compile=false",
        "optimizer.learning_rate=0.03", "loss.c=100", "samples.every=20", "samples.num_rows=2",
        "samples.num_columns=3", "log.every=10", "validation.every=20", "checkpoints.every=20",
        *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(tiny_data, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("outputs")
    assert train(arguments(tiny_data, output_dir)) == 0
    return output_dir / NAME


@pytest.fixture(scope="module")
def conditional_run(tiny_data, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("conditional")
    options = ["model.conditional=true", "training.steps=20", "data.binarize=static"]
    options += ["loss.reconstruction=bernoulli", "loss.c=1"]
    assert train(arguments(tiny_data, output_dir, *options)) == 0
    return output_dir / NAME


def rows_of(run):
    with open(run / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def contents(run):
    """All that a run has made and that two equal runs share: pictures, weights, metrics."""
    paths = [path for kind in ("*.png", "*.gif", "state.npz") for path in run.rglob(kind)]
    made = {str(path.relative_to(run)): path.read_bytes() for path in paths}
    rows = [{k: cell for k, cell in row.items() if k != "seconds"} for row in rows_of(run)]
    return made | {"rows": rows}


def names_in(folder):
    return [path.name for path in sorted(folder.iterdir())]


# The run


def test_the_run_folder_is_complete(run):
    for name in (
        "config.yaml", "environment.json", "log.csv", "losses.png", "reals.png", "progress.gif",
        "encoder.keras", "decoder.keras", "checkpoints", "interpolation.png", "manifold.png",
    ):  # fmt: skip
        assert (run / name).exists(), name
    assert not list(run.rglob(".tmp-*"))
    record = json.loads((run / "environment.json").read_text())
    assert len(record["data"]["sha256_x_train"]) == 64


def test_rows_and_grids_fall_on_their_steps(run):
    grids = [f"step_{step:06d}.png" for step in (0, 20, 40, 60)]
    assert names_in(run / "samples") == names_in(run / "reconstructions") == grids
    assert [int(row["step"]) for row in rows_of(run)] == [10, 20, 30, 40, 50, 60]
    with Image.open(run / "progress.gif") as gif:
        assert gif.n_frames == 4


def test_held_out_losses_stand_in_their_own_rows_only(run):
    names = ["loss", "reconstruction_loss", "kl_loss"]
    columns = ["step", "seconds", *names, *(f"val_{name}" for name in names)]
    assert list(rows_of(run)[0]) == columns
    filled = [int(row["step"]) for row in rows_of(run) if row["val_loss"]]
    assert filled == [20, 40, 60]
    for row in rows_of(run):
        assert bool(row["val_loss"]) == bool(row["val_kl_loss"])
        whole = 100 * float(row["reconstruction_loss"]) + float(row["kl_loss"])
        assert float(row["loss"]) == pytest.approx(whole, rel=1e-5)


def test_it_learns(run):
    losses = [float(row["val_loss"]) for row in rows_of(run) if row["val_loss"]]
    assert losses[-1] < 0.8 * losses[0]


def test_the_written_configuration_loads_again_to_an_equal_object(run, tiny_data):
    stored = load_config(VAEConfig, run / "config.yaml")
    overrides = [text for text in arguments(tiny_data, run.parent) if "=" in text]
    assert stored == load_config(VAEConfig, "configs/vae_mlp_smoke.yaml", overrides)


def test_a_resumed_run_ends_like_one_never_stopped_and_twice_is_the_same(run, tiny_data, tmp_path):
    """Stopped dead after its checkpoint at step 20 and some more rows and grids."""
    assert train(arguments(tiny_data, tmp_path, "checkpoints.keep=9")) == 0
    again = tmp_path / NAME
    for step in (40, 60):
        shutil.rmtree(again / f"checkpoints/step_{step:06d}")
    for name in ("interpolation.png", "manifold.png"):
        (again / name).unlink()
    assert train(["--resume", str(again), "checkpoints.keep=2"]) == 0
    assert contents(again) == contents(run)


def test_another_loss_runs_and_the_same_command_gives_the_same_bytes(tiny_data, tmp_path):
    overrides = [
        "loss.reconstruction=gaussian", "loss.c=1", "loss.warmup=10", "loss.free_bits=0.5",
        "data.binarize=dynamic", "model.latent_dim=3", "training.steps=20", "seed=5",
    ]  # fmt: skip
    for folder in ("one", "two"):
        assert train(arguments(tiny_data, tmp_path / folder, *overrides)) == 0
    one, two = (contents(tmp_path / folder / NAME) for folder in ("one", "two"))
    assert one == two
    assert "log_scale" in one["rows"][0]
    assert "manifold.png" not in one
    assert float(one["rows"][-1]["val_loss"]) < float("inf")


def test_a_signal_ends_the_run_with_all_its_pictures(tiny_data, tmp_path, monkeypatch):
    at_step = Validation.at_step

    def signal_at_20(self, step, logs):
        at_step(self, step, logs)
        if step == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Validation, "at_step", signal_at_20)
    assert train(arguments(tiny_data, tmp_path)) == 130
    run = tmp_path / NAME
    assert int(rows_of(run)[-1]["step"]) < 60
    for name in ("interpolation.png", "manifold.png", "progress.gif", "losses.png"):
        assert (run / name).exists(), name


# Looking at it


@pytest.fixture(scope="module")
def tiny_test(tiny_data):
    """The ten test images, (10, 8, 8, 1) uint8; their labels are 0 to 9."""
    with np.load(tiny_data) as arrays:
        assert arrays["y_test"].tolist() == list(range(10))
        return arrays["x_test"][..., None]


def network(run, name):
    return keras.saving.load_model(run / f"{name}.keras")


def encoded(run, pixels, *labels):
    x = np.asarray(pixels, np.float32) / 255
    return np.asarray(network(run, "encoder")([x, *labels] if labels else x)[0])


def decoded(run, z, *labels):
    """What the decoder makes of latents, as pixels (N, 8, 8)."""
    z = np.asarray(z, np.float32)
    made = network(run, "decoder")([z, *labels] if labels else z)
    return np.rint(255 * np.asarray(made)[..., 0])


def tiles(picture, num_rows, num_columns):
    """Images of a captioned grid, (rows, columns, 8, 8), found from its bottom right corner."""
    pixels = np.asarray(Image.open(picture)).astype(float)
    top = pixels.shape[0] - MARGIN - num_rows * PITCH
    left = pixels.shape[1] - MARGIN - num_columns * PITCH
    found = np.empty((num_rows, num_columns, 8, 8))
    for row in range(num_rows):
        for column in range(num_columns):
            y, x = top + row * PITCH, left + column * PITCH
            found[row, column] = pixels[y : y + TILE : 7, x : x + TILE : 7]
    return found


def strip(run, out, *options, num_rows=1, num_frames=11):
    assert interpolate([str(run), "--out", str(out), *options]) == 0
    return tiles(out, num_rows, num_frames)


def test_a_strip_goes_from_one_reconstruction_to_the_other(run, tmp_path, tiny_test):
    out = tmp_path / "x.png"
    found = strip(run, out, "--from", "3", "--to", "7")
    a, b = encoded(run, tiny_test[[3, 7]])
    expected = decoded(run, [(1 - t) * a + t * b for t in np.linspace(0, 1, 11)])
    np.testing.assert_allclose(found[0], expected, atol=1)
    assert np.abs(found[0, 0] - found[0, -1]).max() > 20
    with Image.open(tmp_path / "x.gif") as gif:
        assert gif.n_frames > 2 * 40


def test_captions_stand_above_the_frames(run, tmp_path, monkeypatch):
    seen = []

    def spy(grid, **options):
        seen.append(options["column_captions"])
        return captions.add_captions(grid, **options)

    monkeypatch.setattr("training_run.pictures.grid.add_captions", spy)
    strip(run, tmp_path / "x.png", "--frames", "5", num_frames=5)
    assert seen == [["0%", "25%", "50%", "75%", "100%"]]
    written = np.asarray(Image.open(tmp_path / "x.png"))
    assert written.shape[1] == 2 * MARGIN + 5 * PITCH + 2
    above = written[: -MARGIN - PITCH - 2, MARGIN:-MARGIN]
    ink = [(above[:, k * PITCH : (k + 1) * PITCH] < 100).sum() for k in range(5)]
    assert min(ink) > 10
    assert ink[4] > ink[0]  # "100%" is longer than "0%"


def test_a_strip_between_classes_follows_the_seed(run, tmp_path, tiny_test):
    """There is one test image of each class."""
    found = strip(run, tmp_path / "x.png", "--from-class", "2", "--to-class", "5")
    expected = decoded(run, encoded(run, tiny_test[[2, 5]]))
    np.testing.assert_allclose(found[0, [0, -1]], expected, atol=1)


def test_an_arc_has_the_ends_of_the_line_and_another_middle(run, tmp_path):
    ends = ("--from", "3", "--to", "7")
    line = strip(run, tmp_path / "a.png", *ends)
    arc = strip(run, tmp_path / "b.png", *ends, "--spherical")
    np.testing.assert_array_equal(line[0, [0, -1]], arc[0, [0, -1]])
    assert (line[0, 5] != arc[0, 5]).any()


def test_sampled_ends_are_draws_that_follow_the_seed(run, tmp_path):
    ends = ("--from", "3", "--to", "7")
    means = strip(run, tmp_path / "a.png", *ends)
    draws = strip(run, tmp_path / "b.png", *ends, "--sampled")
    others = strip(run, tmp_path / "c.png", *ends, "--sampled", "--seed", "1")
    assert (means != draws).any()
    assert (draws != others).any()


def test_test_images_stand_above_reconstructions_with_their_errors(
    run, tmp_path, tiny_test, monkeypatch
):
    seen = []

    def spy(grid, **options):
        seen.append((grid, options.get("column_captions")))
        return captions.add_captions(grid, **options)

    monkeypatch.setattr("vae_mnist.reconstruct.add_captions", spy)
    assert reconstruct([str(run), "--num", "10", "--out", str(tmp_path / "x.png")]) == 0
    pairs, texts = seen[0]
    # Cells of the grid: a line of 2 pixels, then 8x8 pixels enlarged 7 times.
    cells = pairs[2:, 2:, 0].reshape(2, PITCH, 10, PITCH).swapaxes(1, 2)
    found = cells[:, :, :TILE:7, :TILE:7]
    assert sorted(found[0].reshape(10, -1).tolist()) == sorted(tiny_test.reshape(10, -1).tolist())
    z_mean = encoded(run, found[0][..., None])
    np.testing.assert_allclose(found[1], decoded(run, z_mean), atol=1)
    made = np.asarray(network(run, "decoder")(z_mean))[..., 0]
    errors = np.square(found[0] / 255 - made).sum(axis=(1, 2))
    assert texts == [f"{error:.1f}" for error in errors]


def test_the_plane_shows_the_quantiles_of_the_prior(run, tmp_path):
    out = tmp_path / "x.png"
    assert manifold([str(run), "--num", "18", "--out", str(out)]) == 0
    pixels = np.asarray(Image.open(out).convert("L")).astype(float)
    # 18 images of 8 pixels: enlarged 7 times they are 1,008 wide.
    plane = pixels[TOP : TOP + 18 * TILE, LEFT : LEFT + 18 * TILE]
    low, high = norm.ppf(0.5 / 18), norm.ppf(17.5 / 18)
    corners = [[low, high], [high, high], [low, low], [high, low]]
    for (row, column), expected in zip(
        [(0, 0), (0, 17), (17, 0), (17, 17)], decoded(run, corners), strict=True
    ):
        y, x = row * TILE + 3, column * TILE + 3
        found = plane[y : y + TILE : 7, x : x + TILE : 7]
        np.testing.assert_allclose(found[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1)
    scattered = np.asarray(Image.open(out).convert("RGB"))[:, LEFT + 18 * TILE :].reshape(-1, 3)
    is_colored = np.ptp(scattered.astype(int), axis=1) > 60
    assert len(np.unique(scattered[is_colored], axis=0)) >= 8


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (sample, ["--num", "6"]),
        (reconstruct, ["--num", "3"]),
        (interpolate, ["--sampled"]),
        (manifold, ["--num", "3"]),
    ],
    ids=["sample", "reconstruct", "interpolate", "manifold"],
)
def test_the_same_seed_gives_the_same_bytes(run, tmp_path, command, options):
    for name in ("a", "b"):
        out = ["--seed", "3", "--out", str(tmp_path / f"{name}.png")]
        assert command([str(run), *options, *out]) == 0
    for first in tmp_path.glob("a.*"):
        assert first.read_bytes() == first.with_stem("b").read_bytes()


@pytest.mark.parametrize(
    ("command", "options"),
    [(sample, ["--num", "6"]), (reconstruct, ["--num", "3"]), (interpolate, [])],
    ids=["sample", "reconstruct", "interpolate"],
)
def test_another_seed_shows_other_images(run, tmp_path, command, options):
    one, two = tmp_path / "1.png", tmp_path / "2.png"
    for seed, out in ((1, one), (2, two)):
        assert command([str(run), *options, "--seed", str(seed), "--out", str(out)]) == 0
    assert one.read_bytes() != two.read_bytes()


def test_runs_are_found_by_number_and_by_latest(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for reference in ("1", "latest"):
        assert interpolate([reference, "--outputs", str(run.parent)]) == 0
        assert capsys.readouterr().out.split() == [
            f"{NAME}-interpolation.png",
            f"{NAME}-interpolation.gif",
        ]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (reconstruct, ["--num", "0"]),
        (reconstruct, ["--num", "11"]),
        (reconstruct, ["--out", "x.gif"]),
        (interpolate, ["--frames", "1"]),
        (interpolate, ["--from", "10"]),
        (interpolate, ["--from", "-1"]),
        (interpolate, ["--to-class", "10"]),
        (interpolate, ["--out", "no/such/x.png"]),
        (interpolate, ["--seed", "-1"]),
        (manifold, ["--num", "1"]),
        (manifold, ["--label", "1"]),
        (sample, ["--label", "1"]),
    ],
)
def test_wrong_options_are_one_sentence(run, capsys, command, options):
    assert command([str(run), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert "expected" in error
    assert "received" in error
    assert "\n" not in error


@pytest.mark.parametrize("options", [["--from", "x"], ["--from", "1", "--from-class", "2"]])
def test_options_that_make_no_sense_are_refused_before_the_run_is_looked_for(options, capsys):
    with pytest.raises(SystemExit) as caught:
        interpolate(["nowhere", *options])
    assert caught.value.code == 2
    assert "--from" in capsys.readouterr().err


def test_wrong_digits_do_not_wait_for_tensorflow(run):
    code = (
        "import sys\nfrom vae_mnist.interpolate import main\n"
        f"assert main([r'{run}', '--from', '10']) == 2\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & sys.modules.keys(), 'too early'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_plane_needs_two_latent_dimensions(run, tmp_path, capsys):
    text = (run / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text.replace("latent_dim: 2", "latent_dim: 3"))
    for network in run.glob("*.keras"):
        shutil.copy(network, tmp_path)
    assert manifold([str(tmp_path)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.endswith("expected a run with model.latent_dim 2, received one with 3")


# With classes


def test_a_conditional_vae_draws_the_way_in_the_class_of_each_end(
    conditional_run, tmp_path, tiny_test
):
    """On binarised images, as it was trained: the ends are those of black and white digits."""
    out = tmp_path / "x.png"
    found = strip(conditional_run, out, "--from", "4", "--to", "7", num_rows=2)
    assert reconstruct([str(conditional_run), "--num", "10", "--out", str(tmp_path / "r.png")]) == 0
    shown = tiles_above_reconstructions(tmp_path / "r.png")
    assert set(np.unique(shown)) == {0, 255}
    binary = sorted(shown, key=lambda image: np.abs(image - tiny_test[4, ..., 0]).sum())[0]
    z_mean = encoded(conditional_run, binary[None, ..., None], np.array([4]))
    np.testing.assert_allclose(
        found[0, 0], decoded(conditional_run, z_mean, np.array([4]))[0], atol=1
    )
    np.testing.assert_allclose(
        found[1, 0], decoded(conditional_run, z_mean, np.array([7]))[0], atol=1
    )


def tiles_above_reconstructions(picture):
    """The ten test images of a picture that `reconstruct` wrote: two margins, then two rows."""
    pixels = np.asarray(Image.open(picture)).astype(float)
    top = pixels.shape[0] - 2 * MARGIN - 2 * PITCH
    left = pixels.shape[1] - 2 * MARGIN - 10 * PITCH
    return np.array([pixels[top:, left + k * PITCH :][:TILE:7, :TILE:7] for k in range(10)])


def test_conditional_samples_are_of_the_class_asked_for(conditional_run, tmp_path):
    for label in (2, 7):
        out = tmp_path / f"{label}.npz"
        options = ["--num", "3", "--label", str(label), "--out", str(out)]
        assert sample([str(conditional_run), *options]) == 0
    with np.load(tmp_path / "2.npz") as two, np.load(tmp_path / "7.npz") as seven:
        assert two["labels"].tolist() == [2, 2, 2]
        assert (two["images"] != seven["images"]).any()


def test_a_conditional_plane_is_of_one_class(conditional_run, tmp_path):
    for label in (2, 7):
        out = ["--out", str(tmp_path / f"{label}.png")]
        assert manifold([str(conditional_run), "--num", "3", "--label", str(label), *out]) == 0
    assert (tmp_path / "2.png").read_bytes() != (tmp_path / "7.png").read_bytes()
    assert (conditional_run / "manifold.png").exists()
