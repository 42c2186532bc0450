"""A run's pictures as a looping GIF, written frame by frame.

Why the file is put together here, while imageio compresses the frames: of the writers that
imageio and Pillow offer, measured with frames of 300x300 grey pixels,

- imageio's pillow plugin keeps every frame until the file is closed (1,500 frames: +270 MB),
- Pillow's own `save_all`, even when fed by a generator, does too (+140 MB), and merges equal
  neighbours into one frame,
- imageio's older writer (`get_writer(format="GIF-PIL", mode="I")`) does stream, but relies on
  Pillow's internals, refuses Pillow 10.1 to 10.4 and writes damaged files with Pillow 13.

So each frame is encoded alone, and its compressed data copied into the stream, behind a
header of ours. That holds one frame in memory, keeps each frame and its duration, and lets
a frame store only what changed, which makes the file smaller.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image

from training_run.files import atomic_path
from training_run.pictures.captions import caption_width, frame_with_caption
from training_run.pictures.pixels import display_scale, enlarge, to_pillow

MIN_WIDTH = 200


MIN_DELAY, MAX_DELAY = 2, 50  # hundredths of a second, the GIF format's unit


NUM_GREYS = 12


NUM_COLORS = 240


CAPTION_GREYS = (45, 80, 115, 150, 185, 220)


COLOR_TOLERANCE = 6


NUM_PALETTE_SAMPLES = 9


_TRAILER = b"\x3b"


_EXTENSION, _IMAGE_SEPARATOR = 0x21, 0x2C


def write_gif(
    path,
    frames,
    *,
    total_seconds=10.0,
    hold_last_seconds=2.0,
    max_frames=None,
    num_greys=NUM_GREYS,
):
    """Write a GIF that loops forever, with the step number under each picture.

    All frames but the last are shown for the same time, the last one stays longer. Viewers
    slow frames under 20 ms down, so where there are too many frames for `total_seconds`,
    evenly spaced ones are shown, the first and the last among them.

    Args:
        path: the GIF file, written whole or not at all; its folder must exist.
        frames: iterable of (step, picture). A step is an integer, shown as "step 12,400", or
            a text, shown as it is. A picture is the path of a PNG, or a uint8 array of shape
            (H, W), (H, W, 1) or (H, W, 3); all have one size. Pictures narrower than
            `MIN_WIDTH` pixels are enlarged by a whole number. Memory does not grow with the
            number of frames: arrays from a generator wait on the disk, beside `path`.
        total_seconds: about the length of one round, the hold of the last frame included.
        hold_last_seconds: how long the last frame is shown.
        max_frames: show at most so many frames (2 or more), to make the file smaller.
        num_greys: grey levels, 2 to 255. 12 are enough for digits; photographs want 64.
            Colour pictures get `NUM_COLORS` colours of their own.

    Raises:
        ValueError: there is no frame, sizes differ, or a number is out of range.
    """
    _check_numbers(total_seconds, hold_last_seconds, max_frames, num_greys)
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
        frames = frames if isinstance(frames, Sequence) else _kept_on_disk(frames, Path(folder))
        if not frames:
            raise ValueError("A GIF needs at least one frame. Received: none")
        moving_seconds = total_seconds - hold_last_seconds
        most = int(100 * moving_seconds / MIN_DELAY) + 1
        frames = thin_evenly(frames, max(2, min(most, max_frames or most)))
        delays = frame_delays(len(frames), total_seconds, hold_last_seconds)
        palette = _choose_palette(frames, num_greys)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            _write_stream(file, _drawn(frames), delays, palette)


def readable_frames(frames, report=print):
    """Frames whose pictures are whole and of the size of the last such; the others are named.

    Args:
        frames: list of (step, path of a PNG).
        report: receives a sentence for each frame that is left out.

    Returns:
        A list of (step, path).
    """
    sizes = [(frame, _size_of(frame[1])) for frame in frames]
    wanted = next((size for _, size in reversed(sizes) if size), None)
    for (_, path), size in sizes:
        if size != wanted:
            reason = f"of another size, {size[0]}x{size[1]}" if size else "damaged"
            report(f"{path}: left out of the GIF, since it is {reason}")
    return [frame for frame, size in sizes if size and size == wanted]


def _size_of(path):
    """(width, height) of a PNG whose checksums are right, else None."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            size = image.size
            image.verify()
    except Exception:  # decoders raise nearly anything at broken files
        return None
    return size


