"""The features by which scores compare images: the last hidden layer of a small classifier.

In: uint8 images. Out: features (N, D) and class probabilities. Open `classifier.py` first:
the network, its files, and the lookup of the one that fits a data set. `training.py` trains it.
The weights for MNIST are here too.
"""
