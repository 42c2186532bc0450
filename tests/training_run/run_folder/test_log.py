"""log.csv as columns."""

import numpy as np
import pytest

from training_run.errors import UserError
from training_run.run_folder.log import read_log

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


def test_the_log_is_read_with_gaps(tmp_path):
    columns = read_log(write_log(tmp_path, LOG))
    assert list(columns) == LOG.splitlines()[0].split(",")
    np.testing.assert_array_equal(columns["step"], [100, 200, 300, 400])
    np.testing.assert_array_equal(columns["d_loss"], [1.5, 1.0, np.nan, 0.5])
    np.testing.assert_array_equal(columns["g_loss"], [0.5, 0.75, np.inf, 0.8])
    np.testing.assert_array_equal(columns["fid"], [np.nan, 40.5, np.nan, 20.25])


def test_a_row_that_is_cut_off_does_not_break_it(tmp_path):
    columns = read_log(
        write_log(tmp_path, "step,seconds,loss\n1,1.0,2.0\n2,1.\n,\n\n3,3.0,1.0,9\n")
    )
    np.testing.assert_array_equal(columns["step"], [1, 2, 3])
    np.testing.assert_array_equal(columns["loss"], [2.0, np.nan, 1.0])


@pytest.mark.parametrize("text", ["", "epoch,loss\n1,2\n"])
def test_a_log_without_steps_is_refused(tmp_path, text):
    with pytest.raises(UserError, match=r"log\.csv: expected a log with a column step"):
        read_log(write_log(tmp_path, text))


def test_a_missing_log_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"log\.csv: the log cannot be read: No such file"):
        read_log(tmp_path / "log.csv")
