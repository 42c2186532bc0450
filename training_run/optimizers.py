"""Optimizers from their settings."""

import keras

from training_run.config import AdamConfig


def build_adam(settings):
    """A Keras Adam.

    Args:
        settings: an `AdamConfig`, or a section that extends it.
    """
    return keras.optimizers.Adam(**settings.model_dump(include=set(AdamConfig.model_fields)))
