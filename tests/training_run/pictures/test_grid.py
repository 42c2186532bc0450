import numpy as np
import pytest
from PIL import Image

from training_run.pictures.grid import image_grid, interleave_rows, save_image_grid


def constant_images(*levels, size=2, num_channels=1):
    shape = (len(levels), size, size, num_channels)
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], shape)


def test_grid_of_two_by_two_constant_images():
    grid = image_grid(constant_images(10, 20, 30, 40), 2, padding=1)
    expected = [
        [255, 255, 255, 255, 255, 255, 255],
        [255, 10, 10, 255, 20, 20, 255],
        [255, 10, 10, 255, 20, 20, 255],
        [255, 255, 255, 255, 255, 255, 255],
        [255, 30, 30, 255, 40, 40, 255],
        [255, 30, 30, 255, 40, 40, 255],
        [255, 255, 255, 255, 255, 255, 255],
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
    grid = image_grid(images, 1, padding=1, scale=2)
    assert grid.shape == (6, 6, 1)
    np.testing.assert_array_equal(grid[1:5:2, 1:5:2, 0], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(grid[2:5:2, 2:5:2, 0], [[1, 2], [3, 4]])
    grid[1:5, 1:5] = 255
    assert (grid == 255).all()


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
        (np.zeros((0, 28, 28, 1), np.uint8), r"Received: an array of shape \(0, 28, 28, 1\)"),
        (np.zeros((4, 28, 28, 1), np.float32), r"Received: float32"),
    ],
)
def test_grid_refuses_what_is_no_batch_of_images(images, message):
    with pytest.raises(ValueError, match=message):
        image_grid(images, 2)


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
    with pytest.raises(ValueError, match="same shape"):
        interleave_rows([constant_images(1), constant_images(1, 2)], 2)


# save_image_grid


def test_saved_grid_is_the_grid(tmp_path):
    path = tmp_path / "grid.png"
    save_image_grid(path, np.array([-1.0, 1.0]).reshape(2, 1, 1, 1), (-1, 1), 2)
    image = Image.open(path)
    assert image.mode == "L"
    expected = image_grid(constant_images(0, 255, size=56), 2)
    np.testing.assert_array_equal(np.asarray(image), expected[..., 0])
    assert [file.name for file in tmp_path.iterdir()] == ["grid.png"]


def test_digits_are_enlarged_by_default(tmp_path):
    save_image_grid(tmp_path / "grid.png", np.zeros((25, 28, 28, 1)), (0, 1), 5)
    assert Image.open(tmp_path / "grid.png").size == (5 * 58 + 2, 5 * 58 + 2)


def test_colour_is_saved_as_colour(tmp_path):
    image = np.zeros((1, 1, 1, 3), np.float32)
    image[..., 0] = 1.0
    save_image_grid(tmp_path / "red.png", image, (0, 1), 1)
    assert Image.open(tmp_path / "red.png").getpixel((2, 2)) == (255, 0, 0)


def test_same_images_same_bytes_and_no_date(tmp_path):
    images = np.random.default_rng(0).random((6, 8, 8, 1))
    for name in ("a.png", "b.png"):
        save_image_grid(tmp_path / name, images, (0, 1), 3, row_captions=["one", "two"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").info == {}


def test_a_refused_grid_leaves_the_old_file(tmp_path):
    path = tmp_path / "grid.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="images are not finite"):
        save_image_grid(path, np.full((1, 4, 4, 1), np.nan), (0, 1), 1)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["grid.png"]
