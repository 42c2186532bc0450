"""A run's images as a looping GIF.

Pillow writes the file. This file chooses the frames, their durations and one palette for all of
them, and draws again only the pixels that have changed.
"""

import numpy as np
from PIL import Image

from training_run.files import atomic_path
from training_run.pictures.captions import caption_below, caption_width
from training_run.pictures.pixels import display_scale, enlarge

MIN_WIDTH = 200

MIN_DURATION, MAX_DURATION = 20, 500
"""Milliseconds of a frame. Many viewers slow down frames that are shorter."""

MAX_BYTES = 500_000_000
"""Most memory for the frames. Pillow keeps one byte a pixel until the file is written."""

NUM_GREYS = 12

NUM_COLORS = 240

CAPTION_GREYS = range(45, 256, 35)
"""From the text's colour to white, for smooth edges of letters."""

COLOR_TOLERANCE = 6
"""A pixel of a colour image is not drawn again for a change of so many levels or fewer.

For grey images it is the distance of two greys. This makes the file a third smaller and the
images flicker less.
"""

NUM_PALETTE_SAMPLES = 9


def write_gif(path, frames, *, total_seconds, hold_last_seconds, num_greys=NUM_GREYS):
    """Write a GIF that loops forever, with a caption under each image.

    All frames but the last are shown equally long. Where there are too many frames for
    `total_seconds`, or for `MAX_BYTES` of memory, evenly spaced ones are shown, the first and
    the last among them.

    Args:
        path: the GIF file, written whole or not at all; its folder must exist.
        frames: list of (step, image). A step is an integer, shown as "step 12,400", or a text,
            shown as it is. An image is the path of a PNG, or a uint8 array (H, W, C), C = 1 or
            3; all have one size. Images narrower than `MIN_WIDTH` pixels are enlarged by a
            whole number.
        total_seconds: about the length of one round, `hold_last_seconds` included.
        hold_last_seconds: how long the last frame is shown; less than `total_seconds`.
        num_greys: grey levels, 2 to 255. 12 are enough for digits; photographs want 64.
            Colour images get `NUM_COLORS` colours chosen from them.
    """
    moving_seconds = total_seconds - hold_last_seconds
    first = next(_draw(frames))
    max_frames = min(int(1000 * moving_seconds / MIN_DURATION) + 1, MAX_BYTES // first[..., 0].size)
    frames = evenly_spaced(frames, max(2, max_frames))
    colors = _evenly_spaced_greys(num_greys) if first.shape[-1] == 1 else _frequent_colors(frames)
    palette = np.broadcast_to(colors, (len(colors), 3)).tobytes() + bytes(3)
    images = _palette_images(frames, colors, palette)
    with atomic_path(path) as temporary:
        next(images).save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=images,
            duration=frame_durations(len(frames), total_seconds, hold_last_seconds),
            loop=0,
            palette=palette,
            transparency=len(colors),
            disposal=1,  # the next frame is drawn over this one
        )


def evenly_spaced(items, max_items):
    """At most `max_items` (2 or more) of a sequence, evenly spaced, with the first and last."""
    if len(items) <= max_items:
        return items
    positions = np.rint(np.linspace(0, len(items) - 1, max_items)).astype(int)
    return [items[position] for position in positions]


def frame_durations(num_frames, total_seconds, hold_last_seconds):
    """How long each frame is shown.

    Returns:
        `num_frames` integers, milliseconds, all but the last equal: at least `MIN_DURATION` and
        at most `MAX_DURATION`, so that a GIF of few frames still moves.
    """
    hold = max(MIN_DURATION, 10 * round(100 * hold_last_seconds))
    if num_frames == 1:
        return [hold]
    duration = 10 * round(100 * (total_seconds - hold_last_seconds) / (num_frames - 1))
    duration = min(max(duration, MIN_DURATION), MAX_DURATION)
    return [duration] * (num_frames - 1) + [max(duration, hold)]


