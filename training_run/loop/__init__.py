"""The one fit loop.

In: a checked configuration with its data, its devices and its `Family`. Out: a finished run folder
and an exit code. Open `fit` first: it reads from the top down. `callbacks` has what happens
beside the steps, `outputs` what a run writes, and `signals` how it is stopped.
"""
