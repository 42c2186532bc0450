"""Whether what is printed appears in a notebook."""


def is_notebook(stream):
    """True if a stream's text appears in a notebook, which shows pictures, and a moving line as a
    terminal does.

    Jupyter's kernel and those that are made of it replace the standard streams by their own.
    """
    return type(stream).__module__.startswith("ipykernel")
