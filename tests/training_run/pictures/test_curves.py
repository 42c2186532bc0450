import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training_run.errors import UserError
from training_run.pictures.curves import (
    draw_curves,
    group_metrics,
    plot_losses,
    running_mean,
    spread_apart,
)
from training_run.run_folder.log import read_log

ROOT = Path(__file__).resolve().parents[3]

LOG = """step,seconds,d_loss,g_loss,d_accuracy_real,val_g_loss,fid
100,1.0,1.5,0.5,0.25,,
200,2.0,1.0,0.75,0.5,0.9,40.5
300,3.0,nan,inf,0.75,,
400,4.0,0.5,0.8,1.0,0.7,20.25
"""


def write_log(folder, text):
    path = folder / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def figure_of(path):
    columns = read_log(path)
    return draw_curves(columns, group_metrics(columns), "A run")


def panel_titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_events_are_lines_in_every_panel_and_words_in_the_first():
    values = np.array([0.5, 0.6, 0.7])
    columns = {"step": np.array([100.0, 200.0, 300.0]), "d_loss": values, "d_ranking": values}
    events = [(100, "early"), (250, "modes have collapsed")]
    figure = draw_curves(columns, group_metrics(columns), "ill", events)
    for axes in figure.axes:
        marked = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
        assert sorted(marked) == [100, 250]
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert {"early", "modes have collapsed"} <= set(texts[0])
    assert not {"early", "modes have collapsed"} & set(texts[1])


def test_the_share_of_pairs_ranked_right_has_an_axis_of_shares():
    values = np.array([0.5, 0.6])
    names = ["step", "d_loss", "d_ranking", "d_logit_difference"]
    columns = {name: values for name in names}
    panels = group_metrics(columns)
    assert panels == [
        ("loss", ["d_loss"]),
        ("ranking", ["d_ranking"]),
        ("d_logit_difference", ["d_logit_difference"]),
    ]
    figure = draw_curves(columns, panels, "pairs")
    (axes,) = [each for each in figure.axes if each.get_title(loc="left") == "ranking"]
    assert axes.get_ylim()[0] < 0 and axes.get_ylim()[1] > 1


def test_metrics_are_grouped_into_panels():
    values = np.array([1.0, 2.0])
    names = [
        "step",
        "seconds",
        "fid",
        "d_accuracy_fake",
        "val_loss",
        "kl_loss",
        "val_fid",
        "recall",
    ]
    columns = {name: values for name in names} | {"empty_loss": np.array([np.nan, np.inf])}
    assert group_metrics(columns) == [
        ("loss", ["val_loss", "kl_loss"]),
        ("accuracy", ["d_accuracy_fake"]),
        ("fid", ["fid", "val_fid"]),
        ("recall", ["recall"]),
    ]


def test_panels_curves_and_axes(tmp_path):
    figure = figure_of(write_log(tmp_path, LOG))
    assert panel_titles(figure) == ["loss", "accuracy", "fid"]
    losses, accuracies, fid = figure.axes
    assert len(losses.lines) == 3
    np.testing.assert_array_equal(losses.lines[0].get_xdata(), [100, 200, 400])
    np.testing.assert_array_equal(losses.lines[0].get_ydata(), [1.5, 1.0, 0.5])
    np.testing.assert_array_equal(fid.lines[0].get_xdata(), [200, 400])
    # 0..1 with a margin of 6%.
    np.testing.assert_allclose(accuracies.get_ylim(), (-0.06, 1.06), atol=1e-12)
    assert losses.get_xlim() == (100, 400)


def test_curves_bear_their_names_and_last_values(tmp_path):
    losses, accuracies, fid = figure_of(write_log(tmp_path, LOG)).axes
    assert [text.get_text() for text in losses.texts] == [
        "d_loss  0.500",
        "g_loss  0.800",
        "val_g_loss  0.700",
    ]
    assert [text.get_text() for text in accuracies.texts] == ["d_accuracy_real  1.00"]
    assert [text.get_text() for text in fid.texts] == ["20.2"]


def test_held_out_losses_share_the_colour_and_are_dashed(tmp_path):
    losses = figure_of(write_log(tmp_path, LOG)).axes[0]
    _, g_loss, val_g_loss = losses.lines
    assert g_loss.get_color() == val_g_loss.get_color()
    assert (g_loss.get_linestyle(), val_g_loss.get_linestyle()) == ("-", "--")


