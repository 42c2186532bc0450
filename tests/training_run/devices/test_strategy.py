"""`devices.strategy` and `step.replicas`, as far as one process can test them."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from training_run.config.sections import DistributionConfig
from training_run.devices.cluster import Cluster
from training_run.devices.strategy import (
    ONE_DEVICE,
    WorkerLost,
    check_same_on_all,
    distribute_batches,
    open_devices,
    shares,
    sum_over_workers,
    watched_workers,
)
from training_run.step.replicas import mean_over_replicas, run_if, share_of_loss
from training_run.tensorflow_import import let_gpu_memory_grow


def test_the_shares_one_after_another_are_the_batch():
    z = tf.reshape(tf.range(12), (6, 2))
    parts = shares(z, 3)
    assert parts.shape == (3, 2, 2)
    np.testing.assert_array_equal(tf.concat(tf.unstack(parts), axis=0), z)


def test_every_replica_gets_a_scalar_whole():
    assert shares(tf.constant(7, tf.int64), 3).numpy().tolist() == [7, 7, 7]


def test_without_a_strategy_nothing_changes():
    batches = tf.data.Dataset.range(3)
    assert open_devices("none") is ONE_DEVICE
    assert distribute_batches(batches, ONE_DEVICE) is batches
    assert sum_over_workers(ONE_DEVICE, 5) == 5
    check_same_on_all(ONE_DEVICE, configuration="x")
    loss = tf.constant(2.0)
    assert share_of_loss(loss) is loss
    assert mean_over_replicas(loss) is loss


@pytest.mark.parametrize("condition", [True, False])
def test_a_phase_runs_where_its_condition_holds(condition):
    count = tf.Variable(0)

    def phase(batch):
        count.assign_add(batch["by"])

    @tf.function
    def step(condition):
        run_if(condition, phase, {"by": 3})

    step(tf.constant(condition))
    assert count.numpy() == 3 * condition


def test_a_lost_worker_is_a_sentence_with_tensorflows_reason():
    message = "Graph execution error:\n\nCollective ops is aborted by: Connection reset by peer\nx"
    with (
        pytest.raises(WorkerLost, match=r"--resume RUN .*\(Connection reset by peer\)") as lost,
        watched_workers(Cluster(("a:1", "b:1"), 0)),
    ):
        raise tf.errors.UnavailableError(None, None, message)
    assert lost.value.exit_code == 1
    with pytest.raises(tf.errors.UnavailableError), watched_workers(None):
        raise tf.errors.UnavailableError(None, None, message)


def test_the_default_is_one_device():
    assert DistributionConfig().strategy == "none"


PRIVATE = ("tensorflow.python", "tensorflow.core", "keras.src")


def private_imports(tree):
    """The private modules of TensorFlow and Keras that are imported anywhere in `tree`."""
    nodes = list(ast.walk(tree))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    return [name for name in names if name.startswith(PRIVATE)]


def test_private_tensorflow_is_imported_for_several_workers_alone():
    found = {}
    for package in ("training_run", "sample_quality", "gan_mnist", "vae_mnist", "gan_vs_vae"):
        for path in Path(package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            found |= {node.name: names for node in functions if (names := private_imports(node))}
            rest = [node for node in tree.body if node not in functions]
            assert not private_imports(ast.Module(rest, [])), path
    assert found == {"allow_slow_heartbeats": ["tensorflow.python.eager"]}


def test_gpu_memory_grows_on_all_gpus_that_are_still_unused():
    grown = []

    def set_memory_growth(gpu, enable):
        if gpu == "in use":
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        grown.append((gpu, enable))

    config = SimpleNamespace(
        list_physical_devices=lambda kind: {"GPU": ["GPU:0", "in use", "GPU:1"]}[kind],
        experimental=SimpleNamespace(set_memory_growth=set_memory_growth),
    )
    let_gpu_memory_grow(SimpleNamespace(config=config))
    assert grown == [("GPU:0", True), ("GPU:1", True)]
