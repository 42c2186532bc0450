"""A module that may be called like the function of its package that has the same name."""

import sys
from types import ModuleType


def let_call(module_name, function):
    """Let calling a module call a function.

    `gan_mnist.train` is a function, and `gan_mnist/train.py` is the command. Whoever imports the
    command's module puts it in the function's place, since Python binds a submodule to its name in
    the package.

    Args:
        module_name: the module, as in `sys.modules`.
        function: what a call of it calls.
    """

    class CallableModule(ModuleType):
        __doc__ = function.__doc__

        def __call__(self, *args, **kwargs):
            return function(*args, **kwargs)

    sys.modules[module_name].__class__ = CallableModule
