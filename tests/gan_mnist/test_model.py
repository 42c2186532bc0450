import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.losses import get_loss
from gan_mnist.model import GAN
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from gan_mnist.networks_conv import build_conv_discriminator, build_conv_generator
from training_run.data.image_data import ImageData
from training_run.step.batches import make_batches

BATCH = 8


def make_gan(d_rate=1e-2, g_rate=1e-2, seed=3, momentum=0.8, **compile_options):
    gan = GAN(
        build_mlp_generator(
            latent_dim=5,
            image_shape=(4, 4, 1),
            widths=(16,),
            batch_norm_momentum=momentum,
            seed=seed,
        ),
        build_mlp_discriminator(image_shape=(4, 4, 1), widths=(16,), seed=seed),
        value_range=(-1, 1),
        batch_size=BATCH,
        seed=seed,
    )
    gan.compile(
        discriminator_optimizer=keras.optimizers.Adam(d_rate),
        generator_optimizer=keras.optimizers.Adam(g_rate),
        loss=get_loss("non_saturating"),
        **compile_options,
    )
    return gan


def make_batch(gan, step=0):
    images = np.random.default_rng(step).integers(0, 256, (BATCH, 4, 4, 1), dtype=np.uint8)
    return {"images": images, **gan.draw(step)}


def arrays(variables):
    return [np.array(variable) for variable in variables]


def changed(before, variables):
    return [
        not np.array_equal(old, new) for old, new in zip(before, arrays(variables), strict=True)
    ]


def test_the_discriminator_phase_moves_only_the_discriminators_trainable_weights():
    gan = make_gan(g_rate=1e-30)  # a generator phase too small for float32
    d_before, g_before = (
        arrays(gan.discriminator.variables),
        arrays(gan.generator.trainable_variables),
    )
    gan.train_step(make_batch(gan))
    assert all(changed(d_before, gan.discriminator.variables))
    # Biases start at zero, where even the smallest step shows.
    for old, new in zip(g_before, gan.generator.trainable_variables, strict=True):
        np.testing.assert_allclose(old, np.array(new), atol=1e-20)


def test_the_generator_phase_moves_only_the_generator():
    gan = make_gan(d_rate=1e-30)
    d_before, g_before = (
        arrays(gan.discriminator.variables),
        arrays(gan.generator.trainable_variables),
    )
    gan.train_step(make_batch(gan))
    assert all(changed(g_before, gan.generator.trainable_variables))
    for old, new in zip(d_before, gan.discriminator.variables, strict=True):
        np.testing.assert_allclose(old, np.array(new), atol=1e-20)


def test_batch_norm_statistics_move():
    gan = make_gan()
    before = arrays(gan.generator.non_trainable_variables)
    gan.train_step(make_batch(gan))
    assert len(before) == 2
    assert all(changed(before, gan.generator.non_trainable_variables))


def make_conv_gan():
    shared = {"image_shape": (8, 8, 1), "kernel_size": 4, "seed": 0}
    gan = GAN(
        build_conv_generator(latent_dim=5, filters=(4,), widths=(), **shared),
        build_conv_discriminator(filters=(4,), widths=(), **shared),
        value_range=(-1, 1),
        batch_size=BATCH,
        seed=0,
        ema_decay=0.5,
    )
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), get_loss("non_saturating"))
    return gan


def test_batch_norm_as_one_operation_trains_as_keras_s_does():
    fused, plain = make_conv_gan(), make_conv_gan()
    assert fused.generator_in_training is not fused.generator
    plain.generator_in_training = plain.generator
    before = arrays(fused.generator.variables)
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 8, 8, 1), dtype=np.uint8)
    for gan in (fused, plain):
        for step in range(3):
            gan.train_step({"images": images, **gan.draw(step)})
    assert all(changed(before, fused.generator.variables))
    for name, network in fused.trained_networks().items():
        expected = arrays(plain.trained_networks()[name].variables)
        for found, value in zip(arrays(network.variables), expected, strict=True):
            np.testing.assert_allclose(found, value, atol=1e-5, err_msg=name)


