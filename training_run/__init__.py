"""From YAML to GIF, for any model: configuration, data, fit loop, run folder, pictures, commands.

This package knows no model and no score. A `Family` (see `family`) tells it how to build one. Its
rooms stand on floors, and each imports only from floors below: `config`, `data` and `pictures`;
`step` and `devices`; `run_folder`; `loop`; `cli`. Open `loop/fit.py` first.
"""
