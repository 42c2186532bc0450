import numpy as np

from training_run.pictures.captions import add_captions, caption_below, caption_width
from training_run.pictures.grid import image_grid

BLACK_GRID = image_grid(np.zeros((6, 56, 56, 1), np.uint8), 3)


def dark_pixels(array):
    return np.count_nonzero(array < 128)


def test_captions_surround_a_grid_that_stays_as_it_is():
    captioned = add_captions(
        BLACK_GRID,
        num_columns=3,
        num_rows=2,
        title="Title",
        column_captions=["0%", "50%", "100%"],
        row_captions=["above", "below"],
    )
    height, width, _ = BLACK_GRID.shape
    # The grid stands at the right and at the bottom, 10 pixels from the edges.
    inner = captioned[-10 - height : -10, -10 - width : -10]
    np.testing.assert_array_equal(inner, BLACK_GRID)
    left, above = captioned[:, : -10 - width], captioned[: -10 - height]
    assert dark_pixels(left) > 100
    assert dark_pixels(above) > 100
    assert (captioned[-10:] == 255).all()
    assert (captioned[:, -10:] == 255).all()


def test_each_column_caption_stands_over_its_column():
    captioned = add_captions(BLACK_GRID, num_columns=3, num_rows=2, column_captions=["", "x", ""])
    above = captioned[: captioned.shape[0] - BLACK_GRID.shape[0] - 10]
    columns = np.flatnonzero((above < 128).any(axis=(0, 2)))
    middle = 10 + BLACK_GRID.shape[1] / 2
    assert columns.size
    assert abs(columns.mean() - middle) <= 1.5


def test_each_row_caption_stands_beside_its_row():
    captioned = add_captions(BLACK_GRID, num_columns=3, num_rows=2, row_captions=["", "x"])
    left = captioned[:, : captioned.shape[1] - BLACK_GRID.shape[1] - 10]
    rows = np.flatnonzero((left < 128).any(axis=(1, 2)))
    middle_of_second = captioned.shape[0] - 10 - 2 - 28
    assert rows.size
    assert abs(rows.mean() - middle_of_second) <= 4


def test_long_column_captions_get_a_smaller_font():
    """In the usual font the text is wider than its column."""
    captioned = add_captions(
        BLACK_GRID, num_columns=3, num_rows=2, column_captions=["0.12345678"] * 3
    )
    above = captioned[: captioned.shape[0] - BLACK_GRID.shape[0] - 10, :, 0]
    for boundary in (10 + 1 + 58, 10 + 1 + 116):
        assert (above[:, boundary - 1 : boundary + 1] == 255).all()
    assert dark_pixels(above) > 50


def test_a_long_title_widens_the_picture():
    captioned = add_captions(BLACK_GRID, num_columns=3, num_rows=2, title="A long title " * 10)
    assert captioned.shape[1] > BLACK_GRID.shape[1] + 200
    assert (captioned[:, -9:] == 255).all()


def test_colour_grids_get_captions_in_grey():
    grid = image_grid(np.zeros((2, 56, 56, 3), np.uint8), 2)
    captioned = add_captions(grid, num_columns=2, num_rows=1, title="Title")
    assert captioned.shape[-1] == 3
    above = captioned[: captioned.shape[0] - grid.shape[0] - 10].astype(int)
    assert dark_pixels(above) > 100
    assert (np.ptp(above, axis=-1) == 0).all()


def test_the_caption_stands_in_a_white_strip_below_the_image():
    image = np.zeros((150, 150, 1), np.uint8)
    framed = caption_below(image, "step 12,400", 0)
    np.testing.assert_array_equal(framed[:150], image)
    strip = framed[150:]
    assert strip.shape[0] >= 20
    assert strip.shape[1:] == (150, 1)
    assert dark_pixels(strip) > 50
    # No letter touches an edge.
    assert (strip[:3] == 255).all()
    assert (strip[-3:] == 255).all()
    assert (strip[:, :8] == 255).all()


def test_steps_can_be_told_apart():
    image = np.zeros((150, 150, 1), np.uint8)
    strips = [caption_below(image, f"step {step}", 0)[150:] for step in (0, 200, 400)]
    assert not np.array_equal(strips[0], strips[1])
    assert not np.array_equal(strips[1], strips[2])


def test_a_small_image_is_widened_for_its_caption():
    width = caption_width("step 1,000,000", 20)
    framed = caption_below(np.zeros((20, 20, 3), np.uint8), "step 1,000,000", width)
    assert framed.shape[1:] == (width, 3)
    assert (framed[:, -8:] == 255).all()
    wider = caption_below(np.zeros((20, 20, 1), np.uint8), "a", 100)
    assert wider.shape[1] == 100
    np.testing.assert_array_equal(wider[:20, 40:60], 0)
    np.testing.assert_array_equal(wider[:20, :40], 255)


def test_pictures_with_titles_of_different_lengths_get_one_size():
    grid = np.full((20, 20, 1), 128, np.uint8)
    short, wide = "prior: N(0, I)", "prior: mixture of 88,888 Gaussians"
    options = {"num_columns": 1, "num_rows": 1, "widest_title": wide}
    pictures = [add_captions(grid, title=title, **options) for title in (short, wide)]
    assert pictures[0].shape == pictures[1].shape
    assert add_captions(grid, title=short, num_columns=1, num_rows=1).shape < pictures[0].shape
