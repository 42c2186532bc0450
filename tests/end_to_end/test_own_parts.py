"""Networks, losses and images that a user gives in Python, or by a file of their own."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import gan_mnist
import vae_mnist
from gan_mnist.train import main as train_gan
from tests.soak import tiny
from training_run import UserError

SETTINGS = {
    "training": {"batch_size": 10, "steps": 20, "jit_compile": False},
    "log.every": 10,
    "samples": {"every": 10, "num_rows": 2, "num_columns": 2},
    "checkpoints.every": 10,
}
LONGER = {"training.steps": 40}

BUILDER = """
import keras
from keras import layers

def build(image_shape, latent_dim, num_classes, seed):
    initializer = keras.initializers.GlorotUniform(seed)
    generator = keras.Sequential([
        keras.Input((latent_dim,)), layers.Dense(64, kernel_initializer=initializer),
        layers.Reshape(image_shape), layers.Activation("tanh"),
    ])
    discriminator = keras.Sequential([
        keras.Input(image_shape), layers.Flatten(), layers.Dense(1, kernel_initializer=initializer),
    ])
    return generator, discriminator

def build_one(image_shape, latent_dim, num_classes, seed):
    return build(image_shape, latent_dim, num_classes, seed)[0]
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    images = tiny.write_images(folder / "tiny.npz")
    return SETTINGS | {"data.path": images, "output_dir": folder / "outputs"}


def dense(inputs, outputs, last, seed=0):
    """A network of two dense layers."""
    random = [keras.initializers.GlorotUniform(seed + number) for number in range(2)]
    return keras.Sequential(
        [
            keras.Input(inputs),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "relu", kernel_initializer=random[0]),
            keras.layers.Dense(int(np.prod(outputs)), kernel_initializer=random[1]),
            keras.layers.Reshape(outputs),
            *last,
        ]
    )


def generator(latent_dim=6):
    return dense((latent_dim,), (8, 8, 1), [keras.layers.Activation("sigmoid")])


def discriminator(shape=(8, 8, 1), last=()):
    return dense(shape, (1,), last, seed=7)


def train_own(settings, **more):
    networks = {"generator": generator(), "discriminator": discriminator()} | more
    return gan_mnist.train("gan_mlp_smoke", settings, **networks)


def assert_same(one, other):
    assert [*one.log] == [*other.log]
    for name, values in one.log.items():
        if name != "seconds":
            np.testing.assert_array_equal(values, other.log[name], name)
    assert np.array_equal(one.sample(9), other.sample(9))


def test_own_networks_train_and_resume_like_any(settings):
    own = generator()
    run = train_own(settings, generator=own)
    assert run.config.model.latent_dim == 6
    assert run.config.model.value_range == (0, 1)  # the sigmoid's
    assert not np.array_equal(run.networks["generator"].get_weights()[0], own.get_weights()[0])
    assert np.array_equal(own.get_weights()[0], generator().get_weights()[0])  # left as it was
    whole = train_own(settings | LONGER)
    resumed = gan_mnist.resume(run, LONGER)
    assert_same(resumed, whole)
    again = gan_mnist.load(train_own(settings).path)
    arguments = ["training.steps=40", "samples.every=10", "log.every=10", "checkpoints.every=10"]
    assert train_gan(["--resume", str(again.path), *arguments]) == 0
    assert_same(again, whole)


def test_own_networks_that_do_not_fit_are_refused_before_a_run_is_made(settings):
    before = sorted(Path(settings["output_dir"]).glob("0*"))
    conditional = keras.Model(
        [latents := keras.Input((6,)), keras.Input((), dtype="int32")], generator()(latents)
    )
    wrong = {
        "expected both generator and discriminator, received only generator": {
            "discriminator": None
        },
        r"a discriminator from \(N, 9, 9, 1\) to \(N, 1\)$": {
            "discriminator": discriminator((9, 9, 1))
        },
        r"expected a generator from \(N, 6\) and \(N\) to": {"generator": conditional},
        "that gives logits, received one that ends in a sigmoid": {
            "discriminator": discriminator(last=[keras.layers.Activation("sigmoid")])
        },
        "generator: expected a keras.Sequential or keras.Model that begins": {
            "generator": keras.Sequential([keras.layers.Dense(64)])
        },
        "Keras's own layers, which load without the code that made them, received Lambda": {
            "discriminator": discriminator(last=[keras.layers.Lambda(lambda x: 2 * x)])
        },
    }
    for message, networks in wrong.items():
        with pytest.raises(UserError, match=message):
            train_own(settings, **networks)
    with pytest.raises(UserError, match=r"regularization\.spectral_norm: expected false"):
        train_own(settings | {"regularization.spectral_norm": True})
    assert sorted(Path(settings["output_dir"]).glob("0*")) == before


