"""Loading the networks of a run folder, without running any code from it."""

import zipfile

from training_run.errors import UserError


def load_network(run, name):
    """Load `NAME.keras` of a run for inference.

    Keras's safe mode is on: a file that carries Python code (a Lambda layer, say) is refused.

    Args:
        run: a `RunDir`.
        name: "generator", "decoder", ...

    Returns:
        An uncompiled keras network.

    Raises:
        UserError: if there is none, or it cannot be loaded safely.
    """
    path = run.network(name)
    if not path.is_file():
        raise UserError(f"{path}: expected a saved network, received a run folder without it")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: expected a .keras file, received something else or a damaged one")
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds, all for the same reason: a bad file
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{path}: expected a network that Keras can load safely: {reason}"
        ) from None
