import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from training_run.config.sections import DataConfig
from training_run.data.image_folder import find as image_folder
from training_run.data.image_folder import pixels
from training_run.data.image_folder.listing import list_images
from training_run.errors import UserError


def config(path, image_size=8, num_channels=3, **more):
    return DataConfig(
        dataset="image_folder",
        path=str(path),
        image_size=image_size,
        num_channels=num_channels,
        **{"labels": "none", "cache": False, **more},
    )


def save(path, colour="red", size=(10, 10), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def load(path, **settings):
    """`ImageData`, and the lines on what is odd, but that images of one colour are equal."""
    lines = []
    data = image_folder.find(config(path, **settings)).read(lines.append)
    assert any("reading" in line for line in lines)
    return data, [line for line in lines if "reading" not in line and "equal" not in line]


def png(width, height, compressed_rows):
    """A grey PNG file that claims any size."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", compressed_rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_nested_folders_sizes_and_kinds(tmp_path):
    for number, (size, suffix) in enumerate(
        [
            ((10, 30), "png"),
            ((64, 9), "JPG"),
            ((8, 8), "bmp"),
            ((500, 400), "webp"),
            ((3, 2), "tif"),
        ]
        * 4
    ):
        save(tmp_path / f"a{number % 3}" / f"b{number % 2}" / f"{number}.{suffix}", "blue", size)
    data, lines = load(tmp_path)
    assert len(lines) == 1  # on the images of 3x2 pixels
    assert data.x_train.shape == (18, 8, 8, 3)
    assert data.x_test.shape == (2, 8, 8, 3)
    assert data.x_train.dtype == np.uint8
    assert np.abs(data.x_train.astype(int) - [0, 0, 255]).max() <= 3
    assert (data.y_train, data.y_test, data.num_classes) == (None, None, None)
    spec = image_folder.find(config(tmp_path)).spec
    assert (spec.num_train, spec.image_shape, spec.num_classes) == (18, (8, 8, 3), None)


def test_the_folder_is_listed_once(tmp_path, monkeypatch):
    for number in range(3):
        save(tmp_path / "below" / f"{number}.png")
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    dataset = image_folder.find(config(tmp_path))
    assert len(listed) == 2  # the folder and the one below it
    save(tmp_path / "late.png")
    data = dataset.read(lambda line: None)
    assert len(listed) == 2
    assert len(data.x_train) + len(data.x_test) == 3


def test_a_broken_exif_block_does_no_harm(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.jpg", "white", exif=b"Exif\0\0nonsense")
    data, lines = load(tmp_path)
    assert lines == []
    assert data.x_train.min() == 255


def test_defaults_are_64_pixels_and_colour(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.png")
    data, _ = load(tmp_path, image_size=None, num_channels=None)
    assert data.x_train.shape == (1, 64, 64, 3)


def test_order_is_that_of_hashed_names_wherever_the_folder_is(tmp_path):
    orders = []
    for place, numbers in (("one", range(40)), ("two", reversed(range(40)))):
        for number in numbers:
            save(tmp_path / place / f"class{number // 10}" / f"{number}.png", (number, 0, 0))
        data, _ = load(tmp_path / place)
        orders.append([*data.x_train[:, 0, 0, 0], *data.x_test[:, 0, 0, 0]])
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(40))
    # `printf class0/5.png | sha256sum` starts with 018762, the lowest of all.
    assert orders[0][:3] == [5, 10, 0]
    assert len({number // 10 for number in orders[0][-12:]}) > 1


def test_the_centre_is_cut_out_upright(tmp_path):
    # A wide and a tall picture: green centre square, blue and red to the sides of it.
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, :40], wide[:, 40:80], wide[:, 80:] = (0, 0, 255), (0, 255, 0), (255, 0, 0)
    wide[:20, 40:60] = 255  # white in the upper left quarter of the centre
    for number in range(2):
        Image.fromarray(wide).save(tmp_path / f"{number}.png")
    square = load(tmp_path)[0].x_train[0]
    np.testing.assert_array_equal(square[1, 1], [255, 255, 255])
    for row, column in ((1, 6), (6, 1), (6, 6)):
        np.testing.assert_array_equal(square[row, column], [0, 255, 0])
    assert square[..., 2].min() == 0
    for number in range(2):
        Image.fromarray(wide.swapaxes(0, 1)).save(tmp_path / f"{number}.png")
    np.testing.assert_array_equal(load(tmp_path)[0].x_train[0], square.swapaxes(0, 1))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_cameras_held_any_way_give_upright_pictures(tmp_path, orientation, suffix):
    upright = np.zeros((60, 80, 3), np.uint8)
    upright[:30, 10:40] = 255  # upper left
    upright[:30, 40:70] = (255, 0, 0)  # upper right
    stored = Image.fromarray(upright)
    # What is stored turns into `upright` when the reader turns it as the number says.
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = stored if undo is None else stored.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for number in range(2):
        stored.save(tmp_path / f"{number}.{suffix}", exif=exif)
    square = load(tmp_path)[0].x_train[0]
    np.testing.assert_array_equal(square[1, 1], [255, 255, 255])
    np.testing.assert_array_equal(square[1, 6], [255, 0, 0])
    np.testing.assert_array_equal(square[6, 1], [0, 0, 0])


def one_picture(image, num_channels):
    return pixels.square_pixels(image, 4, num_channels)[0, 0].tolist()


@pytest.mark.parametrize(
    ("mode", "colour", "as_grey", "as_colour"),
    [
        ("1", 1, [255], [255, 255, 255]),
        ("L", 100, [100], [100, 100, 100]),
        ("LA", (100, 255), [100], [100, 100, 100]),
        ("LA", (100, 0), [255], [255, 255, 255]),
        ("RGB", (255, 0, 0), [76], [255, 0, 0]),
        ("RGBA", (255, 0, 0, 255), [76], [255, 0, 0]),
        ("RGBA", (255, 0, 0, 0), [255], [255, 255, 255]),
        ("CMYK", (0, 255, 255, 0), [76], [255, 0, 0]),
        ("I;16", 65535, [255], [255, 255, 255]),
        ("I;16", 257 * 7, [7], [7, 7, 7]),
        ("I", 257 * 7, [7], [7, 7, 7]),
    ],
)
def test_every_mode(mode, colour, as_grey, as_colour):
    image = Image.new(mode, (9, 5), colour)
    assert one_picture(image, 1) == pytest.approx(as_grey, abs=1)
    assert one_picture(image, 3) == pytest.approx(as_colour, abs=1)


def test_palettes_with_and_without_transparency(tmp_path):
    image = Image.new("P", (6, 6), 1)
    image.putpalette([0, 0, 0, 0, 0, 255])
    assert one_picture(image, 3) == [0, 0, 255]
    image.save(tmp_path / "clear.png", transparency=1)
    with Image.open(tmp_path / "clear.png") as clear:
        assert one_picture(clear, 3) == [255, 255, 255]


@pytest.mark.parametrize(("mode", "value"), [("F", 0.5), ("I", 1 << 20), ("I", -1)])
def test_pixels_of_unknown_range_are_refused(mode, value):
    with pytest.raises(ValueError, match="of unknown range"):
        one_picture(Image.new(mode, (4, 4), value), 1)


def test_broken_files_are_named_and_left_out(tmp_path):
    for number in range(20):
        save(tmp_path / "good" / f"{number}.png", "white")
    bad = tmp_path / "bad"
    bad.mkdir()
    save(tmp_path / "whole.jpg", size=(300, 300))
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "whole.jpg").unlink()
    (bad / "cut.jpg").write_bytes(content[: len(content) // 2])
    (bad / "text.png").write_text("I am a letter.")
    (bad / "empty.gif").write_bytes(b"")
    (bad / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    (bad / "bomb.png").write_bytes(png(60000, 60000, zlib.compress(bytes(1000))))
    (bad / "smaller.png").write_bytes(png(9000, 9000, zlib.compress(bytes(1000))))
    (bad / "folder.png").mkdir()
    (bad / ".hidden.png").write_text("not looked at")
    data, lines = load(tmp_path)
    assert len(data.x_train) + len(data.x_test) == 20
    assert data.x_train.min() == 255
    assert "6 unreadable ones left out" in data.source
    assert lines[:2] == [
        "image_folder: 1 hidden file is left out",
        "image_folder: 6 could not be read and are left out:",
    ]
    named = dict(line.strip().split(": ", 1) for line in lines[2:])
    assert named.keys() == {
        f"bad/{name}"
        for name in ("cut.jpg", "text.png", "empty.gif", "page.png", "bomb.png", "smaller.png")
    }
    assert named["bad/text.png"] == "no image in any known format"
    assert named["bad/smaller.png"] == "too large to decode: 9000x9000"
    assert "decompression bomb" in named["bad/bomb.png"]
    assert "truncated" in named["bad/cut.jpg"]


def test_a_good_image_keeps_its_place_when_a_bad_one_is_left_out(tmp_path):
    for number in range(100):
        save(tmp_path / f"{number}.png", (number, 0, 0))
    files = list_images(tmp_path).files
    names = [file.name for file in files]
    for index in (0, 17, 50):
        (tmp_path / names[index]).write_text("spoilt")
    data, _ = load(tmp_path)
    reds = [*data.x_train[:, 0, 0, 0], *data.x_test[:, 0, 0, 0]]
    kept = [name for index, name in enumerate(names) if index not in (0, 17, 50)]
    assert reds == [int(name.removesuffix(".png")) for name in kept]


def test_many_broken_files_are_counted_not_all_named(tmp_path):
    for number in range(30):
        (tmp_path / f"{number}.png").write_text("no")
    for number in range(2):
        save(tmp_path / f"good{number}.png")
    _, lines = load(tmp_path)
    assert len(lines) == 12
    assert "30 could not be read" in lines[0]
    assert lines[-1] == "  and 20 more"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_links_in_circles_and_special_files(tmp_path):
    for number in range(10):
        save(tmp_path / "real" / f"{number}.png")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "real" / "self").symlink_to(".")
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    data, lines = load(tmp_path)
    assert len(data.x_train) + len(data.x_test) == 10
    assert sorted(lines[1:]) == [
        f"  {name}: not a regular file" for name in ("gone.png", "loop.png", "pipe.png")
    ]


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_that_cannot_be_printed(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.png")
    (tmp_path / "two\nlines\x1b[31m.png").write_text("no")
    with open(os.fsencode(tmp_path) + b"/bad\xff.png", "w") as file:
        file.write("no")
    _, lines = load(tmp_path)
    assert len(lines) == 3
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_a_large_jpeg_is_decoded_small(tmp_path, monkeypatch):
    # Over the limit as it is, not when reduced to an eighth each way.
    monkeypatch.setattr(pixels, "MAX_PIXELS", 800 * 700 // 60)
    for number in range(2):
        save(tmp_path / f"{number}.jpg", "green", (800, 700))
    data, lines = load(tmp_path)
    assert lines == []
    np.testing.assert_allclose(data.x_train[0, 4, 4], [0, 128, 0], atol=2)


@pytest.mark.parametrize("num_good", [0, 1])
def test_too_few_images(tmp_path, num_good):
    with pytest.raises(UserError, match=r"at least 2 images .* received .* with 0"):
        image_folder.find(config(tmp_path))
    for number in range(num_good):
        save(tmp_path / f"good{number}.png")
    for number in range(3):
        (tmp_path / f"{number}.png").write_text("no")
    with pytest.raises(UserError, match=f"at least 2 readable images .* received {num_good}"):
        load(tmp_path)


def test_the_path_must_be_a_folder(tmp_path):
    (tmp_path / "file.png").write_text("no")
    for path in (tmp_path / "file.png", tmp_path / "nothing"):
        with pytest.raises(
            UserError, match=rf"expected a folder of images, received {path}, which"
        ):
            image_folder.find(config(path))


def test_pictures_of_other_kinds_are_told_with_what_to_do(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.png")
    for name in ("a.HEIC", "b.heic", "c.nef", "d.svg", "e.mp4", "f.txt", ".g.jpg", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    notes = image_folder.find(config(tmp_path)).spec.notes
    assert notes == (
        "2 HEIC or AVIF photographs are left out (a.HEIC, b.heic): convert to JPEG, say with "
        "heif-convert",
        "1 RAW photograph is left out (c.nef): export as JPEG",
        "1 vector drawing is left out (d.svg): render to PNG, say with rsvg-convert",
        "1 video is left out (e.mp4): take frames, say with ffmpeg -i FILE frame%05d.png",
        "1 hidden file is left out",
    )


def test_a_folder_of_videos_alone(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.mp4").write_bytes(b"x")
    with pytest.raises(UserError, match=r"with 0; 5 videos are left out \(0.mp4, 1.mp4, 2.mp4, "):
        image_folder.find(config(tmp_path))


def test_of_animated_images_the_first_frame_is_taken_and_tiny_ones_are_told(tmp_path):
    save(tmp_path / "large.png", "red", (16, 16))
    save(tmp_path / "tiny.png", "red", (3, 9))
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    data, lines = load(tmp_path)
    assert lines == [
        "image_folder: of 1 animated images the first frame is taken",
        "image_folder: 1 images are smaller than 4 pixels and are enlarged, so they are blurred",
    ]
    np.testing.assert_array_equal(data.x_train[:, 4, 4], [[255, 0, 0]] * 2)


def test_images_are_measured_by_their_median_and_their_colours(tmp_path):
    for number, side in enumerate((20, 50, 60, 70, 900)):
        save(tmp_path / "grey" / f"{number}.png", "grey", (side, 2 * side))
    assert image_folder.measure(config(tmp_path / "grey")) == (60, 1)
    save(tmp_path / "grey" / "red.png", "red", (60, 60))
    save(tmp_path / "grey" / "broken.png", "red", (60, 60))
    (tmp_path / "grey" / "broken.png").write_text("no")
    assert image_folder.measure(config(tmp_path / "grey")) == (60, 3)


def test_files_of_every_kind_in_one_folder(tmp_path):
    """All of them red: as CMYK JPEG, palette with transparency, 16 bits, turned by EXIF."""
    turned = Image.Exif()
    turned[0x0112] = 6
    save(tmp_path / "cmyk.jpg", (0, 255, 255, 0), (64, 64), "CMYK", quality=100)
    save(tmp_path / "plain.jpg", "red", (640, 480), quality=95, exif=turned)
    save(tmp_path / "clear.png", (255, 0, 0, 255), mode="RGBA")
    palette = Image.new("P", (9, 9), 1)
    palette.putpalette([255, 255, 255, 255, 0, 0])
    palette.save(tmp_path / "palette.png", transparency=0)
    palette.save(tmp_path / "palette.gif", transparency=0)
    save(tmp_path / "lossless.webp", "red", lossless=True)
    data, lines = load(tmp_path)
    reds = np.concatenate([data.x_train, data.x_test]).astype(int)
    assert len(reds) == 6
    assert np.abs(reds - [255, 0, 0]).max() <= 3
    assert lines == []
    Image.fromarray(np.full((9, 9), 257 * 99, np.uint16)).save(tmp_path / "deep.png")
    data, _ = load(tmp_path, num_channels=1)
    assert 99 in np.concatenate([data.x_train, data.x_test])[:, 4, 4, 0]


def test_a_picture_of_40000_by_40000_is_not_decoded(tmp_path):
    for number in range(2):
        save(tmp_path / f"{number}.png", (number, 0, 0))
    (tmp_path / "bomb.png").write_bytes(png(40_000, 40_000, zlib.compress(bytes(1000))))
    _, lines = load(tmp_path)
    assert lines[0] == "image_folder: 1 could not be read and are left out:"
    assert "bomb.png: Image size (1600000000 pixels) exceeds limit" in lines[1]


def test_images_that_are_all_equal_are_told(tmp_path):
    for number in range(12):
        save(tmp_path / f"{number}.png", "red")
    lines = []
    image_folder.find(config(tmp_path)).read(lines.append)
    assert lines[1:] == ["image_folder: all images are equal: there is only this one to learn"]
    save(tmp_path / "other.png", "blue")
    image_folder.find(config(tmp_path)).read(lines.append)
    assert len(lines) == 3
