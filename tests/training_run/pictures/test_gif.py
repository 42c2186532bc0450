import numpy as np
import pytest
from PIL import Image

from training_run.pictures import gif
from training_run.pictures.gif import MIN_WIDTH, evenly_spaced, frame_durations, readable_frames
from training_run.pictures.pixels import enlarge, save_png

RNG_SEED = 0


def write_gif(path, frames, total_seconds=10.0, hold_last_seconds=2.0, **options):
    gif.write_gif(
        path, frames, total_seconds=total_seconds, hold_last_seconds=hold_last_seconds, **options
    )


def checks(num_frames, size=MIN_WIDTH, num_channels=1):
    """Frames of black and white noise, which every palette shows exactly."""
    rng = np.random.default_rng(RNG_SEED)
    shape = (num_frames, size, size, 1)
    return np.repeat(rng.integers(0, 2, shape, dtype=np.uint8) * 255, num_channels, axis=-1)


def read(path):
    """All frames as (N, H, W, 3), and their durations in milliseconds."""
    frames, durations = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
    return np.stack(frames), durations


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
    drift = rng.normal(0, 15, (12, 200, 200, 1)).cumsum(axis=0) + 128
    frames = np.clip(drift, 0, 255).astype(np.uint8)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)), num_greys=16)
    error = np.abs(pictures(tmp_path / "a.gif")[..., :1].astype(int) - frames)
    level = 255 / 15
    assert error[:-1].max() <= level + 0.5
    assert error[-1].max() <= level / 2 + 0.5


def test_black_comes_back_to_black(tmp_path):
    frames = [(k, np.full((200, 200, 1), level, np.uint8)) for k, level in enumerate((0, 20, 3, 3))]
    write_gif(tmp_path / "a.gif", frames)
    assert pictures(tmp_path / "a.gif")[2].max() == 0


def test_step_numbers_stand_in_a_strip_of_their_own(tmp_path):
    black = np.zeros((200, 200, 1), np.uint8)
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


@pytest.mark.parametrize("num_channels", [1, 3])
def test_equal_neighbours_keep_their_number_and_duration(tmp_path, num_channels):
    """Pillow by itself would merge them into one frame of the summed duration."""
    same = np.zeros((200, 200, num_channels), np.uint8)
    write_gif(tmp_path / "a.gif", [("same", same)] * 9, total_seconds=6)
    shown, durations = read(tmp_path / "a.gif")
    assert len(shown) == 9
    assert durations == [500] * 8 + [2000]
    assert (shown == shown[0]).all()


def test_two_equal_frames_between_others_are_both_there(tmp_path):
    a, b, c = checks(3)
    write_gif(tmp_path / "a.gif", [("x", image) for image in (a, b, b, b, c, c)])
    expected = np.stack([a, b, b, b, c, c])
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif")[..., :1], expected)


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


def test_paths_and_arrays_give_the_same_bytes(tmp_path):
    frames = checks(5)
    paths = [tmp_path / f"step_{k:06d}.png" for k in range(5)]
    for path, frame in zip(paths, frames, strict=True):
        save_png(path, frame)
    write_gif(tmp_path / "paths.gif", list(enumerate(paths)))
    write_gif(tmp_path / "arrays.gif", list(enumerate(frames)))
    assert (tmp_path / "arrays.gif").read_bytes() == (tmp_path / "paths.gif").read_bytes()


def test_small_pictures_are_enlarged_by_whole_numbers(tmp_path):
    frames = checks(2, size=28)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)))
    enlarged = frames.repeat(8, axis=1).repeat(8, axis=2).repeat(3, axis=-1)
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif", 224), enlarged)


def test_a_long_caption_does_not_change_the_size_of_frames(tmp_path):
    black = np.zeros((200, 200, 1), np.uint8)
    write_gif(tmp_path / "a.gif", [("a", black), ("a very long caption " * 3, black)])
    shown, _ = read(tmp_path / "a.gif")
    assert shown.shape[2] > 300
    np.testing.assert_array_equal(shown[0, :200], shown[1, :200])


def test_too_many_frames_are_thinned_to_the_length(tmp_path):
    frames = [(k, np.full((4, 4, 1), 255 * (k % 2), np.uint8)) for k in range(300)]
    write_gif(tmp_path / "a.gif", frames, total_seconds=2, hold_last_seconds=1)
    shown, durations = read(tmp_path / "a.gif")
    assert len(shown) == 51
    assert durations == [20] * 50 + [1000]


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
        return enlarge(rows[..., None], 2)

    write_gif(tmp_path / "a.gif", [(200 * k, grid(k)) for k in range(151)])
    assert (tmp_path / "a.gif").stat().st_size < 1_500_000


def test_fewer_frames_are_shown_where_memory_would_not_do(tmp_path, monkeypatch):
    frames = checks(10)
    write_gif(tmp_path / "all.gif", list(enumerate(frames)))
    height, width = read(tmp_path / "all.gif")[0].shape[1:3]
    monkeypatch.setattr(gif, "MAX_BYTES", 4 * height * width + 1)
    write_gif(tmp_path / "a.gif", list(enumerate(frames)))
    np.testing.assert_array_equal(pictures(tmp_path / "a.gif")[..., :1], frames[[0, 3, 6, 9]])


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [
        (1, [2000]),
        (2, [500, 2000]),
        (17, [500] * 16 + [2000]),
        (151, [50] * 150 + [2000]),
        (401, [20] * 400 + [2000]),
    ],
)
def test_durations_in_milliseconds(num_frames, expected):
    assert frame_durations(num_frames, 10.0, 2.0) == expected


def test_a_round_is_about_as_long_as_asked_for():
    for num_frames in range(18, 402):
        assert 8000 <= sum(frame_durations(num_frames, 10.0, 2.0)) <= 12000


def test_the_last_frame_is_never_shorter_than_the_others():
    assert frame_durations(3, 10.0, 0.0) == [500, 500, 500]


def test_evenly_spaced_items_include_both_ends():
    assert evenly_spaced([1, 2, 3], 3) == [1, 2, 3]
    assert evenly_spaced(list(range(11)), 6) == [0, 2, 4, 6, 8, 10]
    assert evenly_spaced(list(range(100)), 2) == [0, 99]
    gaps = np.diff(evenly_spaced(list(range(1000)), 151))
    assert set(gaps) == {6, 7}


def test_an_error_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    frames = [*enumerate(checks(3)), (3, tmp_path / "missing.png")]
    with pytest.raises(FileNotFoundError):
        write_gif(path, frames)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


def test_damaged_and_other_sized_files_are_left_out_and_named(tmp_path, capsys):
    paths = [tmp_path / f"{step}.png" for step in range(4)]
    for path, size in zip(paths, (8, 9, 9, 9), strict=True):
        save_png(path, np.zeros((size, size), np.uint8))
    paths[2].write_bytes(paths[2].read_bytes()[:-20])
    assert readable_frames(list(enumerate(paths))) == [(1, paths[1]), (3, paths[3])]
    assert capsys.readouterr().out.splitlines() == [
        f"{paths[0]}: left out of the GIF, since it is of another size, 8x8",
        f"{paths[2]}: left out of the GIF, since it is damaged",
    ]
