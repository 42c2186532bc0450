import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from training_run.pictures.gif import MIN_WIDTH, frame_delays, thin_evenly, write_gif
from training_run.pictures.pixels import save_png

ROOT = Path(__file__).resolve().parents[2]
RNG_SEED = 0


def checks(num_frames, size=MIN_WIDTH, num_channels=1):
    """Frames of black and white noise, which every palette shows exactly."""
    rng = np.random.default_rng(RNG_SEED)
    shape = (num_frames, size, size, 1)
    return np.repeat(rng.integers(0, 2, shape, dtype=np.uint8) * 255, num_channels, axis=-1)


def read(path):
    """All frames as (N, H, W, 3), and their durations in milliseconds."""
    durations = []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            durations.append(image.info["duration"])
    return iio.imread(path, index=None, mode="RGB"), durations


def pictures(path, height=MIN_WIDTH):
    return read(path)[0][:, :height]


def test_every_frame_is_there_exactly_and_in_order(tmp_path):
    frames = checks(7)
    write_gif(tmp_path / "a.gif", [(200 * k, frame) for k, frame in enumerate(frames)])
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif"), frames.repeat(3, axis=-1))
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


def test_colour_frames_show_black_white_and_pure_colours(tmp_path):
    frames = checks(4, num_channels=3)
    frames[1, 50:90, 50:90] = (255, 0, 0)
    frames[2, 60:99, 60:99] = (0, 0, 255)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)))
    shown = pictures(tmp_path / "a.gif").astype(int)
    assert np.abs(shown - frames).max() <= 6
    np.testing.assert_array_equal(shown[[0, -1]], frames[[0, -1]])


def test_colour_photographs_keep_their_colours(tmp_path):
    y, x = np.mgrid[0:1:200j, 0:1:200j]
    frames = [
        (255 * np.stack([x, y, np.full_like(x, k / 5)], axis=-1)).astype(np.uint8) for k in range(6)
    ]
    write_gif(tmp_path / "a.gif", list(enumerate(frames)))
    error = np.abs(pictures(tmp_path / "a.gif").astype(int) - np.stack(frames))
    # 240 colours spread over the whole cube are 41 apart: a mean error of 10 at best.
    assert error.mean() < 15


def test_greys_are_within_a_level_and_exact_in_the_last_frame(tmp_path):
    rng = np.random.default_rng(RNG_SEED)
    drift = rng.normal(0, 15, (12, 200, 200)).cumsum(axis=0) + 128
    frames = np.clip(drift, 0, 255).astype(np.uint8)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)), num_greys=16)
    error = np.abs(pictures(tmp_path / "a.gif")[..., 0].astype(int) - frames)
    level = 255 / 15
    assert error[:-1].max() <= level + 0.5
    assert error[-1].max() <= level / 2 + 0.5


def test_black_comes_back_to_black(tmp_path):
    frames = [(k, np.full((200, 200), level, np.uint8)) for k, level in enumerate((0, 20, 3, 3))]
    write_gif(tmp_path / "a.gif", frames)
    assert pictures(tmp_path / "a.gif")[2].max() == 0


def test_step_numbers_stand_in_a_strip_of_their_own(tmp_path):
    black = np.zeros((200, 200), np.uint8)
    write_gif(tmp_path / "a.gif", [(0, black), (12400, black), ("50%", black)])
    strips = read(tmp_path / "a.gif")[0][:, 200:]
    assert strips.shape[1] >= 20
    for strip in strips:
        assert np.count_nonzero(strip < 128) > 50
    assert not np.array_equal(strips[0], strips[1])
    assert not np.array_equal(strips[1], strips[2])
    # "step 12,400" is the longer text.
    dark_columns = [np.flatnonzero((strip < 128).any(axis=(0, 2))).max() for strip in strips]
    assert dark_columns[1] > dark_columns[0] + 20


def test_equal_neighbours_keep_their_number_and_duration(tmp_path):
    same = np.zeros((200, 200), np.uint8)
    write_gif(tmp_path / "a.gif", [("same", same)] * 9, total_seconds=6, hold_last_seconds=2)
    shown, durations = read(tmp_path / "a.gif")
    assert len(shown) == 9
    assert durations == [500] * 8 + [2000]
    assert (shown == shown[0]).all()


def test_durations_read_back_and_the_last_frame_stays(tmp_path):
    frames = list(enumerate(checks(151, size=20)))
    write_gif(tmp_path / "a.gif", frames, total_seconds=10, hold_last_seconds=2.5)
    shown, durations = read(tmp_path / "a.gif")
    assert len(shown) == 151
    assert durations == [50] * 150 + [2500]


def test_it_loops_forever(tmp_path):
    write_gif(tmp_path / "a.gif", list(enumerate(checks(3))))
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0


def test_a_single_frame_is_enough(tmp_path):
    frame = checks(1)[0]
    write_gif(tmp_path / "a.gif", [(0, frame)])
    shown, durations = read(tmp_path / "a.gif")
    np.testing.assert_array_equal(shown[0, :MIN_WIDTH], frame.repeat(3, axis=-1))
    assert durations == [2000]


