"""A VAE's run as a Python object."""

from typing import TYPE_CHECKING, ClassVar

from training_run.errors import UserError
from training_run.python.run import Drawn, Run
from training_run.run_folder.find import is_bundled
from training_run.run_folder.networks import IMAGES_TO_POSTERIORS, LATENTS_TO_IMAGES
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.family import FAMILY

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from sample_quality.priors import Prior


class VAERun(Run):
    """A run of a VAE: `run.networks["encoder"]`, `"decoder"` and, with a gain, `"decoder_raw"`."""

    family = FAMILY
    signatures: ClassVar = {
        "encoder": IMAGES_TO_POSTERIORS,
        "decoder": LATENTS_TO_IMAGES,
        "decoder_raw": LATENTS_TO_IMAGES,
    }
    drawing_network = "decoder"

    @property
    def prior(self) -> "Prior | None":
        """The learned prior of the codes; None while they are thought to be N(0, I)."""
        if "_prior" not in vars(self):
            from sample_quality.priors import load_prior

            import_tensorflow()
            self._prior = load_prior(self.folder, {"decoder": self.networks["decoder"]})
        return self._prior

    def sample(
        self,
        num: int,
        *,
        seed: int = 0,
        label: "str | int | None" = None,
        prior: str = "own",
    ) -> "np.ndarray":
        """Draw images, as `Run.sample`.

        Args:
            prior: "own" for the learned prior, if there is one; "normal" for N(0, I).
        """
        return self.draw(num, seed=seed, label=label, prior=prior).images

    def draw(self, num, *, seed=0, label=None, prior="own") -> Drawn:
        """As `sample`, with the labels that were asked for."""
        from sample_quality.priors import latents_of

        latents = latents_of(None if prior == "normal" else self.prior)
        return super().draw(num, seed=seed, label=label, latents=latents)

    def encode(self, images: "np.ndarray", labels: "np.ndarray | None" = None) -> "np.ndarray":
        """The codes of images: the means of their posteriors.

        Args:
            images: (N, H, W, C) or (N, H, W) uint8.
            labels: (N,) ints for a conditional VAE.

        Returns:
            (N, latent_dim) float32.
        """
        return self.posterior(images, labels)[0]

    def posterior(self, images, labels=None) -> "tuple[np.ndarray, np.ndarray]":
        """Mean and log-variance of q(z|x), each (N, latent_dim) float32; arguments of `encode`."""
        import numpy as np

        images = np.asarray(images)
        height, width, channels = self.networks["encoder"].inputs[0].shape[1:]
        if images.ndim == 3 and channels == 1:
            images = images[..., np.newaxis]
        if images.dtype != np.uint8 or images.shape[1:] != (height, width, channels):
            raise UserError(
                f"images: expected uint8 (N, {height}, {width}, {channels}), received "
                f"{images.dtype} {images.shape}"
            )
        return self._vae().posterior(images, labels)

    def decode(self, codes: "np.ndarray", labels: "np.ndarray | None" = None) -> "np.ndarray":
        """The images that codes mean.

        Args:
            codes: (N, latent_dim) float.
            labels: (N,) ints for a conditional VAE.

        Returns:
            (N, H, W, C) uint8.
        """
        import numpy as np

        from training_run.pictures.pixels import to_uint8
        from vae_mnist.model import batch_slices

        codes, latent_dim = np.asarray(codes, np.float32), self.config.model.latent_dim
        if codes.ndim != 2 or codes.shape[1] != latent_dim:
            raise UserError(f"codes: expected (N, {latent_dim}), received {codes.shape}")
        vae = self._vae()
        parts = [
            vae.sample(codes[part], None if labels is None else labels[part])
            for part in batch_slices(len(codes))
        ]
        return np.concatenate([to_uint8(images, vae.value_range) for images in parts])

    def fit_prior(
        self,
        kind: str = "mixture",
        *,
        components: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        out: "str | Path | None" = None,
    ) -> "Prior":
        """Fit a learned prior to the codes of the training images; samples then come from it.

        Args:
            kind: "mixture", of Gaussians.
            components: how many; None for the configuration's, or a number that suits.
            temperature: factor of their standard deviations, above 0 and at most 1; None for the
                configuration's.
            seed: of random numbers; None for the run's.
            out: folder for prior.npz, prior.json and prior.png; None for the run's folder or, of a
                bundled model, none.

        Returns:
            The `Prior`.

        Raises:
            UserError: an argument is wrong, or the images cannot be read.
        """
        from pathlib import Path

        from vae_mnist.prior_fit import PriorRequest, fit_run_prior

        if kind != "mixture":
            raise UserError(f"kind: expected 'mixture', received {kind!r}")
        if out is None and not is_bundled(self.folder):
            out = self.path
        request = PriorRequest(components, temperature, seed)
        folder = None if out is None else Path(out)
        self._prior = fit_run_prior(self.folder, self.config, request, folder)
        return self._prior

    def _vae(self):
        if "_model" not in vars(self):
            import_tensorflow()
            from vae_mnist.trained import load_vae

            self._model = load_vae(self.folder, self.config)
        return self._model
