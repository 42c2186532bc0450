"""What the page's panels compute, against values by hand, in node."""

import shutil
import subprocess
from pathlib import Path

from tests.latent_explorer.conftest import missing


def test_the_pages_mathematics():
    if not shutil.which("node"):
        missing("no node: it is needed (Debian: nodejs)")
    tests = Path(__file__).parent / "mathematics.test.mjs"
    done = subprocess.run(["node", "--test", tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
