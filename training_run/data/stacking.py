"""Stacked digits: three grey images as the red, green and blue channel of one.

With 10 classes there are 1,000 combinations, so that it can be counted how many of them a
generative model draws. Nothing is stored: the images stay grey, and a batch is stacked when it is
drawn (`training_run.step.batches.stack_channels`).

Sources: Metz et al. 2017, arXiv:1611.02163, section 3.3.1; Srivastava et al. 2017,
arXiv:1705.07761.
"""

import dataclasses

from training_run.data.image_data import NUM_STACKED
from training_run.errors import UserError


def stacked(dataset):
    """A `Dataset` of grey images as one of stacked images, without labels.

    Raises:
        UserError: if its images have colours.
    """
    height, width, num_channels = dataset.spec.image_shape
    if num_channels != 1:
        raise UserError(f"data.stacked: expected grey images, received {num_channels} channels")
    spec = dataclasses.replace(
        dataset.spec,
        image_shape=(height, width, NUM_STACKED),
        num_classes=None,
        class_names=None,
        title=f"{dataset.spec.title}, stacked",
        noun=f"stacked {dataset.spec.noun}",
    )

    def read(report):
        data = dataset.read(report)
        return dataclasses.replace(data.without_labels(), num_stacked=NUM_STACKED)

    return dataset._replace(spec=spec, read=read)
