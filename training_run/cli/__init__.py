"""From a command line to a run, a picture or one clear sentence.

In: arguments. Out: an exit code. Open `train` first. `parser` and `run_command` decide how
an error looks, `arguments` holds what commands share, and `open_run` in it opens the run that a
picture command names.
"""
