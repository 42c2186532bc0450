"""Training on two devices and in two processes, each beside one device with the same batches."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

SMALL = [
    "training.batch_size=10", "training.steps=20", "samples.every=20", "log.every=5",
    "checkpoints.every=10", "checkpoints.keep=9", "samples.num_rows=2", "samples.num_columns=2",
]  # fmt: skip
GAN = [
    "--config", "gan_mlp_smoke", "model.generator_widths=[16]", "model.discriminator_widths=[16]",
    "model.latent_dim=4", *SMALL,
]  # fmt: skip
VAE = [
    "--config", "vae_mlp_smoke", "model.encoder_widths=[16]", "model.decoder_widths=[16]",
    "model.latent_dim=3", "validation.every=5", "validation.num_images=10", *SMALL,
]  # fmt: skip
RUNS = {
    "gan": ("gan_mnist.train", [
        *GAN, "model.batch_norm_momentum=null", "regularization.gradient_penalty=10",
        "regularization.penalty_every=4", "ema.decay=0.9", "training.discriminator_steps=2",
        "regularization.instance_noise=0.1", "model.conditional=true",
    ]),
    "batch_norm": ("gan_mnist.train", [
        *GAN, "ema.decay=0.9", "model.discriminator_batch_norm_momentum=0.8",
        "training.discriminator_steps=2", "regularization.instance_noise=0.1",
        "model.conditional=true",
    ]),
    "pairs": ("gan_mnist.train", [
        *GAN, "model.batch_norm_momentum=null", "loss.name=relativistic", "regularization.r1=2",
        "regularization.r2=2", "regularization.augment=[translation, cutout]",
        "optimizer.schedule=cosine", "optimizer.warmup=4", "regularization.final_factor=0.1",
        "ema.decay=0", "ema.final_decay=0.9", "optimizer.final_beta_2=0.9999",
    ]),
    "vae": ("vae_mnist.train", [*VAE, "loss.free_bits=0.05", "loss.warmup=10"]),
    "denoiser": ("gan_mnist.train_denoiser", [
        "--config", "denoiser_smoke", "model.num_hidden=8", *SMALL,
    ]),
}  # fmt: skip
"""What is trained with each strategy; `jit_compile` is on in every one of these presets."""

TWO_DEVICES = """
import importlib, json, sys
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import training_run.loop.callbacks

class Comparing(training_run.loop.callbacks.Checkpoints):
    def at_step(self, step, logs):
        super().at_step(step, logs)
        for variable in self.model.variables:
            copies = [np.array(v) for v in tf.distribute.MirroredStrategy.
                      experimental_local_results(self.model.distribute_strategy, variable.value)]
            counts.add(len(copies))
            assert all(np.array_equal(copies[0], copy) for copy in copies), variable.path

training_run.loop.callbacks.Checkpoints = Comparing
for module, arguments in json.loads(sys.argv[1]):
    # Two strategies in one process would number their exchanges alike.
    tf.distribute.MirroredStrategy._collective_key_base += 10_000
    counts = set()
    print("exit code", importlib.import_module(module).main(arguments), counts, flush=True)
