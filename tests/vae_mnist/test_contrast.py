import numpy as np
import pytest
import tensorflow as tf

from vae_mnist.contrast import contrast, copy_with_gain, find_gain
from vae_mnist.networks import build_conv_decoder, build_mlp_decoder


def test_contrast_is_zero_for_black_and_white_and_a_quarter_for_grey():
    assert contrast(np.array([0.0, 1.0], np.float32)) == 0.0
    assert contrast(np.full(3, 0.5, np.float32)) == pytest.approx(0.25, abs=1e-7)
    assert contrast(np.array([0.2, 0.5], np.float32)) == pytest.approx(0.205, abs=1e-7)


def test_the_gain_gives_images_the_contrast_that_was_asked_for():
    logits = np.random.default_rng(0).normal(0, 1.5, (50, 64)).astype(np.float32)
    sharp = contrast(1 / (1 + np.exp(-1.7 * logits)))
    assert find_gain(logits, sharp) == pytest.approx(1.7, abs=1e-4)
    assert find_gain(logits, 0.0) == pytest.approx(4.0, abs=1e-4)
    assert find_gain(logits, 0.25) == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize("build", [build_mlp_decoder, build_conv_decoder])
def test_a_copy_has_the_logits_times_the_gain_and_the_decoder_stays(build):
    options = {"latent_dim": 3, "image_shape": (8, 8, 1)}
    decoder, copy = build(**options, seed=0), build(**options, seed=1)
    before = decoder.get_weights()
    copy_with_gain(decoder, copy, 1.5)
    z = tf.random.stateless_normal((4, 3), seed=(0, 0))
    images, sharp = decoder(z).numpy(), copy(z).numpy()
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    np.testing.assert_allclose(logit(sharp), 1.5 * logit(images), atol=1e-5)
    for one, other in zip(decoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
