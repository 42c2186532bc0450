"""Conditional accuracy: does a conditional model draw the class it was asked for?"""


def matches_label(classes, labels):
    """True for each image that the classifier assigns to the requested label.

    Args:
        classes: (N,) ints, the classifier's.
        labels: (N,) ints, the requested ones.

    Returns:
        (N,) bool; the mean is the accuracy.
    """
    return classes == labels
