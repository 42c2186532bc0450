"""Does a conditional model draw what it is asked for?"""


def are_as_asked(classes, labels):
    """Whether the classifier sees the class that was asked for; the mean is the accuracy.

    Args:
        classes: (N,) ints, what the classifier sees.
        labels: (N,) ints, what was asked for.

    Returns:
        (N,) bool.
    """
    if classes.shape != labels.shape:
        raise ValueError(
            f"Every image needs a label. Received: {len(classes)} images, {len(labels)} labels"
        )
    return classes == labels
