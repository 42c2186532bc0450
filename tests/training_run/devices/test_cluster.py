"""TF_CONFIG and batch sizes, checked before TensorFlow is imported."""

import json
import subprocess
import sys

import pytest

from gan_mnist.train import main as train
from training_run.devices.cluster import EXAMPLE, Cluster, parse_tf_config


def tf_config(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_the_example_of_the_message_is_one():
    assert parse_tf_config(EXAMPLE) == Cluster(("host1:12345", "host2:12345"), 0)


def test_a_chief_comes_first_where_there_is_one():
    jobs = {"worker": ["b:1", "c:1"], "chief": ["a:1"]}
    assert parse_tf_config(tf_config(jobs, "chief")) == Cluster(("a:1", "b:1", "c:1"), 0)
    assert parse_tf_config(tf_config(jobs, "worker", 1)).index == 2


WRONG = {
    "": "received none",
    "{": "without its cluster or its task",
    "[]": "without its cluster or its task",
    '{"cluster": {"worker": ["a:1"]}}': "without its cluster or its task",
    tf_config({"worker": 3}): "without its cluster or its task",
    tf_config({"worker": ["a:1"], "ps": ["b:1"]}): "with the job 'ps'",
    tf_config({"worker": ["a"]}): "an address that is not host:port",
    tf_config({"worker": ["a:1", "a:1"]}): "an address given twice",
    tf_config({"worker": ["a:1"]}, index=1): "whose task, worker 1, is not in its cluster",
    tf_config({"worker": ["a:1"]}, index=-1): "whose task, worker -1, is not in its cluster",
    tf_config({"worker": ["a:1"]}, "evaluator"): "whose task, evaluator 0, is not in its cluster",
}


@pytest.mark.parametrize(("text", "told"), WRONG.items())
def test_a_wrong_tf_config_is_one_sentence_and_nothing_is_written(
    text, told, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("TF_CONFIG", text)
    arguments = [f"output_dir={tmp_path / 'new'}", "distribution.strategy=multi_worker"]
    assert train(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "distribution.strategy: expected multi_worker with TF_CONFIG" in line
    assert told in line
    assert not (tmp_path / "new").exists()


def test_a_batch_that_the_workers_cannot_split_is_refused_before_tensorflow(tmp_path):
    workers = tf_config({"worker": ["a:1", "b:1", "c:1"]})
    arguments = [f"output_dir={tmp_path / 'new'}", "distribution.strategy=multi_worker"]
    code = (
        f"import os, sys; os.environ['TF_CONFIG'] = {workers!r}\n"
        f"import gan_mnist.train as command; assert command.main({arguments}) == 2\n"
        "assert 'tensorflow' not in sys.modules, 'too early'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "training.batch_size: expected a multiple of 3" in line
    assert "(for example 30 or 33), received 32" in line
    assert not (tmp_path / "new").exists()