def frame_delays(num_frames, total_seconds, hold_last_seconds):
    """How long each frame is shown, in hundredths of a second.

    Returns:
        `num_frames` integers, equal but for the last: at least `MIN_DELAY`, and at most
        `MAX_DELAY`, so that a film of a few frames does not stand still.
    """
    hold = max(MIN_DELAY, round(100 * hold_last_seconds))
    if num_frames == 1:
        return [hold]
    moving_seconds = total_seconds - hold_last_seconds
    delay = round(100 * moving_seconds / (num_frames - 1))
    delay = min(max(delay, MIN_DELAY), MAX_DELAY)
    return [delay] * (num_frames - 1) + [max(delay, hold)]


def thin_evenly(items, max_items):
    """At most `max_items` (2 or more) of a sequence, evenly spaced, with the first and last."""
    if len(items) <= max_items:
        return items
    positions = np.rint(np.linspace(0, len(items) - 1, max_items)).astype(int)
    return [items[position] for position in positions]


def _check_numbers(total_seconds, hold_last_seconds, max_frames, num_greys):
    if not 0 <= hold_last_seconds < total_seconds <= 600:
        raise ValueError(
            "total_seconds must be at most 600 and longer than hold_last_seconds. "
            f"Received: {total_seconds}, {hold_last_seconds}"
        )
    if max_frames is not None and max_frames < 2:
        raise ValueError(f"max_frames must be at least 2. Received: {max_frames}")
    if not 2 <= num_greys <= 255:
        raise ValueError(f"num_greys must be 2 to 255. Received: {num_greys}")


def _kept_on_disk(frames, folder):
    """The frames as a list of (step, path): arrays are written to the folder as they come."""
    listed = []
    for index, (step, picture) in enumerate(frames):
        if isinstance(picture, np.ndarray):
            array, picture = picture, folder / f"{index:06d}.png"
            to_pillow(array).save(picture, compress_level=1)
        listed.append((step, picture))
    return listed


def _drawn(frames):
    """Yield each frame's pixels, (H, W, C) uint8, enlarged and with its caption."""
    captions = [_caption(step) for step, _ in frames]
    size = None
    for caption, (_, picture) in zip(captions, frames, strict=True):
        pixels = _read(picture)
        if size is None:
            size, scale = pixels.shape, display_scale(pixels.shape[1], MIN_WIDTH)
            min_width = max(caption_width(text, scale * size[1]) for text in captions)
        if pixels.shape != size:
            raise ValueError(
                f"The frames of a GIF must have one size. Received: {size}, "
                f"then {pixels.shape} at {caption}"
            )
        pixels = enlarge(pixels[None], scale)[0]
        yield frame_with_caption(pixels, caption, min_width=min_width)


def _caption(step):
    return step if isinstance(step, str) else f"step {step:,}"


def _read(picture):
    if not isinstance(picture, np.ndarray):
        with Image.open(picture) as image:
            picture = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    return picture if picture.ndim == 3 else picture[..., None]


def _choose_palette(frames, num_greys):
    """A palette for all frames, from a few of them: greys, or the colours they have."""
    samples = list(_drawn(thin_evenly(frames, NUM_PALETTE_SAMPLES)))
    return _GreyPalette(num_greys) if samples[0].shape[-1] == 1 else _ColorPalette(samples)


class _GreyPalette:
    """Evenly spaced greys, black and white among them.

    A pixel is drawn again only when it has moved by a whole level, or to black or white (else
    a faint fog would stay behind). That takes a third off the file, and the flicker out of
    the picture.
    """

    def __init__(self, num_greys):
        greys = np.rint(np.linspace(0, 255, num_greys)).astype(np.uint8)
        self.colors = np.repeat(greys[:, None], 3, axis=1)
        self.tolerance = 255 / (num_greys - 1)

    def indices(self, pixels):
        scaled = pixels[..., 0] / np.float32(255) * (len(self.colors) - 1)
        return np.rint(scaled).astype(np.uint8)


