"""Black-and-white digits. A Bernoulli decoder is a likelihood of binary images only.

A grey digit x in [0, 1] becomes binary by drawing each pixel from Bernoulli(x). The literature has
two ways, whose likelihoods cannot be compared:

- static: one draw per image, the same in every epoch and for every model. This is the protocol of
  Larochelle & Murray 2011 (NADE), whose files are known as binarised MNIST. Ours is another draw by
  the same rule; its seed is the same for all runs.
- dynamic: a new draw at every step (Burda et al. 2016, arXiv:1509.00519, section 5). It
  regularises: test likelihoods are better than with static digits.

Test digits get one fixed draw in both. (A third way, a threshold at 0.5, gives smoother and so more
probable digits. No published number that we quote uses it.)
"""

import dataclasses


def binarize_data(data, binarize):
    """The images to train and to score on; imports TensorFlow if there is something to draw.

    Args:
        data: `ImageData`.
        binarize: "none", "static" or "dynamic".

    Returns:
        `ImageData`. Test images are binary unless "none". Training images are binary if "static";
        with "dynamic" the `VAE` draws them. Source and checksum stay those of the grey images.
    """
    if binarize == "none":
        return data
    from sample_quality.scores.likelihood import binarize_images

    data = dataclasses.replace(data, x_test=binarize_images(data.x_test, "test"))
    if binarize == "static":
        data = dataclasses.replace(data, x_train=binarize_images(data.x_train, "train"))
    return data
