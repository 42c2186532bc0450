"""Runs train to the numbers that were recorded before the code was last rearranged.

The first steps of a run do not depend on the processor but for rounding. A change of a seed, of the
order of the data, of a draw, of an initialiser or of an update changes them far beyond that.
"""

import csv

import pytest

from gan_mnist.train import main as train_gan
from vae_mnist.train import main as train_vae

RECORDED = {
    "gan_mlp_smoke": (
        train_gan,
        (),
        {
            "d_loss": (0.940043568611145, 0.5986263751983643, 0.5153906941413879),
            "g_loss": (0.8635883331298828, 0.9206802845001221, 1.004439353942871),
        },
    ),
    "gan_fast": (
        train_gan,
        (
            "training.precision=float32",
            "quality.every=null",
            "gif.every=12",
            # As the preset was when this was recorded.
            "model.latent_modes=null",
            "ema.rampup=null",
            "optimizer.learning_rate=1e-3",
            "optimizer.beta_1=0.5",
            "optimizer.beta_2=0.999",
            "optimizer.schedule=constant",
        ),
        {
            "d_loss": (1.0754151344299316, 0.5768251419067383, 0.4674830436706543),
            "g_loss": (0.8218638896942139, 1.4800760746002197, 1.7779390811920166),
            "d_penalty": (0.07472042739391327, 0.1722818911075592, 0.26937124133110046),
        },
    ),
    "vae_mlp_smoke": (
        train_vae,
        ("validation.every=null",),
        {
            "reconstruction_loss": (177.8912811279297, 160.88790893554688, 132.61929321289062),
            "kl_loss": (0.8652151226997375, 3.1534957885742188, 13.877409934997559),
        },
    ),
}
"""Preset to (command, overrides, metric to its means over steps 1-4, 5-8 and 9-12)."""


@pytest.mark.network
@pytest.mark.parametrize("preset", RECORDED)
def test_the_first_steps_are_those_on_record(tmp_path, preset):
    train, overrides, recorded = RECORDED[preset]
    short = ("training.steps=12", "log.every=4", "samples.every=12", "checkpoints.every=12")
    assert train(["--config", preset, f"output_dir={tmp_path}", *short, *overrides]) == 0
    (log,) = tmp_path.glob("*/log.csv")
    with open(log, newline="") as file:
        rows = list(csv.DictReader(file))
    for name, values in recorded.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values, rel=2e-3), name
