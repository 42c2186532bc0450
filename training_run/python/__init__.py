"""Trainings and runs as Python functions and objects; the commands are made of the same.

In: a preset's name and settings, or a run folder. Out: a `Run`. Open `training` first: it goes
from settings to a finished run. `request` checks what is asked for, `run` is the object that
comes back, `image_size` resolves `model.size`.
"""
