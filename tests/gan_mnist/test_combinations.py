"""One training step of every combination that the configuration offers, and what it must do."""

import itertools

import numpy as np
import pytest

from gan_mnist.build import build_gan
from gan_mnist.checks import check_data
from gan_mnist.config import GANConfig
from training_run.config.yaml_source import ConfigError
from training_run.data.image_data import DataSpec, ImageData
from training_run.loop.sample_grid import sample_grid
from training_run.step.batches import make_batches

SPEC = DataSpec(40, (8, 8, 1), 4)
SMALL = {
    "mlp": {"kind": "mlp", "generator_widths": [8], "discriminator_widths": [8], "latent_dim": 3},
    "conv": {
        "kind": "conv",
        "generator_filters": [4, 4],
        "discriminator_filters": [4, 4],
        "latent_dim": 3,
    },
}


def make_data():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    labels = np.arange(40, dtype=np.int32) % 4
    return ImageData(images, labels, images, labels, 4, "made up", "")


def make_config(kind="mlp", model=None, training=None, **sections):
    return GANConfig.model_validate(
        {
            "family": "gan",
            "name": "x",
            "training": {"steps": 4, "batch_size": 5, **(training or {})},
            "model": SMALL[kind] | (model or {}),
            **sections,
        }
    )


def train(config, num_steps=2):
    gan = build_gan(config, SPEC, block=1)
    before = [np.array(weight) for weight in gan.generator.trainable_variables]
    logs = []
    batches = make_batches(make_data(), 5, seed=0, first_step=0, num_steps=num_steps, draw=gan.draw)
    for batch in batches:
        logs.append({name: float(value) for name, value in gan.train_step(batch).items()})
        gan.reset_metrics()
    moved = [
        not np.array_equal(old, new)
        for old, new in zip(before, gan.generator.trainable_variables, strict=True)
    ]
    return gan, logs, moved


@pytest.mark.parametrize(
    ("kind", "loss", "penalty"),
    [
        (kind, loss, penalty)
        for kind, loss, penalty in itertools.product(
            ("mlp", "conv"),
            ("non_saturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic"),
            (
                {},
                {"gradient_penalty": 10.0},
                {"r1": 1.0},
                {"r2": 1.0, "augment": ["translation", "cutout"]},
                {"spectral_norm": True},
            ),
        )
        if loss != "wasserstein" or {"gradient_penalty", "spectral_norm"} & penalty.keys()
        if kind == "mlp" or loss in ("non_saturating", "wasserstein", "relativistic")
    ],
)
def test_one_step_of_every_loss_and_penalty(kind, loss, penalty):
    config = make_config(kind, loss={"name": loss}, regularization=penalty)
    _, logs, moved = train(config, num_steps=1)
    assert all(np.isfinite(value) for value in logs[0].values())
    assert all(moved)
    assert ("d_penalty" in logs[0]) == bool({"gradient_penalty", "r1", "r2"} & penalty.keys())
    assert ("d_ranking" in logs[0]) == (loss == "relativistic")


def test_penalties_add_up_with_their_weights():
    """On the same first batch, the penalty of both is the sum of each alone."""
    weights = {"gradient_penalty": 3.0, "r1": 7.0, "r2": 5.0}
    alone = [
        train(make_config(regularization={name: weight}), 1)[1][0]["d_penalty"]
        for name, weight in weights.items()
    ]
    both = train(make_config(regularization=weights), 1)[1][0]["d_penalty"]
    assert both == pytest.approx(sum(alone), abs=1e-5)
    assert min(alone) > 0


def test_the_generator_waits_for_its_turn():
    config = make_config(training={"discriminator_steps": 3})
    assert not any(train(config, num_steps=2)[2])
    gan, logs, moved = train(config, num_steps=3)
    assert all(moved)
    assert [log["g_loss"] > 0 for log in logs] == [False, False, True]
    assert int(gan.generator_optimizer.iterations.numpy()) == 1
    assert int(gan.discriminator_optimizer.iterations.numpy()) == 3


def test_separate_learning_rates_reach_their_optimizers():
    config = make_config(optimizer={"learning_rate": 1e-3, "generator": {"learning_rate": 5e-4}})
    gan = build_gan(config, SPEC, block=1)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(1e-3)
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(5e-4)


