"""The machines of a run: TF_CONFIG, read and checked without TensorFlow."""

import json
import os
import re
from dataclasses import dataclass

from training_run.config.yaml_source import ConfigError, Problem

EXAMPLE = (
    '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
"""TF_CONFIG of the first of two machines; on the second the index is 1."""

JOBS = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """The workers of a run.

    Attributes:
        addresses: "host:port" of every worker, the chief's first.
        index: of this process among them.
    """

    addresses: tuple[str, ...]
    index: int


def check_distribution(config, path):
    """Refuse a strategy that does not suit the environment or the batch size.

    Args:
        config: a `RunConfig`.
        path: its file, for the message.

    Returns:
        A `Cluster` for the strategy multi_worker, else None.

    Raises:
        ConfigError: naming the key.
    """
    if config.distribution.strategy != "multi_worker":
        return None
    try:
        cluster = parse_tf_config(os.environ.get("TF_CONFIG", ""))
    except ValueError as error:
        message = f"expected multi_worker with TF_CONFIG like {EXAMPLE}, received {error}"
        raise ConfigError([Problem(str(path), "distribution.strategy", message)]) from None
    check_batch_size(config, len(cluster.addresses), path)
    return cluster


def check_batch_size(config, num_replicas, path):
    """Refuse a batch that cannot be split evenly between the replicas.

    Raises:
        ConfigError: naming the nearest sizes.
    """
    size = config.training.batch_size
    if size % num_replicas == 0:
        return
    below = size - size % num_replicas
    nearest = " or ".join(str(near) for near in (below, below + num_replicas) if near)
    message = (
        f"expected a multiple of {num_replicas}, the number of devices that share the batch "
        f"(for example {nearest}), received {size}"
    )
    raise ConfigError([Problem(str(path), "training.batch_size", message)])


def parse_tf_config(text):
    """Read TF_CONFIG.

    Args:
        text: JSON like `EXAMPLE`. There may be one chief beside the workers.

    Returns:
        A `Cluster`.

    Raises:
        ValueError: whose text says what was received instead.
    """
    if not text.strip():
        raise ValueError("none")
    try:
        values = json.loads(text)
        jobs, task = values["cluster"], values["task"]
        kind, index = task["type"], int(task["index"])
        addresses = {job: list(jobs[job]) for job in JOBS if job in jobs}
        unknown = sorted(jobs.keys() - set(JOBS))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError("one without its cluster or its task") from None
    if unknown:
        raise ValueError(f"one with the job {unknown[0]!r}, where there are {' and '.join(JOBS)}")
    everyone = [address for job in JOBS for address in addresses.get(job, [])]
    if not all(re.fullmatch(r".+:[0-9]{1,5}", str(address)) for address in everyone):
        raise ValueError("one with an address that is not host:port")
    if len(addresses.get("chief", [])) > 1 or len(set(everyone)) != len(everyone):
        raise ValueError("one with two chiefs, or with an address given twice")
    if not 0 <= index < len(addresses.get(kind, [])):
        raise ValueError(f"one whose task, {kind} {index}, is not in its cluster")
    first = len(addresses.get("chief", [])) if kind == "worker" else 0
    return Cluster(tuple(everyone), first + index)
