"""The devices of a run, and what its processes must agree on.

- `none`: one device. Nothing here changes the run.
- `mirrored`: one process trains on all devices of its machine.
- `multi_worker`: one process on each machine. The first one, the chief, writes the run folder; the
  others only compute. They exchange numbers at fixed points of the run, where all of them wait.
"""

import hashlib
import re
import signal
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import tensorflow as tf

from training_run.errors import UserError

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
"""What TensorFlow raises on a worker when it has lost another one."""

HEARTBEAT_SECONDS = 60
"""A worker without a sign of life for this long is given up. TensorFlow's 10 seconds are too few on
a machine with other work. A process that ends is noticed at once, since its connections close."""


class WorkerLost(UserError):
    """Another worker has ended, or never came. The text says how to go on."""

    exit_code = 1


@dataclass(frozen=True)
class Devices:
    """Where a run trains.

    Attributes:
        strategy: the `tf.distribute.Strategy`, or None for TensorFlow's default device.
        num_workers: processes, usually one on each machine.
        worker: index of this process; 0 is the chief.
    """

    strategy: tf.distribute.Strategy | None = None
    num_workers: int = 1
    worker: int = 0

    @property
    def is_chief(self):
        """True if this process writes the run folder."""
        return self.worker == 0

    @property
    def num_replicas(self):
        """Number of copies of the model on all workers. They share each batch."""
        return self.strategy.num_replicas_in_sync if self.strategy else 1

    def scope(self):
        """The context in which a model must be built, so that every device has a copy."""
        return self.strategy.scope() if self.strategy else nullcontext()


ONE_DEVICE = Devices()


def open_devices(strategy, cluster=None):
    """The `Devices` of a run. Call it before TensorFlow has computed anything.

    Args:
        strategy: `distribution.strategy` of the configuration.
        cluster: a `Cluster` for multi_worker.
    """
    if strategy == "none":
        return ONE_DEVICE
    if strategy == "mirrored":
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Devices(tf.distribute.MirroredStrategy([device.name for device in found]))
    num_workers = len(cluster.addresses)
    role = "follower" if cluster.index else "chief"
    others = "others" if num_workers > 2 else "other"
    print(f"worker {cluster.index} of {num_workers} ({role}): waiting for the {others}", flush=True)
    allow_slow_heartbeats()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python sees no Ctrl-C while this waits
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    finally:
        signal.signal(signal.SIGINT, before)
    return Devices(strategy, num_workers, cluster.index)


def allow_slow_heartbeats():
    """Let the multi-worker strategy wait `HEARTBEAT_SECONDS` for a worker's sign of life.

    TensorFlow 2.21 has no public option for it, so this is the one private import of the package.
    The strategy takes over a coordination service that was configured before it.
    """
    from tensorflow.python.eager import context

    jobs = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec()
    service = tf.compat.v1.ConfigProto().experimental.coordination_config
    for job in jobs.jobs:
        service.coordinated_job_list.add(name=job, num_tasks=jobs.num_tasks(job))
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{'chief' if 'chief' in jobs.jobs else 'worker'}/replica:0/task:0",
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_SECONDS,
        coordinated_jobs=list(service.coordinated_job_list),
    )


def distribute_batches(batches, devices):
    """Give every replica its share of each batch.

    All workers make the same whole batches from the same seed and take their own part of each. The
    replicas' shares, one after another, are the batch of a single device, latents and noise
    included.

    Args:
        batches: `tf.data.Dataset` from `make_batches`, whose batch size the number of replicas
            divides.
        devices: `Devices`.

    Returns:
        The same dataset without a strategy, else a `tf.distribute.DistributedDataset`.
    """
    if devices.strategy is None:
        return batches

    def shares_of_worker(pipeline):
        num_local = pipeline.num_replicas_in_sync // pipeline.num_input_pipelines
        first = pipeline.input_pipeline_id * num_local

        def split(batch):
            return {
                name: shares(value, pipeline.num_replicas_in_sync)[first : first + num_local]
                for name, value in batch.items()
            }

        # With a dataset that ends, workers would ask each other before every batch.
        return batches.map(split).unbatch().repeat().prefetch(2 * num_local)

    return devices.strategy.distribute_datasets_from_function(shares_of_worker)


def shares(value, num_replicas):
    """Cut a tensor of a batch into equal consecutive parts.

    Args:
        value: (N, ...), one entry for each example; or a scalar, which each replica gets.
        num_replicas: R, a divisor of N.

    Returns:
        (R, N / R, ...), or (R,) for a scalar.
    """
    if value.shape.rank == 0:
        return tf.fill((num_replicas,), value)
    return tf.reshape(value, (num_replicas, value.shape[0] // num_replicas, *value.shape[1:]))


def sum_over_workers(devices, number):
    """The sum of an integer over all workers. All of them must call it at the same point."""
    if devices.num_workers == 1:
        return number
    return int(devices.strategy.reduce("SUM", tf.constant(number, tf.int64), axis=None))


def wait_for_workers(devices):
    """Return when all workers have called it."""
    sum_over_workers(devices, 0)


def check_same_on_all(devices, **facts):
    """Refuse to train if the workers differ in what they are about to do.

    Args:
        devices: `Devices`.
        **facts: name to text, such as configuration="...".

    Raises:
        UserError: on every worker, if one of them differs from the chief.
    """
    for name, text in facts.items():
        own = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "little")
        of_chief = sum_over_workers(devices, own if devices.is_chief else 0)
        num_different = sum_over_workers(devices, int(own != of_chief))
        if num_different:
            raise UserError(
                f"distribution.strategy: expected the same {name} on all {devices.num_workers} "
                f"workers, received one that differs from the chief's on {num_different}"
            )


@contextmanager
def watched_workers(cluster):
    """Turn TensorFlow's errors about a lost worker into a sentence that says how to go on.

    Args:
        cluster: the run's `Cluster`, or None for a single process.

    Raises:
        WorkerLost: instead of TensorFlow's own errors.
    """
    try:
        yield
    except LOST as error:
        if cluster is None:
            raise
        reason = re.search(r"aborted by: ([^\n]{1,200})", str(error))
        raise WorkerLost(
            "another worker has ended or cannot be reached, and this one cannot go on alone; start "
            "all of them again, with --resume RUN once the run has its first checkpoint "
            f"({reason.group(1) if reason else type(error).__name__})"
        ) from None


def report_devices(devices, config):
    """Print what differs in a run on several devices; nothing without a strategy."""
    if devices.strategy is None:
        return
    workers = f" of {devices.num_workers} workers" if devices.num_workers > 1 else ""
    share = config.training.batch_size // devices.num_replicas
    print(
        f"distribution.strategy {config.distribution.strategy}: {devices.num_replicas} replicas"
        f"{workers}, {share} images of each batch on each; one step in an execution and no "
        "jit_compile, since TensorFlow supports neither here"
    )