def scalar_gan(a, w, loss="non_saturating"):
    """G(z) = a z and D(x) = w x on one-pixel images: a step that can be done by hand."""
    generator = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False), keras.layers.Reshape((1, 1, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )
    generator.set_weights([np.array([[a]])])
    discriminator.set_weights([np.array([[w]])])
    gan = GAN(generator, discriminator, value_range=(0, 1), batch_size=1, seed=0)
    gan.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.25), get_loss(loss))
    return gan


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_one_step_by_hand():
    a, w, x, z_d, z_g = 0.7, -0.4, 1.0, 0.9, -1.3
    gan = scalar_gan(a, w)
    batch = {
        "images": np.full((1, 1, 1, 1), 255, np.uint8),
        "z_discriminator": np.array([[z_d]], np.float32),
        "z_generator": np.array([[z_g]], np.float32),
    }
    logs = gan.train_step(batch)

    # d_loss = softplus(-w x) + softplus(w a z); its slope in w:
    fake = a * z_d
    d_loss = np.log1p(np.exp(-w * x)) + np.log1p(np.exp(w * fake))
    w_new = w - 0.5 * (-x * sigmoid(-w * x) + fake * sigmoid(w * fake))
    # g_loss = softplus(-w' a z), on fresh latents and the updated discriminator; its slope in a:
    logit = w_new * a * z_g
    a_new = a - 0.25 * (-w_new * z_g * sigmoid(-logit))

    assert float(logs["d_loss"]) == pytest.approx(d_loss, abs=1e-6)
    assert float(logs["g_loss"]) == pytest.approx(np.log1p(np.exp(-logit)), abs=1e-6)
    assert gan.discriminator.get_weights()[0].item() == pytest.approx(w_new, abs=1e-6)
    assert gan.generator.get_weights()[0].item() == pytest.approx(a_new, abs=1e-6)
    # w < 0 calls the white real image fake, and the grey fake one (logit -0.252) fake too.
    assert float(logs["d_accuracy_real"]) == 0.0
    assert float(logs["d_accuracy_fake"]) == 1.0


def test_one_step_of_pairs_by_hand():
    a, w, x, z_d, z_g = 0.7, -0.4, 1.0, 0.9, -1.3
    gan = scalar_gan(a, w, "relativistic")
    batch = {
        "images": np.full((1, 1, 1, 1), 255, np.uint8),
        "z_discriminator": np.array([[z_d]], np.float32),
        "z_generator": np.array([[z_g]], np.float32),
    }
    logs = gan.train_step(batch)

    # d_loss = softplus(-w (x - a z)); its slope in w:
    gap = x - a * z_d
    d_loss = np.log1p(np.exp(-w * gap))
    w_new = w + 0.5 * gap * sigmoid(-w * gap)
    # g_loss = softplus(w' (x - a z)), on fresh latents and the same real image; its slope in a:
    behind = w_new * (x - a * z_g)
    a_new = a + 0.25 * w_new * z_g * sigmoid(behind)

    assert float(logs["d_loss"]) == pytest.approx(d_loss, abs=1e-6)
    assert float(logs["g_loss"]) == pytest.approx(np.log1p(np.exp(behind)), abs=1e-6)
    assert gan.discriminator.get_weights()[0].item() == pytest.approx(w_new, abs=1e-6)
    assert gan.generator.get_weights()[0].item() == pytest.approx(a_new, abs=1e-6)
    # w < 0 gives the whiter image of a pair, the real one, the lower logit.
    assert float(logs["d_ranking"]) == 0.0
    assert float(logs["d_logit_difference"]) == pytest.approx(w * gap, abs=1e-6)
    assert list(logs) == ["d_loss", "g_loss", "d_ranking", "d_logit_difference"]


def test_latents_are_a_function_of_seed_and_step_and_the_phases_do_not_share_them():
    gan = make_gan(seed=3)
    draw, again = gan.draw(7), make_gan(seed=3).draw(7)
    assert np.array_equal(draw["z_generator"], again["z_generator"])
    assert not np.array_equal(draw["z_generator"], draw["z_discriminator"])
    assert not np.array_equal(draw["z_generator"], gan.draw(8)["z_generator"])
    assert not np.array_equal(draw["z_generator"], make_gan(seed=4).draw(7)["z_generator"])


def make_data():
    images = np.random.default_rng(0).integers(0, 256, (80, 4, 4, 1), dtype=np.uint8)
    labels = np.arange(80, dtype=np.int32) % 4
    return ImageData(images, labels, images, labels, 4, "made up", "")


def batches_for(gan, num_steps=10):
    return make_batches(
        make_data(), BATCH, seed=0, first_step=0, num_steps=num_steps, draw=gan.draw
    )


def test_the_compiled_block_does_what_single_steps_do():
    compiled = make_gan(steps_per_execution=5, jit_compile=True)
    compiled.fit(batches_for(compiled), steps_per_epoch=10, shuffle=False, verbose=0)
    eager = make_gan()
    for batch in batches_for(eager):
        eager.train_step(batch)
    for first, second in zip(compiled.variables, eager.variables, strict=True):
        np.testing.assert_allclose(np.array(first), np.array(second), atol=2e-4)


def test_compile_makes_no_optimizer_of_its_own():
    gan = make_gan()
    assert gan.optimizer is None
    assert set(gan.optimizers()) == {"discriminator", "generator"}
    assert all(optimizer.built for optimizer in gan.optimizers().values())


def test_samples_use_the_moving_statistics_and_lie_in_range():
    gan = make_gan()
    z = np.ones((3, 5), np.float32)
    first = np.array(gan.sample(z))
    alone = np.array(gan.sample(z[:1]))
    np.testing.assert_allclose(first[:1], alone, atol=1e-6)
    assert np.abs(first).max() <= 1