def test_the_average_is_that_of_the_formula_and_samples_come_from_it():
    config = make_config(ema={"decay": 0.75})
    gan = build_gan(config, SPEC, block=1)
    mean = [np.array(weight) for weight in gan.generator.trainable_variables]
    batches = make_batches(make_data(), 5, seed=0, first_step=0, num_steps=3, draw=gan.draw)
    for batch in batches:
        gan.train_step(batch)
        weights = [np.array(weight) for weight in gan.generator.trainable_variables]
        mean = [0.75 * old + 0.25 * new for old, new in zip(mean, weights, strict=True)]
    for expected, actual in zip(mean, gan.average.trainable_variables, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)
    for statistic, average in zip(
        gan.generator.non_trainable_variables, gan.average.non_trainable_variables, strict=True
    ):
        assert np.array_equal(statistic, average)
    z = np.ones((2, 3), np.float32)
    assert np.array_equal(gan.sample(z), gan.average(z, training=False))
    assert not np.array_equal(gan.sample(z), gan.generator(z, training=False))
    assert set(gan.networks()) == {"generator", "generator_raw", "discriminator"}


def test_instance_noise_has_its_deviation_and_fades():
    config = make_config(regularization={"instance_noise": 0.5, "instance_noise_until": "2 epochs"})
    gan = build_gan(config, SPEC, block=1)  # an epoch is 40 // 5 = 8 steps
    draws = {step: gan.draw(np.int64(step)) for step in (0, 8, 16, 99)}
    assert np.std(draws[0]["noise_real"]) == pytest.approx(0.5, rel=0.1)
    assert np.std(draws[8]["noise_fake"]) == pytest.approx(0.25, rel=0.1)
    assert not np.any(draws[16]["noise_generated"])
    assert not np.any(draws[99]["noise_real"])
    assert not np.array_equal(draws[0]["noise_real"], draws[0]["noise_fake"])


def test_without_an_end_instance_noise_stays():
    gan = build_gan(make_config(regularization={"instance_noise": 0.5}), SPEC, block=1)
    assert np.std(gan.draw(np.int64(10**6))["noise_real"]) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_labels_reach_both_networks(kind):
    config = make_config(kind, model={"conditional": True}, ema={"decay": 0.5})
    gan, _, moved = train(config)
    assert all(moved)
    z = np.ones((2, 3), np.float32)
    images = np.array(gan.sample(z, np.array([0, 3], np.int32)))
    assert np.abs(images[0] - images[1]).max() > 1e-4
    x = np.ones((2, 8, 8, 1), np.float32)
    logits = np.array(gan.discriminator([x, np.array([0, 3], np.int32)], training=False))
    assert abs(logits[0, 0] - logits[1, 0]) > 1e-4


def test_a_conditional_grid_has_a_class_a_row_and_a_latent_a_column():
    config = make_config(model={"conditional": True}, samples={"num_columns": 3})
    gan = build_gan(config, SPEC, block=1)
    seen = {}
    gan.sample = lambda z, labels: seen.update(z=np.array(z), labels=np.array(labels))
    sample_grid(gan, config, make_data())()
    assert seen["labels"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert np.array_equal(seen["z"][:3], seen["z"][3:6])
    assert len(np.unique(seen["z"][:3, 0])) == 3


def test_data_that_do_not_suit_are_refused():
    check_data(make_config("conv"), SPEC, "x.yaml")
    with pytest.raises(
        ConfigError, match=r"x\.yaml: model\.generator_filters: .*10x10 can be halved"
    ):
        check_data(make_config("conv"), DataSpec(40, (10, 10, 1), 4), "x.yaml")


@pytest.mark.parametrize("name", ["gradient_penalty", "r1", "r2"])
def test_batch_norm_in_a_penalised_discriminator_is_refused(name):
    with pytest.raises(ValueError, match="expected no BatchNorm in the discriminator"):
        make_config(model={"discriminator_batch_norm_momentum": 0.9}, regularization={name: 1.0})


SCHEDULED = {
    "optimizer": {
        "schedule": "linear", "learning_rate": 1e-2, "final_factor": 0.5, "beta_2": 0.5,
        "final_beta_2": 0.9, "discriminator": {"learning_rate": 4e-2},
    },
    "regularization": {"r1": 2.0, "final_factor": 0.25},
    "ema": {"decay": 0.0, "final_decay": 0.5},
}  # fmt: skip


def test_a_schedule_reaches_rates_beta_2_penalty_and_average():
    gan = build_gan(make_config(**SCHEDULED), SPEC, block=1)  # 4 steps
    rates = [
        float(optimizer._learning_rate(2))
        for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer)
    ]
    assert rates == pytest.approx([3e-2, 7.5e-3])
    assert float(gan.generator_optimizer.beta_2_at(1)) == pytest.approx(0.6)
    assert float(gan.penalty_factor(3)) == pytest.approx(1 - 0.75 * 0.75)
    # Half-lives go from 0 to that of 0.5, 1: at half of the way 0.5, whose decay is 1 / 4.
    assert float(gan.ema_decay(2)) == pytest.approx(0.25)


