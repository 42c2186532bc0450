"""Sides of square images, and the convolutions that suit them."""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

AUTO = "auto"

AUTO_SIDES = (28, 32, 64, 128)
"""What `auto` chooses from: the largest that the images fill."""

SIDES = (28, *range(16, 257, 16))
"""Sides that can be halved down to 15 or less, and so have a layout."""

COARSEST = 7
"""Halving goes on while the side is above this and even."""

FINEST_FILTERS, MOST_FILTERS = 32, 128
"""Channels at the images' side; each halving doubles them, up to the most."""


def parse_side(value):
    """`model.size` as it is kept: "auto" or a side.

    Raises:
        PydanticCustomError: for anything else, with the nearest side that has a layout.
    """
    if value == AUTO or (value in SIDES and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("size", f"expected auto, {sides_for(value)}")


def sides_for(value):
    """The sides that have a layout, as a text, with the nearest to a number."""
    text = "28 or a multiple of 16 from 16 to 256"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return text
    return f"{text} (nearest {min(SIDES, key=lambda side: abs(side - value))})"


ImageSide = Annotated[
    int | str,
    BeforeValidator(parse_side),
    WithJsonSchema(
        {
            "description": "side of the images that the layers suit",
            "anyOf": [{"const": AUTO}, {"enum": sorted(SIDES)}],
        }
    ),
]


def auto_side(side):
    """The one of `AUTO_SIDES` for images of this side: the largest that they fill."""
    return max([each for each in AUTO_SIDES if each <= side], default=AUTO_SIDES[0])


def filters_for(side):
    """Channels of convolutions of stride 2, from the finest to the coarsest feature maps.

    Example: 28 gives (32, 64), 64 gives (32, 64, 128, 128).
    """
    filters = []
    while side > COARSEST and side % 2 == 0:
        filters.append(min(FINEST_FILTERS * 2 ** len(filters), MOST_FILTERS))
        side //= 2
    return tuple(filters)
