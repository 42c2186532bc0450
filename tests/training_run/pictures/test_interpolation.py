import itertools

import numpy as np
import pytest
from PIL import Image

from training_run.cli.arguments import check_frames
from training_run.errors import UserError
from training_run.pictures.interpolation import (
    FRAMES_AT_ENDS,
    MIN_ANIMATION_FRAMES,
    animation_images,
    forwards_and_backwards,
    latents_between,
    linear,
    percentages,
    rows_by_label,
    spherical,
    write_interpolation,
)


def test_the_line_by_hand():
    points = linear(np.array([1.0, 0.0]), np.array([3.0, 4.0]), [0, 0.25, 1])
    np.testing.assert_allclose(points, [[1, 0], [1.5, 1], [3, 4]], atol=1e-12)


def test_the_arc_by_hand():
    """A third of a right angle is 30 degrees; lengths of 2 stay 2."""
    points = spherical(np.array([2.0, 0.0]), np.array([0.0, 2.0]), [0, 1 / 3, 1])
    np.testing.assert_allclose(points, [[2, 0], [np.sqrt(3), 1], [0, 2]], atol=1e-12)


@pytest.mark.parametrize("path_between", [linear, spherical])
def test_both_paths_start_and_end_exactly(path_between):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 50)).astype(np.float32)
    latents = latents_between(a, b, 11, path_between)
    assert latents.dtype == np.float32
    assert latents.shape == (11, 50)
    np.testing.assert_array_equal(latents[0], a)
    np.testing.assert_array_equal(latents[-1], b)


def test_the_arc_keeps_to_the_sphere_that_the_line_leaves():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 100))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    lengths = [np.linalg.norm(latents_between(a, b, 5, path)[2]) for path in (linear, spherical)]
    assert lengths[0] < 0.8 * np.linalg.norm(a)
    assert lengths[1] == pytest.approx(np.linalg.norm(a), rel=1e-6)


@pytest.mark.parametrize("b", [[2.0, 4.0], [-1.0, -2.0], [0.0, 0.0]])
def test_without_an_arc_there_is_the_line(b):
    a, b, t = np.array([1.0, 2.0]), np.array(b), [0, 0.3, 1]
    np.testing.assert_allclose(spherical(a, b, t), linear(a, b, t), atol=1e-12)


def test_percentages_are_whole():
    assert percentages(4) == ["0%", "33%", "67%", "100%"]
    assert percentages(11)[:3] == ["0%", "10%", "20%"]


def test_the_animation_comes_back_and_stays_at_both_ends_alike():
    frames = forwards_and_backwards(list("abcd"))
    assert [frame for frame, _ in itertools.groupby(frames)] == list("abcdcb")
    assert frames.count("a") == frames.count("d") == FRAMES_AT_ENDS


@pytest.mark.parametrize("num_frames", [-1, 0, 1, 102])
def test_lengths_that_are_no_strip_are_refused(num_frames):
    with pytest.raises(UserError, match=f"expected 2 to 101, received {num_frames}"):
        check_frames(num_frames)


def bright_as(z, labels):
    """2x2 images as bright as the first latent, or as the label."""
    levels = z[:, 0] if labels is None else labels / 10
    return np.broadcast_to(np.reshape(levels, (-1, 1, 1, 1)), (len(z), 2, 2, 1))


def test_one_row_for_each_label():
    z = np.zeros((3, 1), np.float32)
    rows = rows_by_label(bright_as, [4, 7])(z)
    assert rows.shape == (2, 3, 2, 2, 1)
    np.testing.assert_allclose(rows[:, :, 0, 0, 0], [[0.4] * 3, [0.7] * 3])
    assert rows_by_label(bright_as)(z).shape == (1, 3, 2, 2, 1)


def test_rows_stand_side_by_side_in_the_animation():
    rows = rows_by_label(bright_as, range(10))(np.zeros((1, 1)))
    (picture,) = animation_images(rows, (0, 1))
    # Two rows of five, 56 pixels wide and high, with lines of 2 between and around.
    assert picture.shape == (2 * 58 + 2, 5 * 58 + 2, 1)
    assert picture[30, 30, 0] == 0
    assert picture[88, 30, 0] == round(255 * 0.5)


def test_a_strip_and_an_animation(tmp_path):
    ends = np.array([[0.0], [1.0]], np.float32)
    path = tmp_path / "x.png"
    gif_path = write_interpolation(path, rows_by_label(bright_as), ends, (0, 1), num_frames=3)
    assert gif_path == tmp_path / "x.gif"
    strip = np.asarray(Image.open(path))
    # From the right and from below: a margin of 10, a line of 2, images of 56.
    assert strip.shape[1] == 10 + 3 * 58 + 2 + 10
    assert [strip[-40, 10 + 30 + 58 * k] for k in range(3)] == [0, 128, 255]
    with Image.open(gif_path) as gif:
        middles = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            middles.append(np.asarray(gif.convert("L"))[100, 100])
    top = middles.index(255)
    assert middles[0] == 0
    assert middles[: top + 1] == sorted(middles[: top + 1])
    assert middles[top:] == sorted(middles[top:], reverse=True)
    assert len(set(middles)) > 20
    assert gif.n_frames == 2 * (MIN_ANIMATION_FRAMES - 2) + 2 * FRAMES_AT_ENDS
