"""The devices and machines that a run trains on, and what its processes have to agree on.

With the strategy `none` nothing here touches the run. With `mirrored` one process trains on all of
its machine's devices. With `multi_worker` a process on each machine does so, all of them in step:
the first, the chief, writes the run folder, and the others only compute. What they exchange, they
exchange at the same points of the run, each of which the others wait at.
"""

import hashlib
import re
import signal
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.python.distribute import collective_all_reduce_strategy, multi_worker_util
from tensorflow.python.eager import context

from training_run.errors import UserError

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
"""What TensorFlow raises on a worker when another one has gone away."""


HEARTBEAT_SECONDS = 60
"""How long a worker may be too busy to say that it is there."""


class WorkerLost(UserError):
    """Another worker has ended, or never came; the text says how to go on."""


@dataclass(frozen=True)
class Devices:
    """Where a run trains.

    Attributes:
        strategy: the `tf.distribute.Strategy`, or None for TensorFlow's default device.
        num_workers: processes, usually one on each machine.
        worker: which of them this one is; 0 is the chief.
    """

    strategy: tf.distribute.Strategy | None = None
    num_workers: int = 1
    worker: int = 0

    @property
    def is_chief(self):
        """Whether this process writes the run folder."""
        return self.worker == 0

    @property
    def num_replicas(self):
        """Copies of the model over all workers, among which the batch is split."""
        return self.strategy.num_replicas_in_sync if self.strategy else 1

    def scope(self):
        """A context in which a model must be built to be there on every device."""
        return self.strategy.scope() if self.strategy else nullcontext()


ONE_DEVICE = Devices()


def open_devices(strategy, cluster=None):
    """The devices of a run; must come before TensorFlow has computed anything.

    Args:
        strategy: `distribution.strategy` of the configuration.
        cluster: a `Cluster` for multi_worker.

    Returns:
        `Devices`.
    """
    if strategy == "none":
        return ONE_DEVICE
    if strategy == "mirrored":
        return Devices(tf.distribute.MirroredStrategy([device.name for device in local_devices()]))
    num_workers = len(cluster.addresses)
    print(
        f"worker {cluster.index} of {num_workers} "
        f"({'chief' if cluster.index == 0 else 'follower'}): "
        f"waiting for the other{'s' if num_workers > 2 else ''}",
        flush=True,
    )
    allow_slow_heartbeats()
    with interruptible():
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Devices(strategy, num_workers, cluster.index)


def allow_slow_heartbeats():
    """Give a worker up only after `HEARTBEAT_SECONDS` without a sign of life.

    TensorFlow's 10 seconds are too few where a machine has more to do than to train. A process that
    ends is noticed at once all the same, since its connections close. The multi-worker strategy has
    no option for this, and takes what the context has been told before.
    """
    jobs = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec()
    coordinated_job = collective_all_reduce_strategy.coordination_config_pb2.CoordinatedJob
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=multi_worker_util.coordination_leader(jobs),
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_SECONDS,
        coordinated_jobs=[
            coordinated_job(name=job, num_tasks=jobs.num_tasks(job)) for job in jobs.jobs
        ],
    )


@contextmanager
def interruptible():
    """Let Ctrl-C end the process at once: TensorFlow waits for workers where Python cannot look."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def local_devices():
    """The logical devices of this machine to train on: all its GPUs, or else its CPUs."""
    return tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")


def distribute_batches(batches, devices):
    """Give every replica its share of each batch.

    All workers make the batches of the whole run, the same ones from the same seed, and take their
    own part. So a batch is the same, latents and noise included, on any number of devices: the
    replicas' shares, one after another, are the batch that a single device would see.

    Args:
        batches: `tf.data.Dataset` from `make_batches`; the batch size is a multiple of the number
            of replicas.
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

        # Where a dataset ends, workers ask each other before every batch whether they are there.
        return batches.map(split).unbatch().repeat().prefetch(2 * num_local)

    return devices.strategy.distribute_datasets_from_function(shares_of_worker)


def shares(value, num_replicas):
    """Cut a tensor of a batch into equal consecutive parts.

    Args:
        value: (N, ...) one entry for each example, or a scalar, which all replicas need.
        num_replicas: R, a divisor of N.

    Returns:
        (R, N / R, ...), or (R,) for a scalar.
    """
    if value.shape.rank == 0:
        return tf.fill((num_replicas,), value)
    return tf.reshape(value, (num_replicas, value.shape[0] // num_replicas, *value.shape[1:]))


def sum_over_workers(devices, number):
    """The sum of every worker's whole number; all of them must call it at the same point."""
    if devices.num_workers == 1:
        return number
    value = tf.constant(number, tf.int64)
    return int(devices.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None))


def wait_for_workers(devices):
    """Return when all workers have got here."""
    sum_over_workers(devices, 0)


def check_same_on_all(devices, **facts):
    """Refuse to train where the workers do not have the same in mind.

    Args:
        devices: `Devices`.
        **facts: texts by what they are, such as configuration="...".

    Raises:
        UserError: on every worker, if one of them differs from the chief.
    """
    for name, text in facts.items():
        digest = hashlib.sha256(text.encode()).digest()
        own = int.from_bytes(digest[:7], "little")
        of_chief = sum_over_workers(devices, own if devices.is_chief else 0)
        num_different = sum_over_workers(devices, int(own != of_chief))
        if num_different:
            raise UserError(
                f"distribution.strategy: expected the same {name} on all {devices.num_workers} "
                f"workers, received another than the chief's on {num_different}"
            )


@contextmanager
def watched_workers(cluster):
    """Turn what TensorFlow says when a worker has gone into a sentence that says how to go on.

    Args:
        cluster: the run's `Cluster`; None where there are no other workers.

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
    """Say what a run on several devices does otherwise; nothing without a strategy."""
    if devices.strategy is None:
        return
    workers = f" of {devices.num_workers} workers" if devices.num_workers > 1 else ""
    share = config.training.batch_size // devices.num_replicas
    print(
        f"distribution.strategy {config.distribution.strategy}: {devices.num_replicas} replicas"
        f"{workers}, {share} images of each batch on each; one step in an execution and no "
        "jit_compile, which TensorFlow does not offer here"
    )
