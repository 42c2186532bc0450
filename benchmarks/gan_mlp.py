"""Milliseconds a step of the default GAN: ours as users run it, and the usual public loop.

    python benchmarks/gan_mlp.py [--rounds 3] [--steps 2000] [--out gan_mlp.json]

Ours is `python -m gan_mnist.train` itself, with its grids, log and checkpoints on; its rate is
read from log.csv. The other is a loop of `predict` and `train_on_batch`, as in the scripts that
source 001 cites, written here for the purpose: same networks, batch and data. The two take turns,
since a machine's speed drifts: look at the ratio.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH, LATENT_DIM = 32, 100
WARM_UP = 500
"""Steps left out of our rate: tracing and XLA compilation happen in the first block."""


def ours(steps):
    """Milliseconds a step between step WARM_UP and the end of a run with all callbacks."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "gan_mnist.train", f"training.steps={steps + WARM_UP}",
            f"output_dir={folder}", "checkpoints.every=1000",
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (log,) = Path(folder).glob("*/log.csv")
        with open(log, newline="") as file:
            seconds = {int(row["step"]): float(row["seconds"]) for row in csv.DictReader(file)}
    return 1000 * (seconds[steps + WARM_UP] - seconds[WARM_UP]) / steps


def build_public_loop():
    """The public loop's three compiled models, on our networks with a sigmoid on top."""
    import keras

    from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator

    generator = build_mlp_generator(seed=0)
    discriminator = keras.Sequential(
        [*build_mlp_discriminator(seed=0).layers, keras.layers.Activation("sigmoid")]
    )
    discriminator.compile(
        keras.optimizers.Adam(2e-4, beta_1=0.5), "binary_crossentropy", metrics=["accuracy"]
    )
    return generator, discriminator, keras.Sequential([generator, discriminator])


def public_loop(images, steps):
    """Milliseconds a step of `predict` + three `train_on_batch` calls."""
    import keras
    import numpy as np

    generator, discriminator, combined = build_public_loop()
    random = np.random.default_rng(0)
    real, fake = np.ones((BATCH, 1)), np.zeros((BATCH, 1))

    def step():
        x = images[random.integers(0, len(images), BATCH)] / 127.5 - 1.0
        z = random.normal(size=(BATCH, LATENT_DIM))
        discriminator.train_on_batch(x, real)
        discriminator.train_on_batch(generator.predict(z, verbose=0), fake)
        if combined.compiled:
            combined.train_on_batch(random.normal(size=(BATCH, LATENT_DIM)), real)

    step()  # traces the discriminator's update while its weights are still trainable
    discriminator.trainable = False
    combined.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), "binary_crossentropy")
    before = discriminator.get_weights()[0].copy()
    for _ in range(5):
        step()
    assert not np.array_equal(before, discriminator.get_weights()[0]), "it must learn to compare"
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return 1000 * (time.perf_counter() - started) / steps


def main():
    """Run the rounds, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from training_run.config import DataConfig
    from training_run.data import load_dataset

    images = load_dataset(DataConfig()).x_train
    rows = []
    for number in range(arguments.rounds):
        mine, theirs = ours(arguments.steps), public_loop(images, max(arguments.steps // 10, 100))
        rows.append((mine, theirs))
        print(f"round {number + 1}: ours {mine:.2f} ms, public loop {theirs:.2f} ms a step")
    result = {
        "cpu_count": os.cpu_count(),
        "ours_ms": statistics.median(row[0] for row in rows),
        "public_loop_ms": statistics.median(row[1] for row in rows),
        "ratio": statistics.median(row[1] / row[0] for row in rows),
    }
    print(json.dumps(result, indent=2))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
