"""How docstrings become pages: an extension of Griffe, which reads the code for mkdocstrings."""

import griffe


class House(griffe.Extension):
    """Reads two of the house's habits right.

    A package may have a function and a module of one name: `gan_mnist.train`. The function is the
    public one. And `Example:` is a section of code, not a box.
    """

    def on_function_instance(self, *, func, **_):
        """Remember the functions of a package itself."""
        if func.parent.is_init_module:
            func.parent.extra["house"][func.name] = func

    def on_package(self, *, pkg, **_):
        """Put them before the modules of the same name."""
        pkg.members.update(pkg.extra["house"])

    def on_instance(self, *, obj, **_):
        """Make code of examples."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