"""
"""Runs commands one after another on two devices, and compares the copies of all variables."""


def run_on_two_devices(commands):
    command = [sys.executable, "-c", TWO_DEVICES, json.dumps(commands)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    codes = [line for line in done.stdout.splitlines() if line.startswith("exit code")]
    return codes, done.stdout, done.stderr


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def commands(tiny_data, outputs):
    """(module, arguments) by name of the run and strategy."""
    return {
        (name, strategy): (
            module,
            [
                *arguments,
                f"data.path={tiny_data}",
                f"output_dir={outputs / name / strategy}",
                f"distribution.strategy={strategy}",
            ],
        )
        for name, (module, arguments) in RUNS.items()
        for strategy in ("none", "mirrored", "multi_worker")
    }


@pytest.fixture(scope="module")
def mirrored(commands, outputs):
    """All runs, on one device and on two: the last exit code, and what they printed."""
    chosen = [run for (_, strategy), run in commands.items() if strategy != "multi_worker"]
    uneven = list(commands["vae", "mirrored"][1])
    uneven += ["training.batch_size=9", f"output_dir={outputs / 'uneven'}"]
    codes, output, errors = run_on_two_devices([*chosen, ("vae_mnist.train", uneven)])
    assert codes[:-1] == ["exit code 0 {1}", "exit code 0 {2}"] * len(RUNS), errors
    return codes[-1], output, errors


def folder(outputs, name, strategy):
    (run,) = (outputs / name / strategy).glob("0*")
    return run


def rows_of(run):
    with open(run / "log.csv", newline="") as file:
        return [{**row, "seconds": 0} for row in csv.DictReader(file)]


def log_of(run):
    return np.array([[float(cell or 0) for cell in row.values()] for row in rows_of(run)])


def state_of(run, step=20):
    with np.load(run / f"checkpoints/step_{step:06d}/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def assert_close(one, other, atol=1e-6):
    np.testing.assert_allclose(log_of(one), log_of(other), rtol=1e-4)
    ours, theirs = state_of(one), state_of(other)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-4, atol=atol, err_msg=name)


def assert_same(one, other):
    assert rows_of(one) == rows_of(other)
    ours, theirs = state_of(one), state_of(other)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert (one / "progress.gif").read_bytes() == (other / "progress.gif").read_bytes()


# Two devices


@pytest.mark.parametrize("name", ["gan", "pairs", "vae", "denoiser"])
def test_two_devices_train_as_one_does(mirrored, outputs, name):
    # The discriminator's last bias cancels in pairs: only rounding moves it, by about 1e-5.
    atol = 3e-5 if name == "pairs" else 1e-6
    assert_close(folder(outputs, name, "none"), folder(outputs, name, "mirrored"), atol)


def test_batch_norm_sees_each_replicas_share(mirrored, outputs):
    """So the numbers differ, but all copies stay the same (see `TWO_DEVICES`)."""
    one, two = (folder(outputs, "batch_norm", strategy) for strategy in ("none", "mirrored"))
    assert not np.allclose(log_of(one), log_of(two), rtol=1e-4)
    assert np.isfinite(log_of(two)).all()


def test_the_run_says_what_is_different(mirrored):
    _, output, _ = mirrored
    assert output.count("2 replicas, 5 images of each batch on each") == len(RUNS)
    assert "one step in an execution and no jit_compile" in output


def test_a_batch_that_cannot_be_split_is_refused(mirrored, outputs):
    code, _, errors = mirrored
    assert code.startswith("exit code 2")
    assert "training.batch_size: expected a multiple of 2" in errors
    assert "received 9" in errors
    assert "Traceback" not in errors
    assert not (outputs / "uneven").exists()


def test_a_run_on_two_devices_resumes_to_the_same_bytes(mirrored, outputs, tmp_path):
    whole = folder(outputs, "batch_norm", "mirrored")
    again = shutil.copytree(whole, tmp_path / whole.name)
    shutil.rmtree(again / "checkpoints/step_000020")
    codes, _, errors = run_on_two_devices([("gan_mnist.train", ["--resume", str(again)])])
    assert codes == ["exit code 0 {2}"], errors
    assert_same(whole, again)


# Two processes


def free_ports(num):
    sockets = [socket.socket() for _ in range(num)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def start_workers():
    """Starts a command as two workers, the second perhaps with other arguments."""
    started = []

    def start(module, arguments, more_for_follower=()):
        addresses = [f"localhost:{port}" for port in free_ports(2)]
        for index in range(2):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            more = more_for_follower if index else ()
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", module, *arguments, *more],
                    env={**os.environ, "TF_CONFIG": json.dumps(task)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        return started[-2:]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(path, process, seconds=240):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def outcomes(processes):
    """(exit code, output) of each."""
    texts = [process.communicate(timeout=240)[0] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, texts, strict=True)]


@pytest.fixture(scope="module")
def two_workers(commands, outputs, start_workers):
    """The run folder of a GAN of two processes, and what the chief and the follower printed."""
    chief, follower = outcomes(start_workers(*commands["batch_norm", "multi_worker"]))
    assert (chief[0], follower[0]) == (0, 0), chief[1] + follower[1]
    return folder(outputs, "batch_norm", "multi_worker"), chief[1], follower[1]


def test_two_processes_train_as_two_devices_do(mirrored, two_workers, outputs):
    """BatchNorm's statistics included, which all replicas share."""
    run, output, _ = two_workers
    assert_close(folder(outputs, "batch_norm", "mirrored"), run)
    assert "2 replicas of 2 workers" in output


def test_only_the_chief_writes(two_workers):
    run, _, output = two_workers
    assert [path.name for path in run.parent.iterdir() if path.is_dir()] == [run.name]
    assert "run folder: the chief's" in output


def start_endless(command, start_workers, run):
    """Two workers on a run without an end, in the folder `run`, past their first checkpoint."""
    module, arguments = command
    options = ["training.steps=10000000", f"output_dir={run.parent}"]
    workers = start_workers(module, [*arguments, *options])
    wait_for(run / "checkpoints/step_000010", workers[0])
    return workers


def test_a_killed_worker_ends_the_other_and_a_restart_of_both_resumes(
    two_workers, commands, start_workers, tmp_path
):
    run, command = tmp_path / "00001-gan_mlp_smoke", commands["batch_norm", "multi_worker"]
    chief, follower = start_endless(command, start_workers, run)
    follower.kill()
    (code, output), _ = outcomes([chief, follower])
    assert code == 1
    assert "another worker has ended or cannot be reached" in output
    assert "Traceback" not in output

    for path in (run / "checkpoints").glob("step_*"):
        if int(path.name[5:]) > 10:
            shutil.rmtree(path)
    options = ["training.steps=20", "--allow-change", "training.steps"]
    chief, follower = outcomes(start_workers(command[0], ["--resume", str(run), *options]))
    assert (chief[0], follower[0]) == (0, 0), chief[1] + follower[1]
    assert "resuming after step 10 of 20" in chief[1]
    assert_same(two_workers[0], run)


def test_a_signal_to_one_worker_ends_both_after_the_same_step(commands, start_workers, tmp_path):
    run = tmp_path / "00001-denoiser_smoke"
    chief, follower = start_endless(commands["denoiser", "multi_worker"], start_workers, run)
    follower.terminate()
    chief, follower = outcomes([chief, follower])
    assert (chief[0], follower[0]) == (130, 130), chief[1] + follower[1]
    assert (run / "progress.gif").exists()
    last = max(int(path.name[5:]) for path in (run / "checkpoints").glob("step_*"))
    assert int(rows_of(run)[-1]["step"]) == last


def test_workers_with_different_configurations_are_refused(commands, start_workers, tmp_path):
    module, arguments = commands["denoiser", "multi_worker"]
    arguments = [*arguments, f"output_dir={tmp_path / 'new'}"]
    for code, output in outcomes(start_workers(module, arguments, ["seed=1"])):
        assert code == 2
        assert "expected the same configuration on all 2 workers" in output
        assert "Traceback" not in output
    assert not (tmp_path / "new").exists()