def test_own_vae(settings):
    images = keras.Input((8, 8, 1))
    hidden = keras.layers.Dense(8, "relu")(keras.layers.Flatten()(images))
    encoder = keras.Model(images, [keras.layers.Dense(3)(hidden), keras.layers.Dense(3)(hidden)])
    run = vae_mnist.train("vae_mlp_smoke", settings, encoder=encoder, decoder=generator(3))
    assert run.encode(run.sample(4)).shape == (4, 3)
    linear = dense((3,), (8, 8, 1), [])
    with pytest.raises(UserError, match=r'last layer is keras\.layers\.Activation\("sigmoid"\)'):
        vae_mnist.train("vae_mlp_smoke", settings, encoder=encoder, decoder=linear)


def hinge_discriminator(real_logits, fake_logits):
    return tf.reduce_mean(tf.nn.relu(1 - real_logits) + tf.nn.relu(1 + fake_logits))


def hinge_generator(fake_logits):
    return -tf.reduce_mean(fake_logits)


def other_generator(fake_logits):
    return -2 * tf.reduce_mean(fake_logits)


def test_an_own_loss_is_the_built_in_one_where_they_are_equal(settings):
    settings = settings | {"model.latent_dim": 4}
    loss = (hinge_discriminator, hinge_generator)
    own = gan_mnist.train("gan_mlp_smoke", settings, loss=loss)
    hinge = gan_mnist.train("gan_mlp_smoke", settings | {"loss.name": "hinge"})
    np.testing.assert_allclose(own.log["g_loss"], hinge.log["g_loss"], rtol=1e-5)
    np.testing.assert_allclose(own.log["d_loss"], hinge.log["d_loss"], rtol=1e-5)
    with pytest.raises(UserError, match="expected the two functions of an own loss, received none"):
        gan_mnist.resume(own, LONGER)
    with pytest.raises(UserError, match="loss functions: expected what the run was started with"):
        gan_mnist.resume(own, LONGER, loss=(hinge_discriminator, other_generator))
    assert gan_mnist.resume(own, LONGER, loss=loss).log["step"].tolist() == [10, 20, 30, 40]


def test_own_images_and_labels(settings):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    names = ["cat", "dog", "cow"]
    given = {"images": images, "labels": np.arange(60) % 3, "class_names": names}
    wanted = settings | {"model.conditional": True, "model.latent_dim": 4}
    del wanted["data.path"]
    run = gan_mnist.train("gan_mlp_smoke", wanted, **given)
    assert run.class_names == names
    assert run.sample(2, label="dog").shape == (2, 8, 8, 1)
    again = gan_mnist.train("gan_mlp_smoke", wanted, **given)
    assert again.config.data.path == run.config.data.path  # kept once
    assert_same(run, again)
    for message, wrong in {
        "images: expected uint8, received float64": given | {"images": images / 255},
        "labels: expected one for each of the 60 images, received 59": given
        | {"labels": np.arange(59)},
        "expected together with images": given | {"images": None},
    }.items():
        with pytest.raises(UserError, match=message):
            gan_mnist.train("gan_mlp_smoke", wanted, **wrong)


def test_a_builder_is_named_in_the_configuration(settings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    module = tmp_path / "my_models.py"
    module.write_text(BUILDER)
    builder = {"model.kind": "my_models:build", "model.latent_dim": 5}
    run = gan_mnist.train("gan_mlp_smoke", settings | builder)
    assert run.networks["generator"].input_shape == (None, 5)
    environment = json.loads((run.path / "environment.json").read_text())
    assert list(environment["sources"]) == ["my_models.py"]
    assert_same(
        gan_mnist.resume(run, LONGER), gan_mnist.train("gan_mlp_smoke", settings | builder | LONGER)
    )

    module.write_text(BUILDER + "# another\n")
    longest = ["--resume", str(run.path), "training.steps=60"]
    assert train_gan(longest) == 2
    assert "my_models.py: expected what the run was started with" in capsys.readouterr().err
    assert train_gan([*longest, "--allow-change", "model"]) == 0
    noted = json.loads((run.path / "environment.json").read_text())["changed_on_resume"]
    assert "my_models.py" in noted[-1]["keys"]

    for kind, message in {
        "my_modells:build": "model.kind: expected a file my_modells.py, received a path where",
        "my_models:bild": "my_models.py: expected a function bild, received none",
        "my_models:build_one": "expected build_one to return 2 networks, received Sequential",
    }.items():
        with pytest.raises(UserError, match=message):
            gan_mnist.train("gan_mlp_smoke", settings | {"model.kind": kind})