def test_paths_arrays_and_generators_give_the_same_bytes(tmp_path):
    frames = checks(5)
    paths = [tmp_path / f"step_{k:06d}.png" for k in range(5)]
    for path, frame in zip(paths, frames, strict=True):
        save_png(path, frame)
    write_gif(tmp_path / "paths.gif", list(enumerate(paths)))
    write_gif(tmp_path / "strings.gif", ((k, str(path)) for k, path in enumerate(paths)))
    write_gif(tmp_path / "arrays.gif", list(enumerate(frames)))
    write_gif(tmp_path / "generator.gif", ((k, frame) for k, frame in enumerate(frames)))
    expected = (tmp_path / "paths.gif").read_bytes()
    for name in ("strings", "arrays", "generator"):
        assert (tmp_path / f"{name}.gif").read_bytes() == expected
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_small_pictures_are_enlarged_by_whole_numbers(tmp_path):
    frames = checks(2, size=28)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)))
    enlarged = frames.repeat(8, axis=1).repeat(8, axis=2).repeat(3, axis=-1)
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif", 224), enlarged)


def test_a_long_caption_does_not_change_the_size_of_frames(tmp_path):
    black = np.zeros((200, 200), np.uint8)
    write_gif(tmp_path / "a.gif", [("a", black), ("a very long caption " * 3, black)])
    shown, _ = read(tmp_path / "a.gif")
    assert shown.shape[2] > 300
    np.testing.assert_array_equal(shown[0, :200], shown[1, :200])


def test_too_many_frames_are_thinned_to_the_length(tmp_path):
    frames = [(k, np.full((4, 4), 255 * (k % 2), np.uint8)) for k in range(300)]
    write_gif(tmp_path / "a.gif", frames, total_seconds=2, hold_last_seconds=1)
    shown, durations = read(tmp_path / "a.gif")
    assert len(shown) == 51
    assert durations == [20] * 50 + [1000]


def test_max_frames_keeps_the_first_and_the_last(tmp_path):
    frames = checks(10)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)), max_frames=4)
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif")[..., :1], frames[[0, 3, 6, 9]])


def test_frames_of_digits_make_a_small_file(tmp_path):
    """151 grids of 5x5 noisy strokes at twice their size, as in a default run."""
    rng = np.random.default_rng(RNG_SEED)
    y, x = np.mgrid[0:28, 0:28]

    def grid(k):
        angles = rng.uniform(0, 3, 25)[:, None, None] + k / 50
        distance = (x - 14) * np.sin(angles) + (y - 14) * np.cos(angles)
        digits = 255 * np.exp(-(distance**2) / 4) * ((x - 14) ** 2 + (y - 14) ** 2 < 100)
        specks = 200 * (rng.random((25, 28, 28)) < 0.03) + rng.normal(0, 5, (25, 28, 28))
        pixels = np.clip(digits + specks, 0, 255).astype(np.uint8)
        rows = pixels.reshape(5, 5, 28, 28).swapaxes(1, 2).reshape(140, 140)
        return rows.repeat(2, axis=0).repeat(2, axis=1)

    write_gif(tmp_path / "a.gif", [(200 * k, grid(k)) for k in range(151)])
    assert (tmp_path / "a.gif").stat().st_size < 1_500_000


MEASURE = """
import resource, sys
import numpy as np
from training_run.pictures.gif import write_gif

def frames(num_frames):
    pixels = np.zeros((300, 300), np.uint8)
    pixels[100:110] = np.arange(300) % 256
    for step in range(num_frames):
        yield step, np.roll(pixels, step, axis=0)

def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def write(num_frames):
    write_gif(sys.argv[1], frames(num_frames), total_seconds=60, hold_last_seconds=1)

write(20)
before = peak_megabytes()
write(300)
print(peak_megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    path = tmp_path / "a.gif"
    command = [sys.executable, "-c", MEASURE, str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    with Image.open(path) as image:
        assert image.n_frames == 300
    # The frames are 90 kB each: 27 MB for all of them.
    assert float(result.stdout) < 12


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [
        (1, [200]),
        (2, [50, 200]),
        (17, [50] * 16 + [200]),
        (151, [5] * 150 + [200]),
        (401, [2] * 400 + [200]),
    ],
)
def test_delays_in_hundredths_of_a_second(num_frames, expected):
    assert frame_delays(num_frames, 10.0, 2.0) == expected


def test_a_round_is_about_as_long_as_asked_for():
    for num_frames in range(18, 402):
        assert 800 <= sum(frame_delays(num_frames, 10.0, 2.0)) <= 1200


def test_the_last_frame_is_never_shorter_than_the_others():
    assert frame_delays(3, 10.0, 0.0) == [50, 50, 50]


def test_thinning_is_even_and_keeps_both_ends():
    assert thin_evenly([1, 2, 3], 3) == [1, 2, 3]
    assert thin_evenly(list(range(11)), 6) == [0, 2, 4, 6, 8, 10]
    assert thin_evenly(list(range(100)), 2) == [0, 99]
    gaps = np.diff(thin_evenly(list(range(1000)), 151))
    assert set(gaps) == {6, 7}


@pytest.mark.parametrize("frames", [[], (), iter(())])
def test_no_frames_are_refused(tmp_path, frames):
    with pytest.raises(ValueError, match="Received: none"):
        write_gif(tmp_path / "a.gif", frames)
    assert not list(tmp_path.iterdir())


def test_frames_of_two_sizes_are_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    frames = [(0, np.zeros((200, 200), np.uint8)), (200, np.zeros((200, 300), np.uint8))]
    with pytest.raises(
        ValueError, match=r"Received: \(200, 200, 1\), then \(200, 300, 1\) at step 200"
    ):
        write_gif(path, frames)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"total_seconds": 1.0}, r"Received: 1.0, 2.0"),
        ({"max_frames": 1}, r"Received: 1"),
        ({"num_greys": 256}, r"Received: 256"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        write_gif(tmp_path / "a.gif", [(0, np.zeros((4, 4), np.uint8))], **options)
