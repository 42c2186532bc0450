import pytest
from pydantic_core import PydanticCustomError

from training_run.config.sizes import SIDES, auto_side, filters_for, parse_side, sides_for


@pytest.mark.parametrize(
    ("side", "filters"),
    [
        (16, (32, 64)),  # to 4
        (28, (32, 64)),  # to 7
        (32, (32, 64, 128)),
        (48, (32, 64, 128)),  # to 6
        (64, (32, 64, 128, 128)),
        (128, (32, 64, 128, 128, 128)),
        (240, (32, 64, 128, 128)),  # to 15
    ],
)
def test_layouts(side, filters):
    assert filters_for(side) == filters


def test_every_side_can_be_halved_so_often():
    for side in SIDES:
        coarsest = side / 2 ** len(filters_for(side))
        assert coarsest == int(coarsest)
        assert 4 <= coarsest <= 15


@pytest.mark.parametrize(
    ("median", "side"), [(9, 28), (28, 28), (31.5, 28), (32, 32), (63, 32), (64, 64), (127, 64),
                         (128, 128), (4000, 128)]
)  # fmt: skip
def test_images_fill_their_side(median, side):
    assert auto_side(median) == side


@pytest.mark.parametrize(
    ("value", "nearest"), [(60, 64), (27, 28), (1, 16), (1000, 256), (29, 28), (41, 48)]
)
def test_a_side_without_a_layout_is_refused_with_the_nearest(value, nearest):
    with pytest.raises(PydanticCustomError, match=f"16 to 256 .nearest {nearest}.$"):
        parse_side(value)
    assert sides_for(value).endswith(f"(nearest {nearest})")


@pytest.mark.parametrize("value", ["large", True, None, [64]])
def test_what_is_no_side_is_refused(value):
    with pytest.raises(PydanticCustomError, match="expected auto, 28 or a multiple of 16 from 16"):
        parse_side(value)
