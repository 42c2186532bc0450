"""A user's own images from the folder to samples, through the commands that a user types."""

import os
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from gan_mnist.interpolate import main as gan_interpolate
from gan_mnist.sample import main as gan_sample
from gan_mnist.train import main as gan_train
from latent_explorer.command import main as explore
from sample_quality.command import main as score
from sample_quality.features import training
from sample_quality.protocol import read_quality
from sample_quality.train_classifier import main as train_classifier
from tests.soak.tiny import ARGUMENTS
from training_run.config.sections import DataConfig
from training_run.config.yaml_source import parse_yaml
from training_run.data.datasets import find_dataset
from training_run.run_folder.environment import read_class_names, read_environment
from training_run.run_folder.paths import RunDir
from training_run.step.batches import make_batches
from vae_mnist.interpolate import main as vae_interpolate
from vae_mnist.sample import main as vae_sample
from vae_mnist.train import main as vae_train


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """A folder with 30 images of cats, 30 of dogs and 10 of ewes, grey bars on black."""
    folder = tmp_path_factory.mktemp("animals")
    for number, (name, count) in enumerate({"cat": 30, "dog": 30, "ewe": 10}.items()):
        (folder / name).mkdir()
        for index in range(count):
            image = np.zeros((8, 8), np.uint8)
            image[2 * number, : 4 + index % 4] = 255
            Image.fromarray(image).save(folder / name / f"{index}.png")
    return folder


def arguments(preset, folder, output_dir, *overrides):
    data = ["data.dataset=image_folder", f"data.path={folder}", "data.image_size=8"]
    data += ["data.num_channels=1", f"output_dir={output_dir}", "model.conditional=true"]
    data += [f"data.cache={output_dir / 'cache'}"]
    return ["--config", preset, *data, *ARGUMENTS, "quality.every=null", *overrides]


