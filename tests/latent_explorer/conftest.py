"""Small runs, really trained, and the page in which they live."""

import pytest

from gan_mnist.train import main as train_gan
from latent_explorer.command import main
from tests.soak import tiny
from vae_mnist.train import main as train_vae

NAME = "a <b>run</b> & more"
"""The name of the GAN, which a browser must show as it is."""


@pytest.fixture(scope="session")
def runs(tiny_data, tmp_path_factory):
    """Folder of a GAN with a discriminator and networks of steps 0, 10 and 20, and of a VAE, both
    of 8x8 images."""
    folder = tmp_path_factory.mktemp("runs")
    without_scores = "quality.every=null"
    assert (
        train_gan([*tiny.gan_arguments(tiny_data, folder), without_scores, "explorer.keep=4"]) == 0
    )
    assert train_vae([*tiny.vae_arguments(tiny_data, folder), without_scores]) == 0
    config = folder / "00001-gan_mlp_smoke" / "config.yaml"
    text = config.read_text()
    assert "name: gan_mlp_smoke" in text
    config.write_text(text.replace("name: gan_mlp_smoke", f"name: '{NAME}'"))
    return folder


@pytest.fixture(scope="session")
def page(runs, tmp_path_factory):
    """Path of the page of both runs."""
    out = tmp_path_factory.mktemp("page") / "explore.html"
    assert main(["1", "2", "--outputs", str(runs), "--out", str(out)]) == 0
    return out
