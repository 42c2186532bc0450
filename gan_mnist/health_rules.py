"""The ways in which a GAN fails, as rules: measurements in, a sentence that says what to try out.

Rules are functions of the measurements alone. A resumed run reads the measurements back, so it says
what a run that was never stopped would have said.
"""

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

PERSISTENT = 5
"""Measurements in a row that a state must last. The discriminator of a healthy GAN is right about
nearly every image for its first 300 steps; then the generator catches up."""

LONG = 8
"""Measurements in a row in which a game shows that it oscillates."""

LEAST_SWING, MANY_TURNS = 1.0, 2
"""Smallest change of g_loss from one measurement to the next that counts, where the mean logits of
real and generated images lie nearer to each other than that; and how often such changes turn from
up to down or back. Healthy losses change by less than 0.5 once the training has started."""

STARTED = 1000
"""First step at which similar samples are a failure: an untrained generator makes grey of every
latent."""

WON_ACCURACY = 0.99
"""On real and on generated images. `gan_mlp_plain`, our preset with the strongest discriminator,
ends at 0.96 on the harder of the two, with digits that still improve."""

GUESSING_ACCURACY = 0.52
"""Mean of both accuracies. Guessing gives 0.5, give or take 0.006 over 100 steps of batch 32; the
discriminators of our presets stay above 0.58."""

COLLAPSED_DIVERSITY = 0.2
"""Spread of samples over that of real images. Healthy generators fall to 0.5 early in training,
then reach 0.8 to 1; a generator that always draws the same image has 0."""

MANY_COPIES = 0.5
"""Share of samples that have a copy among 63 others. From step 1,000 on, healthy generators have
none; `gan_collapse` has 0.73 to 1."""

FAR_APART = 25.0
"""Mean difference of the logits of real and generated images. A discriminator that learns 20 times
as fast as its generator, which still learns, has up to 18; with a learning rate of 0.02 it has 60
to 1,700, and noise for samples."""

VANISHED = 1e-4
"""Norm of a gradient. Healthy ones are above 0.05. Over a million weights this is 1e-7 for each,
Adam's epsilon, below which its steps fall short of the learning rate."""

EXPLODED = 1e4
"""Norm of a gradient. Healthy ones stay below 150 (`gan_mlp_plain`'s generator, late; below 30 in
most runs); a discriminator whose learning rate is 500 times too high takes them past 2e4."""


class Measurement(NamedTuple):
    """The state of a GAN at one step; a row of health.csv.

    Attributes:
        step: of the whole run.
        d_accuracy_real, d_accuracy_fake, g_loss: the metrics since the last log row.
        diversity: spread of images from fixed latents over that of real images.
        d_gradient, g_gradient: norm of each network's gradient of its own loss.
        d_ranking: the metric of a loss of pairs, which has no accuracies.
        logit_difference: mean logit of real images minus that of generated ones.
        copies: share of the images from fixed latents that are a copy of another one of them.

    What a loss does not have, or an older run did not measure, is not a number: no rule applies.
    """

    step: int
    d_accuracy_real: float = math.nan
    d_accuracy_fake: float = math.nan
    g_loss: float = math.nan
    diversity: float = math.nan
    d_gradient: float = math.nan
    g_gradient: float = math.nan
    d_ranking: float = math.nan
    logit_difference: float = math.nan
    copies: float = math.nan

    @property
    def has_pairs(self):
        """True if the loss compares pairs."""
        return not math.isnan(self.d_ranking)

    @property
    def worst_share(self):
        """What the discriminator is right about: the smaller share, of real or generated images;
        or the share of pairs."""
        return self.d_ranking if self.has_pairs else min(self.d_accuracy_real, self.d_accuracy_fake)

    @property
    def mean_share(self):
        """What the discriminator is right about: the share of all images, or of pairs."""
        return (
            self.d_ranking if self.has_pairs else (self.d_accuracy_real + self.d_accuracy_fake) / 2
        )


def discriminator_has_won(recent):
    """It is right about nearly every image, or pair, while the generator's loss climbs."""
    first, last = recent[0], recent[-1]
    if not all(m.worst_share >= WON_ACCURACY for m in recent) or last.g_loss <= first.g_loss:
        return None
    worst = min(m.worst_share for m in recent)
    seen = "pairs" if first.has_pairs else "real and of generated images"
    return (
        f"the discriminator has won: since step {first.step:,} it recognises at least {worst:.1%} "
        f"of {seen}, and g_loss climbed from {first.g_loss:.3g} to {last.g_loss:.3g}; try a lower "
        "optimizer.discriminator.learning_rate, regularization.r1=1 or "
        "regularization.instance_noise=0.1"
    )


def discriminator_has_stopped(recent):
    """The discriminator does no better than guessing."""
    if not all(m.mean_share < GUESSING_ACCURACY for m in recent):
        return None
    best = max(m.mean_share for m in recent)
    seen, more = "images", ", or training.discriminator_steps=2"
    if recent[0].has_pairs:
        seen, more = "pairs", ""
    return (
        f"the discriminator has stopped learning: since step {recent[0].step:,} it is right about "
        f"at most {best:.0%} of the {seen}, no better than guessing; try a higher "
        f"optimizer.discriminator.learning_rate (a lower one above 1e-3){more}"
    )


