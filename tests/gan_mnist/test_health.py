import csv
import shutil
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist import health
from gan_mnist.build import build_gan
from gan_mnist.config import GANConfig
from gan_mnist.family import GANFamily
from gan_mnist.health import Probe, health_interval, spread
from gan_mnist.health_rules import Diagnosis, Measurement, rules_for
from gan_mnist.losses import get_loss
from gan_mnist.model import GAN
from gan_mnist.train import main as train
from training_run.cli.train import train_command
from training_run.data.image_data import DataSpec, ImageData
from training_run.errors import UserError

HEALTHY = Measurement(
    step=0, d_accuracy_real=0.7, d_accuracy_fake=0.7, g_loss=0.9, diversity=0.9,
    d_gradient=4.0, g_gradient=1.0,
)  # fmt: skip


def histories(num=8, first_step=2000, **columns):
    """Measurements 200 steps apart; a column is a list, or a value for all of them."""
    rows = [HEALTHY._replace(step=first_step + 200 * index) for index in range(num)]
    for name, values in columns.items():
        values = values if isinstance(values, list) else [values] * num
        rows = [row._replace(**{name: value}) for row, value in zip(rows, values, strict=True)]
    return rows


def told(history, loss_name="non_saturating"):
    diagnosis = Diagnosis(rules_for(loss_name))
    return [(m.step, sentence) for m in history for sentence in diagnosis.add(m)]


CLIMB = [3.0, 3.2, 3.4, 3.6, 3.8, 4.0, 4.2, 4.4]


def test_a_healthy_history_gives_no_sentence():
    assert told(histories()) == []


def test_a_discriminator_has_won_after_five_measurements_and_is_reported_once():
    ahead = {"d_accuracy_real": 0.999, "d_accuracy_fake": 0.995}
    ((step, sentence),) = told(histories(g_loss=CLIMB, **ahead))
    assert step == 2800
    assert "the discriminator has won: since step 2,000 it recognises at least 99.5%" in sentence
    assert "g_loss climbed from 3 to 3.8" in sentence
    assert "try a lower optimizer.discriminator.learning_rate" in sentence


def test_it_has_not_won_while_the_generator_gains_or_after_one_even_game():
    ahead = {"d_accuracy_real": 0.999, "d_accuracy_fake": 0.999}
    assert told(histories(g_loss=CLIMB[::-1], **ahead)) == []
    interrupted = [0.999] * 4 + [0.98] + [0.999] * 3
    assert told(histories(d_accuracy_real=0.999, d_accuracy_fake=interrupted, g_loss=CLIMB)) == []


def test_the_start_of_the_default_preset_is_healthy():
    """Its log at steps 200, 400, ... 1,200: the generator falls behind, then gains."""
    rows = histories(
        num=6,
        first_step=200,
        d_accuracy_real=[0.997, 0.935, 0.748, 0.749, 0.712, 0.718],
        d_accuracy_fake=[0.988, 0.860, 0.424, 0.581, 0.599, 0.650],
        g_loss=[4.34, 2.90, 0.71, 0.80, 0.83, 0.85],
        diversity=[1.29, 1.02, 0.68, 0.69, 0.76, 0.77],
    )
    assert told(rows) == []


def test_a_discriminator_that_guesses_has_stopped():
    ((step, sentence),) = told(histories(d_accuracy_real=0.9, d_accuracy_fake=0.13))
    assert step == 2800
    assert "the discriminator has stopped learning: since step 2,000" in sentence
    assert "try" in sentence
    assert told(histories(d_accuracy_real=0.9, d_accuracy_fake=0.15)) == []


def test_similar_samples_are_a_collapse_once_the_training_has_started():
    ((step, sentence),) = told(histories(num=12, first_step=200, diversity=0.19))
    assert step == 1800
    assert (
        "diversity has collapsed: since step 1,000 samples have at most 19% of the spread"
        in sentence
    )
    assert told(histories(num=12, diversity=[0.1] * 4 + [0.3] + [0.1] * 4 + [0.3] * 3)) == []


