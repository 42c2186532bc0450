"""What the scores see of an image: the last hidden layer of a small classifier.

uint8 images come in; features (N, D) and class probabilities go out. Open `classifier.py` first:
the network, its files, and the lookup of the one that fits a data set. `training.py` trains it.
The weights for MNIST are here too.
"""
