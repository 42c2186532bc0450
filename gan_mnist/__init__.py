"""Generative adversarial networks of handwritten digits and small faces.

In: a configuration (`config`). Out: a run folder with a trained generator, and pictures from it.
Start with `train`, the family in one class; then `build` and `model`. The networks
are in `networks` and `networks_conv`, the objectives in `losses` and `regularizers`, the monitor of
a training in `health`. `denoiser/` cleans what a generator draws.
"""