@pytest.mark.parametrize(
    ("field", "network"), [("d_gradient", "discriminator"), ("g_gradient", "generator")]
)
def test_vanished_gradients_must_last_but_one_exploded_gradient_is_enough(field, network):
    ((step, sentence),) = told(histories(**{field: 9e-5}))
    assert step == 2800
    assert f"the {network}'s gradient has vanished" in sentence
    ((step, sentence),) = told(histories(**{field: [1.0, 1.0, 10100.0, 1.0, 1e9, 1.0, 1.0, 1.0]}))
    assert step == 2400
    assert f"the {network}'s gradient has exploded: its norm is 1.0e+04" in sentence
    assert told(histories(**{field: [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 9999.0]})) == []


def test_the_accuracies_of_a_wasserstein_critic_mean_nothing():
    sure = histories(d_accuracy_real=1.0, d_accuracy_fake=1.0, g_loss=CLIMB)
    assert told(sure, "wasserstein") == []
    assert told(histories(d_accuracy_real=1.0, d_accuracy_fake=0.0), "wasserstein") == []
    assert len(told(histories(diversity=0.0), "wasserstein")) == 1


def pairs(**columns):
    """Histories of a loss that has no accuracies."""
    return histories(d_accuracy_real=np.nan, d_accuracy_fake=np.nan, **columns)


def test_of_pairs_the_ranking_counts():
    assert told(pairs(d_ranking=0.7, logit_difference=2.0), "relativistic") == []
    ((step, sentence),) = told(pairs(d_ranking=0.995, g_loss=CLIMB), "relativistic")
    assert step == 2800
    assert "it recognises at least 99.5% of pairs, and g_loss climbed" in sentence
    ((_, sentence),) = told(pairs(d_ranking=0.51), "relativistic")
    assert "right about at most 51% of the pairs" in sentence
    assert "discriminator_steps" not in sentence  # which that loss refuses


def test_logits_far_apart_must_last():
    assert told(histories(logit_difference=[30.0] * 4 + [20.0] + [30.0] * 3)) == []
    ((step, sentence),) = told(histories(logit_difference=[800.0, 400, 200, 66, 63, 60, 9, 9]))
    assert step == 2800
    assert "logits are far apart: since step 2,000" in sentence
    assert "differ by at least 63" in sentence
    assert told(histories(logit_difference=800.0), "wasserstein") == []


def test_few_images_that_repeat_are_a_collapse_of_their_own():
    ((step, sentence),) = told(histories(num=12, first_step=200, copies=0.6))
    assert step == 1800
    assert "modes have collapsed: since step 1,000 at least 60% of the samples" in sentence
    ((_, sentence),) = told(histories(copies=1.0, diversity=0.1))
    assert "diversity has collapsed" in sentence


def test_a_game_oscillates_if_its_losses_swing_by_more_than_the_logits_differ():
    swings = [-12.0, -4.0, 1.0, -3.0, -3.0, -4.0, -5.0, 3.0]
    ((step, sentence),) = told(histories(g_loss=swings, logit_difference=1.7), "wasserstein")
    assert step == 3400
    assert "the game oscillates: since step 2,000 g_loss swings up and down" in sentence
    assert "by more than 1.7 at a time" in sentence
    assert told(histories(g_loss=swings, logit_difference=6.0), "wasserstein") == []
    steady = [4.3, 2.9, 0.7, 0.8, 0.6, 0.9, 0.7, 0.8]  # of the default preset, from its start on
    assert told(histories(g_loss=steady, logit_difference=0.1)) == []
    falling = [300.0, 120, 80, 60, 40, 30, 20, 10]
    assert told(histories(g_loss=falling, logit_difference=1.0)) == []


