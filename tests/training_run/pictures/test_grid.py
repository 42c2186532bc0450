import numpy as np
import pytest
from PIL import Image

from training_run.pictures.captions import add_captions, caption_width, frame_with_caption
from training_run.pictures.grid import image_grid, interleave_rows, save_image_grid
from training_run.pictures.pixels import display_scale, to_uint8


def constant_images(*levels, size=2, num_channels=1):
    shape = (len(levels), size, size, num_channels)
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], shape)


# to_uint8


def test_to_uint8_maps_the_range_rounds_and_clips():
    images = np.array([-9.0, -1.0, -0.5, 0.0, 0.5, 1.0, 9.0], np.float32)
    # (x + 1) * 127.5 = ..., 0, 63.75, 127.5 (to even), 191.25, 255, ...
    assert to_uint8(images, (-1, 1)).tolist() == [0, 0, 64, 128, 191, 255, 255]
    assert to_uint8(images, (-1, 1)).dtype == np.uint8


def test_to_uint8_undoes_the_scaling_of_every_level():
    levels = np.arange(256, dtype=np.uint8)
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        scaled = (low + levels / 255.0 * (high - low)).astype(np.float32)
        np.testing.assert_array_equal(to_uint8(scaled, (low, high)), levels)


def test_to_uint8_leaves_pixels_alone():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(levels, (-1, 1)), levels)


def test_to_uint8_takes_half_precision():
    assert to_uint8(np.array([0.0, 1.0], np.float16), (0, 1)).tolist() == [0, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_to_uint8_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match=r"Received: 1 NaN or infinite of 3"):
        to_uint8(np.array([0.0, bad, 1.0]), (0, 1))


def test_to_uint8_refuses_an_empty_range():
    with pytest.raises(ValueError, match=r"Received: \(1, 1\)"):
        to_uint8(np.zeros(3), (1, 1))


# image_grid


def test_grid_of_two_by_two_constant_images():
    grid = image_grid(constant_images(10, 20, 30, 40), 2, padding=1, background=0)
    expected = [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 10, 10, 0, 20, 20, 0],
        [0, 10, 10, 0, 20, 20, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 30, 30, 0, 40, 40, 0],
        [0, 30, 30, 0, 40, 40, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert grid.dtype == np.uint8
    np.testing.assert_array_equal(grid[..., 0], expected)


def test_the_last_row_may_be_partly_filled():
    grid = image_grid(constant_images(1, 2, 3, size=1), 2, padding=0)
    np.testing.assert_array_equal(grid[..., 0], [[1, 2], [3, 255]])


def test_the_only_row_may_be_partly_filled():
    grid = image_grid(constant_images(1, 2, size=1), 4, padding=0)
    np.testing.assert_array_equal(grid[..., 0], [[1, 2, 255, 255]])


def test_grid_keeps_colours_and_shapes_that_are_not_square():
    images = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    grid = image_grid(images, 1, padding=0)
    np.testing.assert_array_equal(grid, images.reshape(4, 3, 3))


def test_enlargement_is_by_whole_pixels_and_leaves_the_lines():
    images = np.array([[1, 2], [3, 4]], np.uint8).reshape(1, 2, 2, 1)
    grid = image_grid(images, 1, padding=1, scale=2, background=9)
    expected = [
        [9, 9, 9, 9, 9, 9],
        [9, 1, 1, 2, 2, 9],
        [9, 1, 1, 2, 2, 9],
        [9, 3, 3, 4, 4, 9],
        [9, 3, 3, 4, 4, 9],
        [9, 9, 9, 9, 9, 9],
    ]
    np.testing.assert_array_equal(grid[..., 0], expected)


def test_a_grid_does_not_change_its_input():
    images = constant_images(1, 2).copy()
    grid = image_grid(images, 2)
    grid[:] = 0
    np.testing.assert_array_equal(images, constant_images(1, 2))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 28, 28), np.uint8), r"Received: an array of shape \(4, 28, 28\)"),
        (np.zeros((4, 28, 28, 2), np.uint8), r"Received: an array of shape \(4, 28, 28, 2\)"),
        (np.zeros((0, 28, 28, 1), np.uint8), r"Received: shape \(0, 28, 28, 1\)"),
        (np.zeros((4, 28, 28, 1), np.float32), r"Received: float32"),
    ],
)
def test_grid_refuses_what_is_no_batch_of_images(images, message):
    with pytest.raises(ValueError, match=message):
        image_grid(images, 2)


def test_grid_refuses_no_columns():
    with pytest.raises(ValueError, match="Received: 0"):
        image_grid(constant_images(1), 0)


@pytest.mark.parametrize(("width", "scale"), [(1, 56), (28, 2), (32, 2), (55, 2), (56, 1), (64, 1)])
def test_display_scale_makes_images_wide_enough(width, scale):
    assert display_scale(width) == scale


# interleave_rows


