"""Small runs of both families, really trained, and the report that compares them."""

import pytest

from gan_mnist.train import main as train_gan
from gan_vs_vae.command import main
from vae_mnist.train import main as train_vae


def arguments(preset, data, output_dir, *overrides):
    return [
        "--config", preset, f"data.path={data}", f"output_dir={output_dir}",
        "training.jit_compile=false", "training.batch_size=10", "training.steps=40",
        "samples.every=10", "samples.num_rows=2", "samples.num_columns=3", "log.every=10",
        "checkpoints.every=20", *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="session")
def outputs(tiny_data, tmp_path_factory):
    """Folder of 00001-gan_mlp_smoke (seed 0), 00002-vae_mlp_smoke and a GAN of seed 1."""
    folder = tmp_path_factory.mktemp("outputs")
    gan = ("model.generator_widths=[16]", "model.discriminator_widths=[16]", "model.latent_dim=4")
    vae = ("model.encoder_widths=[16]", "model.decoder_widths=[16]", "validation.every=20")
    assert train_gan(arguments("gan_mlp_smoke", tiny_data, folder, *gan)) == 0
    assert train_vae(arguments("vae_mlp_smoke", tiny_data, folder, *vae)) == 0
    assert train_gan(arguments("gan_mlp_smoke", tiny_data, folder, *gan, "seed=1")) == 0
    return folder


@pytest.fixture(scope="session")
def report(outputs, tiny_cache, tmp_path_factory):
    """Path of a report on the three runs."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
        arguments = ["1", "2", "3", "--outputs", str(outputs), "--out", str(folder)]
        assert main([*arguments, "--num", "100"]) == 0
    return folder / "report.html"