def test_the_generators_schedule_counts_its_own_updates():
    config = make_config(
        training={"steps": 12, "discriminator_steps": 3}, optimizer={"schedule": "linear"}
    )
    gan = build_gan(config, SPEC, block=1)
    pairs = ((gan.discriminator_optimizer, 12), (gan.generator_optimizer, 4))
    for optimizer, num_updates in pairs:
        assert float(optimizer._learning_rate(num_updates // 2)) == pytest.approx(1e-4)


def test_a_scheduled_penalty_is_logged_with_its_weight():
    constant = train(make_config(regularization={"r1": 2.0}), num_steps=1)[1]
    config = make_config(**SCHEDULED | {"training": {"steps": 2}})
    _, logs, _ = train(config, num_steps=2)
    assert logs[0]["d_penalty"] == pytest.approx(constant[0]["d_penalty"], rel=1e-5)
    factor = build_gan(config, SPEC, block=1).penalty_factor(1)
    assert float(factor) == pytest.approx(0.625)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        (
            {"loss": {"name": "relativistic"}, "training": {"discriminator_steps": 2}},
            "expected training.discriminator_steps 1 with loss.name relativistic",
        ),
        (
            {"loss": {"name": "relativistic", "label_smoothing": 0.1}},
            "expected label_smoothing 0 with the relativistic loss",
        ),
        ({"ema": {"final_decay": 0.9}}, "expected a decay .* with final_decay, received null"),
        (
            {"ema": {"rampup": 0.1}},
            "expected a decay and no final_decay with rampup, received decay None",
        ),
        (
            {"ema": {"decay": 0.5, "final_decay": 0.9}},
            "expected optimizer.schedule cosine or linear with ema.final_decay",
        ),
        (
            {"optimizer": {"final_beta_2": 0.9}},
            "expected optimizer.schedule cosine or linear with optimizer.final_beta_2",
        ),
        ({"optimizer": {"final_factor": 0.5}}, "expected schedule cosine or linear with a final_f"),
        (
            {"regularization": {"final_factor": 0.5}, "optimizer": {"schedule": "linear"}},
            "expected a penalty",
        ),
        ({"regularization": {"augment": ["cutout", "cutout"]}}, "expected each policy once"),
        ({"regularization": {"augment": ["rotation"]}}, "Input should be 'translation', 'cutout'"),
    ],
)
def test_wrong_combinations_are_refused(sections, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_config(**sections)


def test_what_only_the_data_can_tell_is_refused():
    spec = DataSpec(40, (8, 8, 1), 4)
    late = make_config(optimizer={"warmup": "1 epoch"})  # 8 steps, of a run of 4
    with pytest.raises(
        ConfigError, match=r"optimizer\.warmup: expected fewer steps than the run's 4"
    ):
        check_data(late, spec, "x.yaml")
    grey = {"regularization": {"augment": ["cutout", "contrast"]}}
    with pytest.raises(ConfigError, match=r"augment: expected translation or cutout with digits"):
        check_data(make_config(**grey), spec, "x.yaml")
    check_data(make_config(**grey, data={"dataset": "fashion_mnist"}), spec, "x.yaml")


def test_augmentation_is_a_function_of_seed_and_step_and_the_same_for_both_networks():
    config = make_config(regularization={"augment": ["translation"]})
    gan = build_gan(config, SPEC, block=1)
    draw, again = gan.draw(np.int64(3)), build_gan(config, SPEC, block=1).draw(np.int64(3))
    names = ["augment_real", "augment_fake", "augment_generated"]
    for name in names:
        assert np.array_equal(draw[name], again[name])
    assert len({np.array(draw[name]).tobytes() for name in names}) == 3
    seen = []
    gan.discriminate = lambda images, batch: seen.append(np.array(images)) or images[:, :1, 0, 0]
    gan.discriminate_both = lambda real, fake, batch: (
        seen.extend([real, fake]) or (gan.discriminator(real), gan.discriminator(fake))
    )
    images = np.zeros((5, 8, 8, 1), np.uint8)  # black, so that grey edges show the shifts
    batch = {**draw, "images": images, "augment_fake": draw["augment_real"]}
    gan.generate = lambda z, batch: -1.0 + 0.0 * gan.generator(z, training=True)
    gan.discriminator_phase(batch)
    real, fake = map(np.array, seen)
    assert (real == 0).any() and np.array_equal(real == 0, np.abs(fake) < 1e-6)
