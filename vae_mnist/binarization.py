"""Black-and-white digits, for which a Bernoulli decoder is a likelihood.

A grey digit x in [0, 1] becomes a binary one by drawing each pixel from Bernoulli(x). The
literature does so in two ways, and their likelihoods must not be put side by side:

- static: one draw per image, made once, the same in every epoch and for every model. That is the
  protocol of Larochelle & Murray 2011 (NADE), whose files are "the" binarised MNIST. Ours is
  another draw by the same rule, with a seed that no run changes.
- dynamic: a new draw at every step (Burda et al. 2016, arXiv:1509.00519, section 5), so that no
  image comes twice. It regularises: test likelihoods are better than with static digits.

Held-out digits are scored on one fixed draw either way. (Thresholding at 0.5, a third way, gives
smoother and so more probable digits; no published number we quote uses it.)
"""

import dataclasses

from sample_quality.scores.likelihood import binarize_images

BINARIZATIONS = ("none", "static", "dynamic")


def binarize_data(data, binarize):
    """The images that a kind of binarisation trains on and is scored on.

    Args:
        data: `ImageData`.
        binarize: "none", "static" or "dynamic".

    Returns:
        `ImageData`: test images binary unless "none", training images binary only if "static" (the
        composite draws them where "dynamic"). Source and checksum stay those of the grey images.
    """
    if binarize == "none":
        return data
    data = dataclasses.replace(data, x_test=binarize_images(data.x_test, "test"))
    if binarize == "static":
        data = dataclasses.replace(data, x_train=binarize_images(data.x_train, "train"))
    return data
