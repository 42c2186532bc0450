"""Conditional accuracy: does a conditional model draw the class it was asked for?"""


def matches_label(classes, labels):
    """True for each image that the classifier assigns to the requested label.

    The mean is the accuracy.

    Args:
        classes: (N,) ints, the classes that the classifier sees.
        labels: (N,) ints, the requested ones.

    Returns:
        (N,) bool.
    """
    if classes.shape != labels.shape:
        raise ValueError(
            f"Every image needs a label. Received: {len(classes)} images, {len(labels)} labels"
        )
    return classes == labels
