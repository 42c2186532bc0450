"""The callback that fits a run's learned prior."""

import keras

from sample_quality.priors import remove_prior, save_prior
from training_run.errors import UserError
from training_run.loop.callbacks import check_finite
from vae_mnist.prior_picture import write_prior_picture
from vae_mnist.priors import FULL, QUICK, fit_prior


class FitPrior(keras.callbacks.Callback):
    """Gives the model a `prior` where one is needed: quickly for a score, fully at the end.

    A prior suits the weights that it was fitted to, so it lasts until the next step. Each fit
    starts anew from the seed: a resumed run fits the same. prior.npz, prior.json and prior.png are
    written when training ends, also when a signal ends it. If the codes cannot be fitted, the run
    goes on with N(0, I) and says why.

    Args:
        context: the run's `RunContext`.
        every: steps between scores; None without scores.
    """

    def __init__(self, context, every):
        super().__init__()
        self.context, self.every, self.is_final = context, every, False

    def on_train_begin(self, logs=None):
        remove_prior(self.context.run)  # of earlier weights
        self.model.prior = None

    def on_train_batch_end(self, batch, logs=None):
        step, total = self.context.clock.step, self.context.clock.total
        self.model.prior = None
        if step == total:
            self.fit(FULL)
        elif self.every and step % self.every == 0:
            self.fit(QUICK)

    def on_train_end(self, logs=None):
        if not self.is_final:
            self.fit(FULL)
        if self.model.prior is not None:
            run = self.context.run
            save_prior(run, self.model.prior)
            seed = self.context.config.seed
            write_prior_picture(run.path / "prior.png", self.model, self.context.data, seed)

    def fit(self, effort):
        """Fit the prior of the weights as they are."""
        check_finite(self.model)
        config, self.is_final = self.context.config, effort is FULL
        components = config.prior.components
        try:
            prior = fit_prior(self.model, self.context.data, config, components, effort=effort)
            self.model.prior = prior.with_temperature(config.prior.temperature)
        except UserError as reason:
            self.model.prior = None
            print(f"step {self.context.clock.step:,}: no prior was fitted. {reason}")