@pytest.fixture(scope="module")
def gan_run(animals, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("gan")
    widths = ["model.generator_widths=[8]", "model.discriminator_widths=[8]", "data.balance=true"]
    assert gan_train(arguments("gan_mlp_smoke", animals, outputs, *widths)) == 0
    return outputs / "00001-gan_mlp_smoke"


@pytest.fixture(scope="module")
def vae_run(animals, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("vae")
    widths = ["model.encoder_widths=[8]", "model.decoder_widths=[8]"]
    assert vae_train(arguments("vae_mlp_smoke", animals, outputs, *widths)) == 0
    return outputs / "00001-vae_mlp_smoke"


def test_the_run_knows_the_names_of_its_classes(gan_run):
    assert read_class_names(RunDir(gan_run)) == ["cat", "dog", "ewe"]


@pytest.mark.parametrize(("sample", "family"), [(gan_sample, "gan"), (vae_sample, "vae")])
def test_samples_by_the_name_of_their_class(sample, family, request, tmp_path):
    run = request.getfixturevalue(f"{family}_run")
    for label in ("dog", "1"):
        out = tmp_path / f"{label}.npz"
        assert sample([str(run), "--num", "3", "--label", label, "--out", str(out)]) == 0
    with np.load(tmp_path / "dog.npz") as dog, np.load(tmp_path / "1.npz") as one:
        assert dog["labels"].tolist() == [1, 1, 1]
        assert dog["class_names"].tolist() == ["cat", "dog", "ewe"]
        np.testing.assert_array_equal(dog["images"], one["images"])


def test_a_class_that_is_not_there_is_refused_with_the_nearest(gan_run, tmp_path, capsys):
    assert gan_sample([str(gan_run), "--label", "dgo"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "--label: expected a class from 0 to 2, or one of cat, dog, ewe, received dgo; did you "
        "mean 'dog'?\n"
    )


def test_samples_of_all_classes_have_a_column_for_each(gan_run, tmp_path):
    wide = {}
    for label in ([], ["--label", "ewe"]):
        out = tmp_path / "x.png"
        assert gan_sample([str(gan_run), "--num", "12", *label, "--out", str(out)]) == 0
        wide[len(label)] = Image.open(out).size
    assert wide[0][1] > wide[0][0]  # 4 rows of 3 columns; of one class, 3 rows of 4
    assert wide[2][0] > wide[2][1]


def test_interpolations_by_name(gan_run, vae_run, tmp_path, capsys):
    out = ["--frames", "3", "--out", str(tmp_path / "x.png")]
    assert gan_interpolate([str(gan_run), "--label", "ewe", *out]) == 0
    ends = ["--from-class", "cat", "--to-class", "dog"]
    assert vae_interpolate([str(vae_run), *ends, *out]) == 0
    capsys.readouterr()
    assert vae_interpolate([str(vae_run), "--from-class", "cow", *out]) == 2
    assert "--to-class: expected a class from 0 to 2, or one of cat, dog, ewe, received cow" in (
        capsys.readouterr().err
    )


def test_the_explorer_offers_classes_by_name(gan_run, browser, tmp_path):
    from selenium.webdriver.support.ui import WebDriverWait

    out = tmp_path / "explore.html"
    assert explore([str(gan_run), "--out", str(out)]) == 0
    browser.get(out.as_uri())
    ready = "return document.documentElement.dataset.ready"
    WebDriverWait(browser, 20).until(lambda browser: browser.execute_script(ready))
    chips = browser.find_elements("css selector", "#classes button")
    assert [chip.get_attribute("textContent") for chip in chips] == ["cat", "dog", "ewe"]


def test_grids_of_classes_have_their_names(gan_run):
    grid = Image.open(gan_run / "samples" / "step_000030.png")
    plain = Image.open(gan_run / "reals.png")
    assert grid.width > plain.width + 20  # both have 2 columns, one has text at the left


def test_a_dry_run_says_which_classes_there_are(animals, tmp_path, capsys):
    words = arguments("gan_mlp_smoke", animals, tmp_path)
    assert gan_train([*words, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "# 3 classes, from the folders: cat 30, dog 30, ewe 10" in printed
    assert "# unbalanced: cat has 3.0 times as many images as ewe; data.balance=true" in printed


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.labels=none", "model.conditional: expected a data set with labels"),
        ("data.labels=folder", "data.labels: expected 'auto', 'none', 'folders' or a .csv file"),
        ("data.labels=gone.csv", "data.labels: gone.csv cannot be read: No such file"),
    ],
)
def test_labels_that_are_not_there_are_refused(animals, tmp_path, capsys, override, sentence):
    words = arguments("gan_mlp_smoke", animals, tmp_path / "outputs", override)
    assert gan_train(words) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


# Scores


def test_scores_of_classes_by_a_classifier_of_the_users_own_images(
    animals, gan_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path))
    assert score([str(gan_run), "--num", "100"]) == 0
    printed = capsys.readouterr().out
    assert f"Images of {animals.name}, 70 images, 3 classes" in printed
    assert "by random convolutions" in printed
    command = printed.partition("python -m sample_quality.train_classifier ")[2].splitlines()[0]
    monkeypatch.setattr(training, "MIN_STEPS", 60)
    monkeypatch.setattr(training, "accuracy_floor", lambda labels: 0.0)  # of seven images
    assert train_classifier(shlex.split(command)) == 0
    assert score([str(gan_run), "--num", "100"]) == 0
    printed = capsys.readouterr().out
    assert "share of each class: cat " in printed
    quality = read_quality(gan_run / "quality.json")
    assert quality.about["class_names"] == ["cat", "dog", "ewe"]
    accuracy = quality.scores["conditional_accuracy"]
    assert accuracy.protocol.features == f"{animals.name} classifier"


# A folder that changes after a run began


@pytest.fixture
def begun(animals, tmp_path):
    """(run, its folder of images) of a GAN that was trained for 30 steps."""
    folder = shutil.copytree(animals, tmp_path / "animals")
    widths = ["model.generator_widths=[8]", "model.discriminator_widths=[8]"]
    assert gan_train(arguments("gan_mlp_smoke", folder, tmp_path, *widths)) == 0
    (folder / "cat" / "0.png").unlink()
    Image.new("L", (8, 8)).save(folder / "dog" / "new.png")
    return tmp_path / "00001-gan_mlp_smoke", folder


def resume(run, *options):
    return gan_train(["--resume", str(run), "training.steps=50", *options])


def test_a_run_goes_on_with_its_own_images_from_the_cache(begun, capsys):
    run, folder = begun
    assert resume(run) == 0
    printed = capsys.readouterr().out
    assert (
        f"{folder}: since the run began, 1 added (dog/new.png); 1 removed (cat/0.png); going on "
        "with the images from before, which are cached" in printed
    )
    (change,) = read_environment(RunDir(run)).changed_on_resume
    assert list(change.keys) == ["training.steps"]


def test_without_the_cache_a_changed_folder_is_refused_unless_it_is_meant(begun, capsys):
    run, _ = begun
    shutil.rmtree(run.parent / "cache")
    before = read_environment(RunDir(run)).data
    assert resume(run) == 2
    error = capsys.readouterr().err
    assert "1 added (dog/new.png); 1 removed (cat/0.png), and the images from before" in error
    assert error.endswith("add --allow-change data\n")
    assert resume(run, "--allow-change", "data") == 0
    environment = read_environment(RunDir(run))
    (change,) = environment.changed_on_resume
    assert change.step == 30
    assert change.keys["data"][0].endswith(before.sha256_x_train[:12])
    assert environment.data.sha256_x_train != before.sha256_x_train
    assert "dog/new.png" in (run / "images.csv").read_text()
    assert resume(run, "training.steps=60") == 0  # the new state is the run's own from now on


def test_other_dates_alone_are_no_change(animals, tmp_path, capsys):
    run, folder = RunDir(tmp_path / "00001-gan_mlp_smoke"), tmp_path / "animals"
    shutil.copytree(animals, folder)
    widths = ["model.generator_widths=[8]", "model.discriminator_widths=[8]"]
    assert gan_train(arguments("gan_mlp_smoke", folder, tmp_path, *widths)) == 0
    shutil.rmtree(tmp_path / "cache")
    for path in folder.rglob("*.png"):
        os.utime(path, (1, 1))
    assert resume(run.path) == 0
    assert "since the run began" not in capsys.readouterr().out


def test_images_deleted_while_training_do_no_harm(animals, tmp_path):
    folder = shutil.copytree(animals, tmp_path / "animals")
    request = DataConfig(
        dataset="image_folder", path=str(folder), image_size=8, cache=str(tmp_path / "cache")
    )
    data = find_dataset(request).read(print)
    batches = iter(make_batches(data, 10, seed=0, first_step=0, num_steps=20))
    next(batches)
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "cache")
    assert sum(len(batch["images"]) for batch in batches) == 190


# Presets for any images


def printed_config(words, capsys):
    """The configuration that a dry run prints."""
    assert gan_train([*words, "--dry-run"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    return parse_yaml("\n".join(lines[: lines.index("generator") - 1]), "printed").values


def test_the_size_comes_from_the_images(animals, capsys):
    config = printed_config(["--config", "gan_images", f"data.path={animals}"], capsys)
    assert (config["data"]["image_size"], config["data"]["num_channels"]) == (28, 1)
    assert config["model"]["size"] == 28
    assert config["model"]["generator_filters"] == [64, 32]
    assert config["model"]["discriminator_filters"] == [32, 64]


def test_what_is_set_stays(animals, capsys):
    words = ["--config", "gan_images", f"data.path={animals}", "data.num_channels=3"]
    words += ["model.size=48", "model.generator_filters=[8, 4]"]
    config = printed_config(words, capsys)
    assert (config["data"]["image_size"], config["data"]["num_channels"]) == (48, 3)
    assert config["model"]["generator_filters"] == [8, 4]
    assert config["model"]["discriminator_filters"] == [32, 64, 128]
    words = ["--config", "gan_images", "data.dataset=mnist", f"data.path={animals / 'x.npz'}"]
    np.savez(animals / "x.npz", x_train=np.zeros((40, 32, 32), np.uint8))
    config = printed_config(words, capsys)
    (animals / "x.npz").unlink()
    assert config["model"]["discriminator_filters"] == [32, 64, 128]
    assert config["data"]["image_size"] is None


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.size=60", "command line: model.size: expected auto, 28 or a multiple of 16 from 16 "
         "to 256 (nearest 64), received 60"),
        ("data.image_size=60", "command line: data.image_size: expected 28 or a multiple of 16 "
         "from 16 to 256 (nearest 64) with model.size, received 60"),
        ("model.generator_filters=[4, 4, 4]", "command line: model.generator_filters: expected at "
         "most as many filters as 28x28 can be halved, received 3, which need a multiple of 8 "
         "(nearest 32)"),
        ("quality.every=150", "command line: quality.every: expected a multiple of log.every"),
        ("training.batch_size=64", "command line: training.batch_size: expected at most the 63"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_work_are_refused_where_they_were_set(
    animals, tmp_path, capsys, override, sentence
):
    words = ["--config", "gan_images", f"data.path={animals}", f"output_dir={tmp_path / 'x'}"]
    assert gan_train([*words, override]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_key_of_the_preset_that_does_not_suit_the_users_images_names_both(tmp_path, capsys):
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(20):
        Image.new("L", (16, 16), 10 * number).save(folder / f"{number}.png")
    assert gan_train(["--config", "gan_images", f"data.path={folder}"]) == 2
    error = capsys.readouterr().err
    assert (
        "configs/gan_images.yaml and command line: training.batch_size: expected at most" in error
    )


def test_a_dry_run_finds_that_there_is_no_classifier(animals, tmp_path, capsys):
    words = arguments("gan_mlp_smoke", animals, tmp_path, "quality.every=10")
    assert gan_train([*words, "--dry-run"]) == 2
    assert "quality.every: expected a classifier of these images" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("preset", ["gan_mlp", "gan_dcgan_faces"])
def test_a_preset_of_other_data_says_which_key_is_missing(animals, capsys, preset):
    assert gan_train(["--config", preset, f"data.path={animals}", "--dry-run"]) == 2
    assert "add data.dataset=image_folder" in capsys.readouterr().err


# An end by time


def test_a_run_ends_by_time_and_goes_on_when_it_gets_more(animals, tmp_path, capsys):
    widths = ["model.generator_widths=[8]", "model.discriminator_widths=[8]"]
    words = arguments("gan_mlp_smoke", animals, tmp_path, *widths, "training.steps=100000")
    assert gan_train([*words, "training.minutes=0.01"]) == 0
    run = tmp_path / "00001-gan_mlp_smoke"
    with open(run / "log.csv") as log:
        step = int(log.read().splitlines()[-1].split(",")[0])
    assert 10 <= step < 100_000
    assert (run / "samples" / f"step_{step:06d}.png").exists()
    assert (run / "checkpoints" / f"step_{step:06d}").exists()
    assert (run / "progress.gif").exists()
    capsys.readouterr()
    assert gan_train(["--resume", str(run)]) == 0
    said = f"finished already, at step {step}; raise training.minutes to go on"
    assert said in capsys.readouterr().out
    assert gan_train(["--resume", str(run), "training.minutes=60", f"training.steps={step + 10}",
                      "--allow-change", "training.steps"]) == 0  # fmt: skip
    assert (run / "samples" / f"step_{step + 10:06d}.png").exists()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("optimizer.schedule=cosine", "expected optimizer.schedule constant with training.minutes"),
        ("distribution.strategy=multi_worker", "expected distribution.strategy none with"),
        ("training.minutes=0", "training.minutes: expected a number greater than 0"),
    ],
)
def test_an_end_by_time_with_what_must_know_the_last_step(animals, capsys, override, sentence):
    words = ["--config", "vae_images", f"data.path={animals}"]
    assert vae_train([*words, override]) == 2
    assert sentence in capsys.readouterr().err