def mean_square(discriminate, real, fake, epsilon):
    """A penalty that is easy to follow, without a gradient inside."""
    return tf.reduce_mean(discriminate(real) ** 2)


def discriminator_after(step, **compile_options):
    gan = make_gan(**compile_options)
    gan.train_step(make_batch(gan, step))
    return arrays(gan.discriminator.trainable_variables), float(gan.metrics[2].result())


def test_a_lazy_penalty_weighs_as_much_as_it_is_rare():
    twice = discriminator_after(4, penalty=lambda *inputs: 2 * mean_square(*inputs))
    lazy = discriminator_after(4, penalty=mean_square, penalty_every=2)
    for one, other in zip(twice[0], lazy[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert lazy[1] == pytest.approx(twice[1] / 2, rel=1e-5)


def test_between_its_steps_a_lazy_penalty_does_nothing_and_is_not_counted():
    lazy, penalty = discriminator_after(5, penalty=mean_square, penalty_every=2)
    none, _ = discriminator_after(5)
    for one, other in zip(lazy, none, strict=True):
        np.testing.assert_array_equal(one, other)
    assert penalty == 0.0


def test_the_mean_penalty_is_over_the_steps_that_had_one():
    gan = make_gan(penalty=mean_square, penalty_every=2, d_rate=1e-30, g_rate=1e-30)
    for step in range(4):
        gan.train_step(make_batch(gan, step))
    alone = [discriminator_after(step, penalty=mean_square)[1] for step in (0, 2)]
    assert float(gan.d_penalty.result()) == pytest.approx(np.mean(alone), rel=1e-5)


def small_discriminator(**options):
    network = build_mlp_discriminator(image_shape=(4, 4, 1), widths=(16,), seed=1, **options)
    for weight in network.trainable_variables:  # biases too, so that all of it counts
        weight.assign(tf.random.stateless_normal(weight.shape, (0, len(weight.shape))))
    return network


def logits_of_two_passes(gan, real, fake, batch):
    return [np.array(gan.discriminate(images, batch)) for images in (real, fake)]


@pytest.mark.parametrize(("momentum", "num_passes"), [(None, 1), (0.8, 2)])
def test_both_go_through_in_one_pass_but_with_batch_norm_in_two(momentum, num_passes):
    discriminator = small_discriminator(batch_norm_momentum=momentum)
    gan = GAN(make_gan().generator, discriminator, value_range=(-1, 1), batch_size=BATCH, seed=0)
    sizes, discriminate = [], gan.discriminate
    gan.discriminate = lambda images, batch: (
        sizes.append(len(images)) or discriminate(images, batch)
    )
    gan.discriminate_both(*tf.zeros((2, BATCH, 4, 4, 1)), {})
    assert sizes == [2 * BATCH // num_passes] * num_passes


@pytest.mark.parametrize("num_classes", [None, 4])
def test_one_pass_over_both_gives_the_logits_of_two(num_classes):
    gan = make_gan()
    gan.discriminator = small_discriminator(num_classes=num_classes)
    gan.is_conditional = num_classes is not None
    real, fake = tf.random.stateless_normal((2, BATCH, 4, 4, 1), (1, 2))
    batch = {"labels": tf.constant([0, 1, 2, 3, 3, 2, 1, 0])}
    expected = logits_of_two_passes(gan, real, fake, batch)
    np.testing.assert_allclose(gan.discriminate_both(real, fake, batch), expected, atol=1e-5)


def test_a_discriminator_with_batch_norm_sees_real_and_generated_images_apart():
    discriminator = small_discriminator(batch_norm_momentum=0.8)
    gan = GAN(make_gan().generator, discriminator, value_range=(-1, 1), batch_size=BATCH, seed=0)
    real, fake = tf.random.stateless_normal((2, BATCH, 4, 4, 1), (1, 2)) * [
        [[[[1.0]]]],
        [[[[3.0]]]],
    ]
    together = tf.split(gan.discriminate(tf.concat([real, fake], 0), {}), 2)
    expected = logits_of_two_passes(gan, real, fake, {})
    np.testing.assert_allclose(gan.discriminate_both(real, fake, {}), expected, atol=1e-5)
    assert np.abs(np.array(together) - expected).max() > 0.1, "statistics must matter to compare"


def test_in_one_pass_dropout_draws_a_mask_for_every_example():
    gan = make_gan()
    gan.discriminator = build_conv_discriminator(
        image_shape=(4, 4, 1), filters=(16,), dropout=0.5, seed=1
    )
    same = tf.ones((BATCH, 4, 4, 1))
    logits = np.array(gan.discriminate_both(same, same, {}))
    assert len(np.unique(logits)) == 2 * BATCH
