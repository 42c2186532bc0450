"""A picture of a run that a notebook shows."""

import base64
import os
import sys
from pathlib import Path

from training_run.notebook import is_notebook

MIME_TYPES = {".png": "image/png", ".gif": "image/gif"}


class Picture(os.PathLike):
    """The file of a PNG or a GIF. As the last line of a notebook's cell it is shown.

    Args:
        path: of the file.
    """

    def __init__(self, path):
        self.path = Path(path)

    def __fspath__(self):
        return str(self.path)

    def __repr__(self):
        return f"Picture({str(self.path)!r})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        mime, content = MIME_TYPES[self.path.suffix], self.path.read_bytes()
        shown = {mime: content, "text/plain": repr(self)}
        if mime == "image/gif":  # a notebook that is exported as a page shows no other GIF
            encoded = base64.b64encode(content).decode()
            shown["text/html"] = f'<img src="data:{mime};base64,{encoded}">'
        return shown

    def show(self):
        """Show the picture in a notebook, in the middle of a cell too; elsewhere print its path."""
        if is_notebook(sys.stdout):
            from IPython.display import display

            display(self)
        else:
            print(self.path)