def logits_are_far_apart(recent):
    """The discriminator is so sure that its slope says little about what would look real."""
    if not all(m.logit_difference > FAR_APART for m in recent):
        return None
    least = min(m.logit_difference for m in recent)
    return (
        f"the discriminator's logits are far apart: since step {recent[0].step:,} those of real "
        f"and of generated images differ by at least {least:.3g}, so sure that its slope hardly "
        "says what would look real; try a lower optimizer.discriminator.learning_rate or "
        "regularization.r1=5"
    )


def diversity_has_collapsed(recent):
    """Different latents give similar images."""
    if recent[0].step < STARTED or not all(m.diversity < COLLAPSED_DIVERSITY for m in recent):
        return None
    most = max(m.diversity for m in recent)
    return (
        f"diversity has collapsed: since step {recent[0].step:,} samples have at most {most:.0%} "
        "of the spread of real images (of the same class, in a conditional GAN); try "
        "regularization.r1=5, loss.name=hinge or a lower optimizer.generator.learning_rate"
    )


def modes_have_collapsed(recent):
    """Different latents give few different images; they may be far from each other."""
    if recent[0].step < STARTED or not all(m.copies >= MANY_COPIES for m in recent):
        return None
    if diversity_has_collapsed(recent):  # which says more
        return None
    least = min(m.copies for m in recent)
    return (
        f"modes have collapsed: since step {recent[0].step:,} at least {least:.0%} of the samples "
        "are a copy of another one; try loss.name=relativistic with regularization.r1=5, or a "
        "lower optimizer.generator.learning_rate"
    )


def game_oscillates(recent):
    """The generator's loss swings up and down instead of settling."""
    gaps = sorted(abs(m.logit_difference) for m in recent)
    if any(map(math.isnan, gaps)):
        return None
    least = max(LEAST_SWING, gaps[len(gaps) // 2])
    changes = [later.g_loss - earlier.g_loss for earlier, later in pairwise(recent)]
    swings = [change for change in changes if abs(change) > least]
    turns = sum(one * other < 0 for one, other in pairwise(swings))
    if turns < MANY_TURNS:
        return None
    return (
        f"the game oscillates: since step {recent[0].step:,} g_loss swings up and down, by more "
        f"than {least:.2g} at a time, more than tells real from generated images; try "
        "loss.name=relativistic with regularization.r1=5"
    )


GRADIENT_OF = {"discriminator": "d_gradient", "generator": "g_gradient"}
"""Network to the field of a `Measurement`."""


def gradient_has_vanished(network, recent):
    """A network's gradient is too small to learn from."""
    if not all(getattr(m, GRADIENT_OF[network]) < VANISHED for m in recent):
        return None
    largest = max(getattr(m, GRADIENT_OF[network]) for m in recent)
    return (
        f"the {network}'s gradient has vanished: since step {recent[0].step:,} its norm is at most "
        f"{largest:.1g}; try a lower optimizer.learning_rate from the start, or "
        "loss.name=non_saturating"
    )


def gradient_has_exploded(network, recent):
    """A network's gradient is far too large. One is enough: the next may be infinite."""
    norm = getattr(recent[-1], GRADIENT_OF[network])
    if not norm > EXPLODED:
        return None
    return (
        f"the {network}'s gradient has exploded: its norm is {norm:.1e}; try a lower "
        "optimizer.learning_rate, or regularization.spectral_norm=true"
    )


class Rule(NamedTuple):
    """One way to fail.

    Attributes:
        num_needed: number of the latest measurements that it looks at.
        sentence: those measurements to what is wrong and what to try, or None.
    """

    num_needed: int
    sentence: Callable


LOGIT_RULES = [
    Rule(PERSISTENT, discriminator_has_won),
    Rule(PERSISTENT, discriminator_has_stopped),
    Rule(PERSISTENT, logits_are_far_apart),
]
OTHER_RULES = [
    Rule(PERSISTENT, diversity_has_collapsed),
    Rule(PERSISTENT, modes_have_collapsed),
    Rule(LONG, game_oscillates),
    *(Rule(PERSISTENT, partial(gradient_has_vanished, network)) for network in GRADIENT_OF),
    *(Rule(1, partial(gradient_has_exploded, network)) for network in GRADIENT_OF),
]


def rules_for(loss_name):
    """The `Rule`s that apply with the loss `loss_name` of the configuration.

    The logits of a Wasserstein critic have no decision boundary, so its accuracies mean nothing,
    and no scale.
    """
    return OTHER_RULES if loss_name == "wasserstein" else LOGIT_RULES + OTHER_RULES


class Diagnosis:
    """Takes one measurement after another; each rule speaks once, as soon as it applies.

    Args:
        rules: sequence of `Rule`.
    """

    def __init__(self, rules):
        self._silent = list(rules)
        self._recent = deque(maxlen=max(rule.num_needed for rule in rules))

    def add(self, measurement):
        """A list of sentences: what is newly wrong."""
        self._recent.append(measurement)
        found = []
        for rule in tuple(self._silent):
            recent = list(self._recent)[-rule.num_needed :]
            sentence = rule.sentence(recent) if len(recent) == rule.num_needed else None
            if sentence:
                found.append(sentence)
                self._silent.remove(rule)
        return found
