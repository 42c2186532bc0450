"""All that is inside a compiled training step, or feeds one.

In: `ImageData`, a seed, a model's losses. Out: batches and random numbers as functions of
(seed, step), optimizers, the precision of networks, and steps that are right on several devices.
Open `batches.py` first for what a step is given, `replicas.py` for what a step calls.
"""
