"""The argument parser of every command: what is wrong comes as one sentence, without the usage."""

import argparse

from training_run.cli.run_command import fit_for_terminal
from training_run.config.messages import nearest


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line, with the nearest option where there is one."""

    def error(self, message):
        """Print argparse's message as one line, and end the process with exit code 2."""
        message = " ".join(message.removeprefix("argument ").split())
        if message.startswith("unrecognized arguments: "):
            word = message.split()[2].partition("=")[0]
            message += nearest(word, self._option_string_actions)
        self.exit(2, f"{fit_for_terminal(message)}\n")


def integer(text):
    """A whole number, for the `type` of an argument."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, received {text!r}") from None


def one_of(names):
    """A function that accepts only these names, for the `type` of an argument."""

    def choose(text):
        if text in names:
            return text
        raise argparse.ArgumentTypeError(
            f"expected {' or '.join(names)}, received {text!r}{nearest(text, names)}"
        )

    return choose
