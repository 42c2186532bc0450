"""From YAML to GIF, for any model: configuration, data, fit loop, run folder, pictures, commands.

This package knows no kind of model and no score. A `Family` (see `family`) tells it how to build a
model. Its folders form layers, and a folder imports only from lower ones. From the lowest:
`config`, `data`, `pictures`; `step`, `devices`; `run_folder`; `loop`; `cli`. `models/` holds the
trained models that ship with the package. Open `loop/fit.py` first.
"""
