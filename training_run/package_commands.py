"""A package's commands by their names: `python -m gan_mnist train`, or `gan-mnist train`."""

import importlib

from training_run.cli.run_command import run_command
from training_run.errors import UserError


def run_package(package, commands, argv):
    """Run a command of a package, or list all of them.

    Args:
        package: its name.
        commands: name of a module of it, whose `main(argv)` is the command, to a line about it.
        argv: the command's name, then its arguments. Dashes may stand for the name's underscores.

    Returns:
        The command's exit code; 2 if there is no such command.
    """
    name = argv[0].replace("-", "_") if argv else ""
    if name in commands:
        return importlib.import_module(f"{package}.{name}").main(argv[1:])
    return run_command(_list, package, commands, argv)


def _list(package, commands, argv):
    script = package.replace("_", "-")
    if argv and argv[0] not in ("-h", "--help"):
        from training_run.config.messages import nearest

        raise UserError(
            f"{script}: expected one of the commands {', '.join(commands)}, "
            f"received {argv[0]!r}{nearest(argv[0], commands)}"
        )
    width = max(map(len, commands))
    print(f"Commands of {package}; {script} COMMAND --help tells more of each:\n")
    for name, line in commands.items():
        print(f"  {script} {name:{width}}  {line}")
    print(f"\nThey are also modules: python -m {package}.{next(iter(commands))}")
    return 0