def readable_frames(frames):
    """Frames whose files are whole and as large as the last whole one; prints the others.

    Args:
        frames: list of (step, path of a PNG).

    Returns:
        A list of (step, path).
    """
    sizes = [_png_size(path) for _, path in frames]
    wanted = next((size for size in reversed(sizes) if size), None)
    for (_, path), size in zip(frames, sizes, strict=True):
        if size != wanted:
            reason = f"of another size, {size[0]}x{size[1]}" if size else "damaged"
            print(f"{path}: left out of the GIF, since it is {reason}")
    return [frame for frame, size in zip(frames, sizes, strict=True) if size and size == wanted]


def _png_size(path):
    """(width, height) of a PNG with correct checksums, else None."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            size = image.size
            image.verify()
    except Exception:  # decoders raise nearly anything at broken files
        return None
    return size


def _draw(frames):
    """Yield each frame's pixels, (H, W, C) uint8, enlarged and with its caption."""
    captions = [step if isinstance(step, str) else f"step {step:,}" for step, _ in frames]
    width = _read(frames[0][1]).shape[1]
    scale = display_scale(width, MIN_WIDTH)
    min_width = max(caption_width(caption, scale * width) for caption in captions)
    for caption, (_, image) in zip(captions, frames, strict=True):
        yield caption_below(enlarge(_read(image), scale), caption, min_width)


def _read(image):
    if isinstance(image, np.ndarray):
        return image
    with Image.open(image) as picture:
        return np.atleast_3d(picture.convert("L" if picture.mode == "L" else "RGB"))


def _evenly_spaced_greys(num_greys):
    """(num_greys, 1) uint8, black first and white last."""
    return np.rint(np.linspace(0, 255, num_greys)).astype(np.uint8)[:, None]


def _frequent_colors(frames):
    """Colours of some frames by median cut, (P, 3) uint8, black first and white last."""
    samples = list(_draw(evenly_spaced(frames, NUM_PALETTE_SAMPLES)))
    mosaic = Image.fromarray(np.concatenate(samples))
    found = mosaic.quantize(NUM_COLORS, Image.Quantize.MEDIANCUT).getpalette()
    found = np.array(found, np.uint8).reshape(-1, 3)[:NUM_COLORS]
    greys = np.repeat(np.array(CAPTION_GREYS, np.uint8)[:, None], 3, axis=1)
    return np.concatenate([np.zeros((1, 3), np.uint8), found, greys])


def _palette_images(frames, colors, palette):
    """Yield each frame as a Pillow image of palette indices, transparent where nothing changes.

    Pillow merges equal neighbours into one frame. So the bottom right pixel, which is white
    always, is drawn in every other frame only: no two neighbours are equal.
    """
    transparent, white = len(colors), len(colors) - 1
    tolerance = 255 / white if colors.shape[-1] == 1 else COLOR_TOLERANCE
    shown = None
    for number, pixels in enumerate(_draw(frames), start=1):
        indices = _nearest_indices(pixels, colors)
        if shown is None:
            drawn = shown = indices
        else:
            is_last = number == len(frames)
            changed = _changed(pixels, indices, shown, colors, 0 if is_last else tolerance)
            shown = np.where(changed, indices, shown)
            drawn = np.where(changed, indices, np.uint8(transparent))
            drawn[-1, -1] = white if number % 2 else transparent
        image = Image.fromarray(drawn)
        image.putpalette(palette)
        yield image


def _nearest_indices(pixels, colors):
    """Index of the palette's colour for each pixel, (H, W) uint8.

    There is no dithering: its dots would move from frame to frame, and compress badly.
    """
    white = len(colors) - 1
    if pixels.shape[-1] == 1:
        return np.rint(pixels[..., 0] / np.float32(255) * white).astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.tobytes())
    image = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
    indices = np.array(image)
    # Pillow's lookup is approximate; black and white are made exact.
    indices[(pixels == 0).all(axis=-1)] = 0
    indices[(pixels == 255).all(axis=-1)] = white
    return indices


def _changed(pixels, indices, shown, colors, tolerance):
    """True where a frame must be drawn, (H, W) bool. With tolerance 0, wherever it differs.

    Black and white are always drawn; otherwise a pale shadow of the last image would stay.
    """
    distance = np.abs(pixels.astype(np.int16) - colors[shown])
    is_extreme = (indices == 0) | (indices == len(colors) - 1)
    return (indices != shown) & (is_extreme | (distance.max(axis=-1) > tolerance))
