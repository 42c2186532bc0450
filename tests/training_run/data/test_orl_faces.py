from types import SimpleNamespace

import numpy as np
import pytest

from training_run.data import orl_faces
from training_run.errors import UserError

HEADER = b"P5\n92 112\n255\n"
RAMP = np.clip(np.arange(112)[:, None] + np.arange(92), 20, 200).astype(np.uint8)


def as_text(content):
    """What a tool does that takes a file for text: every line end becomes CR LF, once."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def config(path=None, image_size=None, num_channels=None):
    return SimpleNamespace(
        dataset="orl_faces", path=path, image_size=image_size, num_channels=num_channels
    )


def test_a_photograph_is_read_as_it_is():
    pixels = RAMP.copy()
    pixels[3, 4:6] = 13, 10
    np.testing.assert_array_equal(orl_faces.decode_pgm(HEADER + pixels.tobytes()), pixels)


def test_converted_line_ends_are_undone():
    pixels = RAMP.copy()
    pixels[10, 20] = pixels[50, 3] = pixels[50, 5] = 10
    damaged = as_text(HEADER + pixels.tobytes())
    assert len(damaged) == len(HEADER) + 3 + pixels.size + 3
    np.testing.assert_array_equal(orl_faces.decode_pgm(damaged), pixels)


def test_a_carriage_return_that_belongs_to_the_picture_is_found():
    # 13 followed by 10 stood in the picture; the tool left this pair as it was.
    pixels = RAMP.copy()
    pixels[10, 20] = pixels[90, 7] = 10
    pixels[60, 40:42] = 13, 10
    damaged = as_text(HEADER + pixels.tobytes())
    assert len(damaged) == len(HEADER) + 3 + pixels.size + 2
    np.testing.assert_array_equal(orl_faces.decode_pgm(damaged), pixels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it starts with b''"),
        (b"P5\n64 64\n255\n" + bytes(64 * 64), "it starts with"),
        (HEADER + bytes(92 * 112 - 1), "10303 pixels instead of 10304"),
        (HEADER.replace(b"\n", b"\r\n") + bytes(92 * 112 + 1), "10305 pixels instead of 10304"),
        (HEADER.replace(b"\n", b"\r\n") + bytes(92 * 112 - 1), "10303 pixels instead of 10304"),
    ],
)
def test_other_files_are_refused(content, reason):
    with pytest.raises(ValueError, match=reason):
        orl_faces.decode_pgm(content)


@pytest.fixture
def folder(tmp_path):
    """Forty people, ten photographs each; the grey level tells which is which."""
    for person in range(1, 41):
        (tmp_path / f"s{person}").mkdir()
        for photograph in range(1, 11):
            pixels = bytes([6 * person + photograph - 1]) * (92 * 112)
            (tmp_path / f"s{person}" / f"{photograph}.pgm").write_bytes(HEADER + pixels)
    return tmp_path


def test_the_tenth_photograph_of_each_person_is_held_out(folder):
    data = orl_faces.find(config(str(folder))).read(pytest.fail)
    spec = orl_faces.find(config(str(folder))).spec
    assert data.x_train.shape == (spec.num_train, *spec.image_shape) == (360, 64, 64, 1)
    assert data.x_test.shape == (40, 64, 64, 1)
    np.testing.assert_array_equal(data.y_train, np.tile(np.arange(40), 9))
    np.testing.assert_array_equal(data.y_test, np.arange(40))
    np.testing.assert_array_equal(data.x_test[:, 0, 0, 0], 6 * np.arange(1, 41) + 9)
    np.testing.assert_array_equal(data.x_train[:41, 5, 7, 0], [*range(6, 246, 6), 7])
    assert data.num_classes == spec.num_classes == 40


def test_size_and_colour(folder):
    data = orl_faces.find(config(str(folder), image_size=16, num_channels=3)).read(pytest.fail)
    assert data.x_train.shape == (360, 16, 16, 3)


def test_a_missing_photograph_is_named(folder):
    (folder / "s7" / "3.pgm").unlink()
    with pytest.raises(UserError, match=r"expected s7/3\.pgm, a binary PGM of 92x112"):
        orl_faces.find(config(str(folder))).read(pytest.fail)


@pytest.mark.network
def test_the_real_faces_stand_upright():
    try:
        data = orl_faces.find(config()).read(print)
    except UserError as error:
        pytest.skip(str(error))
    assert data.x_train.shape == (360, 64, 64, 1)
    mean_face = data.x_train.mean(axis=0)[..., 0]
    # More alike left to right (0.90) than top to bottom (0.81); cheeks are lighter than hair.
    across = np.corrcoef(mean_face.ravel(), mean_face[:, ::-1].ravel())[0, 1]
    down = np.corrcoef(mean_face.ravel(), mean_face[::-1].ravel())[0, 1]
    assert across > down + 0.05
    assert mean_face[36:44, 16:24].mean() > mean_face[:6, 24:40].mean() + 30