def test_what_was_not_measured_is_no_failure():
    assert told([Measurement(step=2000 + 200 * index) for index in range(8)]) == []


def test_an_older_health_csv_is_read(tmp_path):
    path = tmp_path / "health.csv"
    header = "step,d_accuracy_real,d_accuracy_fake,g_loss,variety,d_gradient,g_gradient\n"
    path.write_text(f"{header}200,0.7,0.6,0.9,0.8,4.0,1.0\n400,0.7,0.6,0.9,0.8,4.0\n")
    (measurement,) = health.read_measurements(path)
    assert measurement[:7] == (200, 0.7, 0.6, 0.9, 0.8, 4.0, 1.0)
    assert np.isnan(measurement.copies)


@pytest.mark.parametrize("name", ["health.csv", "health.log"])
def test_a_folder_in_the_place_of_a_file_is_refused_at_once(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match=f"{name}: expected a file, received a folder"):
        health.Health(None, 200, None, rules_for("hinge"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_every_sentence_is_one_line_with_something_to_try():
    ill = histories(
        num=12, d_accuracy_real=1.0, d_accuracy_fake=1.0, g_loss=[*CLIMB, 5.0, 6.0, 7.0, 8.0],
        diversity=0.0, d_gradient=[0.0] * 11 + [1e9], g_gradient=[0.0] * 11 + [1e9],
    )  # fmt: skip
    sentences = [sentence for _, sentence in told(ill)]
    sentences += [sentence for _, sentence in told(histories(d_accuracy_real=0, d_accuracy_fake=0))]
    assert len(sentences) == 7
    for sentence in sentences:
        assert "; try " in sentence
        assert "\n" not in sentence


def test_nearest_distances_by_hand():
    images = np.array([[0, 0], [3, 4], [3, 5], [9, 13]], np.float32).reshape(4, 1, 2, 1)
    np.testing.assert_allclose(health.nearest_distances(images), [5, 1, 1, 10], atol=1e-5)


def test_spread_by_hand():
    images = np.array([0.0, 2.0, 5.0, 5.0], np.float32).reshape(4, 1, 1, 1)
    # Distances from the mean, 3: -3, -1, 2, 2.
    assert float(spread(images)) == pytest.approx(np.sqrt(18 / 4), abs=1e-5)
    # Within classes, of means 1 and 5: -1, 1, 0, 0.
    labels = np.array([1, 1, 0, 0], np.int32)
    assert float(spread(images, labels)) == pytest.approx(np.sqrt(2 / 4), abs=1e-5)
    assert float(spread(images[2:])) == pytest.approx(0, abs=1e-5)


def make_data(num=80, side=4):
    images = np.random.default_rng(0).integers(0, 256, (num, side, side, 1), dtype=np.uint8)
    labels = np.arange(num, dtype=np.int32) % 4
    return ImageData(images, labels, images, labels, 4, "made up", "")


def test_measurements_by_hand():
    """G(z) = a z and D(x) = w x on pixels, with linear (Wasserstein) losses."""
    a, w = 0.7, -0.4
    generator = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False), keras.layers.Reshape((1, 1, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )
    generator.set_weights([np.array([[a]])])
    discriminator.set_weights([np.array([[w]])])
    gan = GAN(generator, discriminator, value_range=(0, 1), batch_size=1, seed=0)
    gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), get_loss("wasserstein"))
    probe = Probe(gan, make_data(health.NUM_PROBED, side=1), seed=0)
    z = np.array(probe.z)
    real = make_data(health.NUM_PROBED, side=1).x_train / 255
    measured = probe()
    assert measured["diversity"] == pytest.approx(a * z.std() / real.std(), abs=1e-4)
    assert measured["logit_difference"] == pytest.approx(w * (real.mean() - a * z.mean()), abs=1e-5)
    # d_loss = w mean(a z) - w mean(x), g_loss = -w a mean(z).
    assert measured["d_gradient"] == pytest.approx(abs(a * z.mean() - real.mean()), abs=1e-5)
    assert measured["g_gradient"] == pytest.approx(abs(w * z.mean()), abs=1e-5)