class _ColorPalette:
    """Colours chosen by median cut from some frames, and the greys of captions.

    Without dithering: dots that dance from frame to frame look bad and do not compress.
    """

    tolerance = COLOR_TOLERANCE

    def __init__(self, samples):
        mosaic = Image.fromarray(np.concatenate(samples))
        found = mosaic.quantize(NUM_COLORS, Image.Quantize.MEDIANCUT).getpalette()
        found = np.array(found, np.uint8).reshape(-1, 3)[:NUM_COLORS]
        greys = np.repeat(np.array(CAPTION_GREYS, np.uint8)[:, None], 3, axis=1)
        black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
        self.colors = np.concatenate([black, found, greys, white])
        self._image = Image.new("P", (1, 1))
        self._image.putpalette(_padded(self.colors).tobytes())

    def indices(self, pixels):
        image = Image.fromarray(pixels).quantize(palette=self._image, dither=Image.Dither.NONE)
        indices = np.array(image)
        # Pillow looks colours up in a coarse table, and the padding is black too.
        indices[(pixels == 0).all(axis=-1) | (indices >= len(self.colors))] = 0
        indices[(pixels == 255).all(axis=-1)] = len(self.colors) - 1
        return indices


def _write_stream(file, frames, delays, palette):
    transparent = len(palette.colors)
    shown = None
    for number, (pixels, delay) in enumerate(zip(frames, delays, strict=True), start=1):
        indices = palette.indices(pixels)
        if shown is None:
            file.write(_header(indices.shape, palette.colors))
            patch, left, top, shown = indices, 0, 0, indices
        else:
            tolerance = 0 if number == len(delays) else palette.tolerance
            changed = _changed(pixels, indices, shown, palette.colors, tolerance)
            patch, left, top = _smallest_patch(np.where(changed, indices, transparent), changed)
            shown = np.where(changed, indices, shown)
        file.write(_frame_block(patch, left, top, delay, transparent))
    file.write(_TRAILER)


def _changed(pixels, indices, shown, colors, tolerance):
    """Where a frame must be drawn: (H, W) bool. With tolerance 0, wherever it differs.

    The first and the last colour of a palette, black and white, are always drawn.
    """
    distance = np.abs(pixels.astype(np.int16) - colors[shown][..., : pixels.shape[-1]])
    is_extreme = (indices == 0) | (indices == len(colors) - 1)
    return (indices != shown) & (is_extreme | (distance.max(axis=-1) > tolerance))


def _smallest_patch(patch, changed):
    """The rectangle of `patch` that holds every changed pixel, and its left and top."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return patch[:1, :1].astype(np.uint8), 0, 0
    top, left = rows[0], columns[0]
    return patch[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8), left, top


def _header(shape, colors):
    """Screen, palette of 256 colours, and the loop-forever extension."""
    height, width = shape
    screen = b"GIF89a" + _words(width, height) + b"\xf7\x00\x00"
    return screen + _padded(colors).tobytes() + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def _padded(colors):
    """The (P, 3) colours as a full table: (256, 3), black beyond them."""
    return np.pad(colors, ((0, 256 - len(colors)), (0, 0)))


def _frame_block(patch, left, top, delay, transparent):
    """One frame that is laid over what is there; its transparent pixels leave that as it is."""
    keep_and_transparent = 0x05
    control = bytes([_EXTENSION, 0xF9, 4, keep_and_transparent])
    control += _words(delay) + bytes([transparent, 0])
    height, width = patch.shape
    descriptor = bytes([_IMAGE_SEPARATOR]) + _words(left, top, width, height) + b"\x00"
    return control + descriptor + _compressed(patch)


def _compressed(patch):
    """The compressed image data of a GIF that shows these palette indices, (H, W) uint8.

    `optimize` would renumber the indices, `interlace` reorder the rows.
    """
    encoded = iio.imwrite(
        "<bytes>", patch, plugin="pillow", extension=".gif", optimize=False, interlace=0
    )
    packed = encoded[10]
    position = 13 + (3 << (1 + (packed & 7)) if packed & 0x80 else 0)
    while encoded[position] == _EXTENSION:
        position = _after_sub_blocks(encoded, position + 2)
    local = encoded[position + 9]
    position += 10 + (3 << (1 + (local & 7)) if local & 0x80 else 0)
    return encoded[position : _after_sub_blocks(encoded, position + 1)]


def _after_sub_blocks(encoded, position):
    while encoded[position]:
        position += 1 + encoded[position]
    return position + 1


def _words(*values):
    """Unsigned 16-bit numbers, low byte first."""
    return b"".join(int(value).to_bytes(2, "little") for value in values)