def test_interleaved_rows_stand_one_above_the_other():
    originals, reconstructions = (
        constant_images(1, 2, 3, size=1),
        constant_images(11, 12, 13, size=1),
    )
    ordered = interleave_rows([originals, reconstructions], 2)
    grid = image_grid(ordered, 2, padding=0)[..., 0]
    np.testing.assert_array_equal(grid, [[1, 2], [11, 12], [3, 255], [13, 255]])


def test_three_sets_interleave_too_and_keep_each_image_whole():
    images = np.arange(4 * 2 * 3 * 1, dtype=np.uint8).reshape(4, 2, 3, 1)
    ordered = interleave_rows([images, images + 50, images + 100], 4)
    np.testing.assert_array_equal(ordered, np.concatenate([images, images + 50, images + 100]))


def test_sets_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"Received: \[\(1, 2, 2, 1\), \(2, 2, 2, 1\)\]"):
        interleave_rows([constant_images(1), constant_images(1, 2)], 2)


# save_image_grid


def test_saved_grid_is_the_grid(tmp_path):
    path = tmp_path / "grid.png"
    save_image_grid(path, np.array([-1.0, 1.0]).reshape(2, 1, 1, 1), (-1, 1), 2, scale=1, padding=1)
    image = Image.open(path)
    assert image.mode == "L"
    np.testing.assert_array_equal(
        np.asarray(image), [[255] * 5, [255, 0, 255, 255, 255], [255] * 5]
    )
    assert [file.name for file in tmp_path.iterdir()] == ["grid.png"]


def test_digits_are_enlarged_by_default(tmp_path):
    save_image_grid(tmp_path / "grid.png", np.zeros((25, 28, 28, 1)), (0, 1), 5)
    assert Image.open(tmp_path / "grid.png").size == (5 * 58 + 2, 5 * 58 + 2)


def test_colour_is_saved_as_colour(tmp_path):
    image = np.zeros((1, 1, 1, 3), np.float32)
    image[..., 0] = 1.0
    save_image_grid(tmp_path / "red.png", image, (0, 1), 1, scale=1, padding=0)
    assert Image.open(tmp_path / "red.png").convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_same_images_same_bytes_and_no_date(tmp_path):
    images = np.random.default_rng(0).random((6, 8, 8, 1))
    for name in ("a.png", "b.png"):
        save_image_grid(
            tmp_path / name, images, (0, 1), 3, title="A title", row_captions=["one", "two"]
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").info == {}


def test_a_refused_grid_leaves_the_old_file(tmp_path):
    path = tmp_path / "grid.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="Received"):
        save_image_grid(path, np.full((1, 4, 4, 1), np.nan), (0, 1), 1)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["grid.png"]


# Captions

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


def test_long_column_captions_do_not_touch():
    captioned = add_captions(BLACK_GRID, num_columns=3, num_rows=2, column_captions=["W" * 40] * 3)
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


def test_more_captions_than_columns_are_refused():
    with pytest.raises(ValueError, match=r"than columns \(3\). Received: \['a', 'b', 'c', 'd'\]"):
        add_captions(BLACK_GRID, num_columns=3, num_rows=2, column_captions=list("abcd"))


# Frames


def test_a_frame_has_the_picture_above_a_strip_with_text():
    picture = np.zeros((150, 150, 1), np.uint8)
    frame = frame_with_caption(picture, "step 12,400")
    np.testing.assert_array_equal(frame[:150], picture)
    strip = frame[150:]
    assert strip.shape[0] >= 20
    assert strip.shape[1:] == (150, 1)
    assert dark_pixels(strip) > 50
    # Quiet margins: no letter touches an edge.
    assert (strip[:3] == 255).all()
    assert (strip[-3:] == 255).all()
    assert (strip[:, :8] == 255).all()


def test_steps_can_be_told_apart():
    picture = np.zeros((150, 150), np.uint8)
    strips = [frame_with_caption(picture, f"step {step}")[150:] for step in (0, 200, 400)]
    assert not np.array_equal(strips[0], strips[1])
    assert not np.array_equal(strips[1], strips[2])


def test_a_frame_is_wide_enough_for_its_caption():
    frame = frame_with_caption(np.zeros((20, 20, 3), np.uint8), "step 1,000,000")
    assert frame.shape[1] == caption_width("step 1,000,000", 20)
    assert frame.shape[2] == 3
    assert (frame[:, -8:] == 255).all()
    wider = frame_with_caption(np.zeros((20, 20), np.uint8), "a", min_width=100)
    assert wider.shape[1] == 100
    np.testing.assert_array_equal(wider[:20, 40:60], 0)
    np.testing.assert_array_equal(wider[:20, :40], 255)


def test_a_frame_must_be_a_picture():
    with pytest.raises(ValueError, match=r"Received: float64 of shape \(4, 4\)"):
        frame_with_caption(np.zeros((4, 4)), "step 0")