DENSE = {"generator_widths": [8], "discriminator_widths": [8], "latent_dim": 3}
CONV = {"kind": "conv", "generator_filters": [4], "discriminator_filters": [4], "latent_dim": 3}


@pytest.mark.parametrize(
    "sections",
    [
        {"model": DENSE | {"discriminator_batch_norm_momentum": 0.8}},
        {"model": DENSE | {"conditional": True}, "regularization": {"spectral_norm": True}},
        {"model": CONV | {"discriminator_dropout": 0.3}, "ema": {"decay": 0.9}},
    ],
    ids=["batch_norm", "spectral_norm", "dropout"],
)
def test_measuring_moves_nothing_and_gives_the_same_twice(sections):
    common = {"family": "gan", "name": "x", "training": {"steps": 4, "batch_size": 5}}
    config = GANConfig.model_validate(common | sections)
    gan = build_gan(config, DataSpec(80, (4, 4, 1), 4), block=1)
    before = [np.array(variable) for variable in gan.variables]
    probe = Probe(gan, make_data(), seed=0)
    assert probe() == probe()
    assert all(np.array_equal(old, new) for old, new in zip(before, gan.variables, strict=True))


def test_gradients_are_those_of_the_training():
    """A discriminator's BatchNorm takes other statistics in training than in inference."""
    model = DENSE | {"discriminator_batch_norm_momentum": 0.8, "discriminator_widths": [8, 6]}
    sections = {"name": "x", "training": {"steps": 1}, "model": model, "loss": {"name": "hinge"}}
    config = GANConfig.model_validate({"family": "gan", **sections})
    gan, data = build_gan(config, DataSpec(80, (4, 4, 1), None), block=1), make_data()
    probe = Probe(gan, data, seed=0)
    with tf.GradientTape() as tape:
        fake = gan.generator(probe.z, training=True)
        logits = [gan.discriminator(images, training=True) for images in (probe.real, fake)]
        loss = gan.loss.discriminator(*logits)
    expected = tf.linalg.global_norm(tape.gradient(loss, gan.discriminator.trainable_variables))
    assert probe()["d_gradient"] == pytest.approx(float(expected), rel=1e-5)