def test_many_rows_get_a_smooth_line_over_a_faint_one(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{step},{step},{1 + rng.normal(0, 0.3):.6f}" for step in range(1000)]
    axes = figure_of(write_log(tmp_path, "\n".join(["step,seconds,loss", *rows]))).axes[0]
    faint, smooth = axes.lines
    assert faint.get_alpha() < 0.5
    # A mean of 21 values: the standard deviation falls by sqrt(21) = 4.6.
    ratio = np.std(faint.get_ydata()) / np.std(smooth.get_ydata()[10:-10])
    assert 3.0 < ratio < 6.5


def test_one_spike_does_not_flatten_the_curve(tmp_path):
    rows = [f"{step},{step},{1e6 if step == 5 else 1 + step % 2}" for step in range(1000)]
    axes = figure_of(write_log(tmp_path, "\n".join(["step,seconds,loss", *rows]))).axes[0]
    assert axes.get_ylim()[1] < 3


@pytest.mark.parametrize(
    "rows",
    [
        "100,1.0,0.7,0.9,12.5",
        "100,1.0,0.7,,\n200,2.0,nan,nan,nan\n300,3.0,inf,-inf,1e300",
        "\n".join(f"{step},{step},0.5,0.5,0.5" for step in range(5000)),
        "\n".join(f"{step},{step},{'nan' if step % 2 else step},," for step in range(2000)),
    ],
    ids=["one row", "not finite", "thousands of equal rows", "every second one missing"],
)
def test_every_log_gives_a_picture(tmp_path, rows):
    log = write_log(tmp_path, "step,seconds,d_loss,d_accuracy_real,fid\n" + rows + "\n")
    plot_losses(read_log(log), tmp_path / "losses.png", "A run")
    with Image.open(tmp_path / "losses.png") as image:
        width, height = image.size
        pixels = np.asarray(image.convert("L"))
    assert width >= 1000
    assert height >= 500
    assert 0.001 < np.mean(pixels < 200) < 0.3


def test_same_log_same_bytes_and_no_date(tmp_path):
    log = write_log(tmp_path, LOG)
    for name in ("a.png", "b.png"):
        plot_losses(read_log(log), tmp_path / name, "A run")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert set(image.info) <= {"dpi"}
    assert {file.name for file in tmp_path.iterdir()} == {"log.csv", "a.png", "b.png"}


@pytest.mark.parametrize("rows", ["", "1,2,nan\n"])
def test_a_log_without_curves_is_refused(tmp_path, rows):
    columns = read_log(write_log(tmp_path, "step,seconds,loss\n" + rows))
    with pytest.raises(UserError, match="no numbers to draw yet"):
        plot_losses(columns, tmp_path / "losses.png", "A run")
    assert not (tmp_path / "losses.png").exists()


def test_importing_the_module_does_not_import_matplotlib_nor_drawing_pyplot(tmp_path):
    log = write_log(tmp_path, LOG)
    script = (
        "import sys, training_run.pictures.curves as curves\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from training_run.run_folder.log import read_log\n"
        f"columns = read_log({str(log)!r})\n"
        f"curves.plot_losses(columns, {str(tmp_path / 'losses.png')!r}, 'A run')\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_running_mean_by_hand():
    values = np.array([3.0, 0.0, 6.0, 3.0, 9.0])
    # (3+0)/2, (3+0+6)/3, (0+6+3)/3, (6+3+9)/3, (3+9)/2
    np.testing.assert_allclose(running_mean(values, 3), [1.5, 3.0, 3.0, 6.0, 6.0], atol=1e-12)
    np.testing.assert_allclose(running_mean(values, 1), values, atol=1e-12)
    np.testing.assert_allclose(running_mean(values[:1], 3), [3.0], atol=1e-12)


def test_labels_are_moved_apart_and_a_crowd_stays_where_it_was():
    np.testing.assert_allclose(spread_apart([0.2, 0.8], 0.1), [0.2, 0.8], atol=1e-12)
    np.testing.assert_allclose(spread_apart([0.5, 0.5], 0.1), [0.45, 0.55], atol=1e-12)
    np.testing.assert_allclose(spread_apart([0.9, 0.1, 0.12], 0.1), [0.9, 0.06, 0.16], atol=1e-12)
    np.testing.assert_allclose(spread_apart([1.0, 1.0, 1.0], 0.1), [0.8, 0.9, 1.0], atol=1e-12)
    np.testing.assert_allclose(spread_apart([0.0, 0.0], 0.1), [0.0, 0.1], atol=1e-12)
