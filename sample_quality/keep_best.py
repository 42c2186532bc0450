"""The callback that scores a run while it trains and keeps the best networks."""

import os
import shutil
from pathlib import Path

from sample_quality.priors import latents_of, save_prior
from sample_quality.protocol import MAX_REAL, Protocol
from sample_quality.scores.frechet import frechet_distance, moments
from training_run.config.records import Record, read_record, write_record
from training_run.errors import UserError
from training_run.loop.callbacks import EverySteps, check_finite
from training_run.run_folder.networks import save_networks
from training_run.run_folder.paths import RunDir
from training_run.step.sampling import choose_labels, generate


class BestRecord(Record):
    """The content of `best/score.json`: name and value of the score, its step and protocol."""

    score: str
    value: float
    step: int
    protocol: Protocol


class FrechetScore:
    """The Fréchet distance of a network's samples from training images, computed at each call.

    The reference images are training images: a checkpoint chosen by the test images would look
    better on them than it is.

    Args:
        network: the generator or decoder, which goes on training.
        classifier: a `Classifier` of such images, or `RandomConvolutions`.
        train: (N, H, W, C) uint8; the first `MAX_REAL` are used.
        value_range: (low, high) of the network's images.
        num_images: samples to a score.
        seed: of their latents, the same at each call.
        find_prior: function without arguments giving the learned `Prior` of the network's weights
            as they are, or None for N(0, I).

    Attributes:
        name: of the score and of its column in log.csv.
        protocol: its `Protocol`.
    """

    name = "frechet_distance"

    def __init__(
        self,
        network,
        classifier,
        train,
        *,
        value_range,
        num_images,
        seed,
        find_prior=lambda: None,
    ):
        reference = train[:MAX_REAL]
        self.network, self.classifier, self.value_range = network, classifier, value_range
        self.find_prior = find_prior
        self.labels = choose_labels(network, None, num_images)
        protocol = Protocol.against(reference, num_images, seed, split="train")
        self.protocol = protocol.by_classifier(classifier)
        self._reference = moments(classifier(reference).features)

    def __call__(self):
        num_images, seed = self.protocol.num_generated, self.protocol.seed
        latents = latents_of(self.find_prior())
        images = generate(self.network, num_images, seed, self.value_range, self.labels, latents)
        return frechet_distance(moments(self.classifier(images).features), self._reference)


class KeepBest(EverySteps):
    """Scores the run at an interval, logs the score and keeps the networks with the lowest one.

    `best/` holds the networks, a learned prior and `score.json` (score, value, step, protocol). It
    is replaced as a whole, so its files always belong together. A resumed run continues from its
    `best/`.

    Args:
        clock, every: when.
        score: function without arguments giving a float, lower is better, with a `name` and a
            `protocol` (a `FrechetScore`).
        folder: the run's `best/`; made with the first score.
    """

    def __init__(self, clock, every, score, folder):
        super().__init__(clock, every)
        self.score, self.folder, self.best = score, Path(folder), None
        recover_folder(self.folder)
        read_best(self.folder, score)

    def on_train_begin(self, logs=None):
        record = read_best(self.folder, self.score)  # a resume may have removed it since
        self.best = record and record.value

    def at_step(self, step, logs):
        check_finite(self.model)  # weights that are NaN have no score
        value = self.score()
        logs[self.score.name] = value
        if self.best is None or value < self.best:
            self.best = value
            save_best(self.folder, self.model, self.score, value, step)


def save_best(folder, model, score, value, step):
    """Replace `folder` by one with the model's networks and their score."""
    record = BestRecord(score=score.name, value=value, step=step, protocol=score.protocol)
    new, old = _temporary_folders(folder)
    shutil.rmtree(new, ignore_errors=True)  # from a write that failed
    new.mkdir()
    save_networks(RunDir(new), model)
    if getattr(model, "prior", None) is not None:
        save_prior(RunDir(new), model.prior)
    for name in ("config.yaml", "environment.json"):
        if (folder.parent / name).is_file():  # so that commands that take a run take its `best/`
            shutil.copy(folder.parent / name, new)
    write_record(new / "score.json", record)
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(folder):
    """Finish or undo a `save_best` that was killed."""
    new, old = _temporary_folders(folder)
    shutil.rmtree(new, ignore_errors=True)
    if old.exists() and not folder.exists():
        os.rename(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def _temporary_folders(folder):
    return (folder.with_name(f".{folder.name}-{word}") for word in ("new", "old"))


def read_best(folder, score):
    """The `BestRecord` of the lowest score so far, or None.

    Raises:
        UserError: if the file cannot be read, or has another score or protocol.
    """
    path = folder / "score.json"
    if not path.exists():
        return None
    record = read_record(path, BestRecord)
    if (record.score, record.protocol) != (score.name, score.protocol):
        raise UserError(
            f"{path}: expected {score.name} of {score.protocol}, received {record.score} of "
            f"{record.protocol}; move {folder} away to start anew"
        )
    return record