def test_it_measures_mirrored_networks_too():
    code = """
import numpy as np, tensorflow as tf
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
from gan_mnist.build import build_gan
from gan_mnist.config import GANConfig
from gan_mnist.health import Probe
from training_run.data.image_data import DataSpec, ImageData
model = {"generator_widths": [8], "discriminator_widths": [8], "latent_dim": 3}
config = {"family": "gan", "name": "x", "training": {"steps": 1}, "model": model}
config, spec = GANConfig.model_validate(config), DataSpec(80, (4, 4, 1), None)
x = np.random.default_rng(0).integers(0, 256, (80, 4, 4, 1), dtype=np.uint8)
data = ImageData(x, None, x, None, None, "", "")
plain = Probe(build_gan(config, spec, 1), data, 0)()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    gan = build_gan(config, spec, 1)
mirrored = Probe(gan, data, 0)()
assert all(abs(plain[name] - mirrored[name]) < 1e-5 for name in plain), (plain, mirrored)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("intervals", "every"),
    [((100, 200, 200), 200), ((4680, 14040, 468), 468), ((50, 250, 250), 200), ((30, 90, 90), 210)],
)
def test_the_interval_is_the_finest_of_the_run_but_not_too_fine(intervals, every):
    names = ("log_every", "samples_every", "gif_every")
    assert health_interval(SimpleNamespace(**dict(zip(names, intervals, strict=True)))) == every


def arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[16]", "model.discriminator_widths=[16]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=1200", "training.jit_compile=false",
        "samples.every=200", "log.every=100", "checkpoints.every=200", "samples.num_rows=1",
        "samples.num_columns=2", *overrides,
    ]  # fmt: skip


RUN = "00001-gan_mlp_smoke"


def told_in(run):
    path = run / "health.log"
    return path.read_text().splitlines() if path.exists() else []


def state_of(run):
    with np.load(run / "checkpoints/step_001200/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def metrics_of(run):
    with open(run / "log.csv", newline="") as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


STANDING = "optimizer.discriminator.learning_rate=1e-30"


@pytest.fixture(scope="module")
def standing(tiny_data, tmp_path_factory):
    """A run whose discriminator does not move."""
    folder = tmp_path_factory.mktemp("standing")
    assert train(arguments(tiny_data, folder, STANDING, "checkpoints.keep=9")) == 0
    return folder / RUN


def test_a_discriminator_that_does_not_learn_is_reported(standing):
    (line,) = [line for line in told_in(standing) if "has stopped learning" in line]
    assert line.startswith("step 1,000: the discriminator has stopped learning: since step 200")
    with open(standing / "health.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [200, 400, 600, 800, 1000, 1200]
    assert tuple(rows[0]) == health.COLUMNS
    assert len(health.COLUMNS) == len(Measurement._fields)


def test_training_is_the_same_to_the_bit_without_measurements(standing, tiny_data, tmp_path):
    class UnwatchedFamily(GANFamily):
        def callbacks(self, context):
            return []

    assert train_command(UnwatchedFamily(), arguments(tiny_data, tmp_path, STANDING)) == 0
    other = tmp_path / RUN
    assert not (other / "health.csv").exists()
    assert metrics_of(standing) == metrics_of(other)
    one, two = state_of(standing), state_of(other)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("last", [600, 1000])
def test_a_resumed_run_says_and_keeps_what_one_never_stopped_did(standing, tmp_path, last, capsys):
    """Killed in the middle of a row, before the warning and after it."""
    again = tmp_path / RUN
    shutil.copytree(standing, again)
    for path in (again / "checkpoints").glob("step_*"):
        if int(path.name[5:]) > last:
            shutil.rmtree(path)
    with open(again / "health.csv", "a") as file:
        file.write("1400,0.5,0.")
    assert train(["--resume", str(again)]) == 0
    for name in ("health.csv", "health.log"):
        assert (again / name).read_bytes() == (standing / name).read_bytes()
    printed = capsys.readouterr().out.count("health, step 1,000: the discriminator has stopped")
    assert printed == (1 if last < 1000 else 0)


def test_far_too_strong_a_discriminator_is_reported(tiny_data, tmp_path, capsys):
    overrides = ("training.steps=200", "optimizer.discriminator.learning_rate=10")
    assert train(arguments(tiny_data, tmp_path, *overrides)) == 0
    assert any("gradient has exploded" in line for line in told_in(tmp_path / RUN))
    assert "health, step 200: the" in capsys.readouterr().out


def test_a_generator_that_ignores_its_latents_is_reported(tiny_data, tmp_path):
    class DeafFamily(GANFamily):
        def build(self, config, spec, block):
            model = build_gan(config, spec, block)
            deaf = GAN(
                keras.Sequential([keras.Input((4,)), keras.layers.Rescaling(0.0), model.generator]),
                model.discriminator,
                value_range=config.model.value_range,
                batch_size=config.training.batch_size,
                seed=config.seed,
            )
            deaf.compile(
                keras.optimizers.Adam(1e-3),
                keras.optimizers.Adam(1e-3),
                get_loss("non_saturating"),
                steps_per_execution=block,
            )
            return deaf

    assert train_command(DeafFamily(), arguments(tiny_data, tmp_path, "training.steps=1800")) == 0
    start = "step 1,800: diversity has collapsed: since step 1,000 samples have at most 0%"
    assert any(line.startswith(start) for line in told_in(tmp_path / RUN))
