"""Run folders with small networks."""

import json

import numpy as np
import pytest

from gan_mnist.networks import build_mlp_generator
from training_run.files import sha256_of_file
from training_run.run_folder.networks import weights_sha256
from training_run.run_folder.paths import RunDir
from training_run.step.precision import computing_in
from vae_mnist.networks import build_conv_decoder, build_conv_encoder

SMALL = {"image_shape": (8, 8, 1), "latent_dim": 4, "num_classes": 5, "seed": 3}


def run_folder(path, family, low, networks):
    path.mkdir()
    (path / "config.yaml").write_text(
        f"family: {family}\nname: x\nmodel:\n  value_range: [{low}, 1.0]\n"
    )
    for name, network in networks.items():
        network.save(path / f"{name}.keras")
    return RunDir(path)


@pytest.fixture(scope="session")
def gan_run(tmp_path_factory):
    """A conditional generator of images in [-1, 1], computing in bfloat16."""
    with computing_in("mixed_bfloat16"):
        networks = {"generator": build_mlp_generator(widths=[16], **SMALL)}
    return run_folder(tmp_path_factory.mktemp("runs") / "00001-gan", "gan", -1.0, networks)


@pytest.fixture(scope="session")
def vae_run(tmp_path_factory):
    """A conditional VAE of images in [0, 1] with a prior: a Gaussian far off for each class."""
    networks = {
        "encoder": build_conv_encoder(filters=[4, 8], **SMALL),
        "decoder": build_conv_decoder(filters=[8, 4], **SMALL),
    }
    run = run_folder(tmp_path_factory.mktemp("runs") / "00002-vae", "vae", 0.0, networks)
    classes = np.arange(5, dtype=np.int32)
    np.savez(
        run.path / "prior.npz",
        weights=np.ones(5, np.float32),
        means=np.repeat(10.0 * classes[:, None], 4, axis=1).astype(np.float32),
        cholesky=np.repeat(0.1 * np.eye(4, dtype=np.float32)[None], 5, axis=0),
        classes=classes,
    )
    record = {f"{name}_sha256": weights_sha256(network) for name, network in networks.items()}
    record |= {"temperature": 0.5, "prior_sha256": sha256_of_file(run.path / "prior.npz")}
    (run.path / "prior.json").write_text(json.dumps(record))
    return run
