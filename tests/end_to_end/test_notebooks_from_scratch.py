"""The notebooks that build a GAN and a VAE from scratch. They assert that all weights are equal."""

import pytest

from tests.notebooks.execution import execute, printed, shown

pytestmark = pytest.mark.network


@pytest.mark.parametrize(
    "name, networks",
    [
        ("1_gan_from_scratch", ("generator: 1,493,520", "discriminator: 533,505")),
        ("2_vae_from_scratch", ("encoder: 217,408", "decoder: 209,936")),
    ],
)
def test_all_weights_are_equal_after_100_steps(name, networks, tmp_path):
    notebook = execute(name, tmp_path)
    assert printed(notebook, "equal").splitlines() == [
        f"{network} numbers are equal" for network in networks
    ]
    # The bar of the training is one line that moves, and one before and one after it stay.
    assert printed(notebook, "package").count("\n") <= 4
    assert "image/png" in shown(notebook, "curves")
