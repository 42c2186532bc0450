"""The argument parser of every command: what is wrong comes as one sentence, without the usage."""

import argparse
import difflib
import re

_INVALID_VALUE = re.compile(r"^argument (\S+): invalid (\w+) value: (.*)$", re.DOTALL)


_INVALID_CHOICE = re.compile(r"^argument (\S+): invalid choice: (.*) \(choose from (.*)\)$")


_KINDS = {"int": "an integer", "float": "a number", "Path": "a path"}


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line: option, expected, received, nearest name."""

    def error(self, message):
        """Print the sentence and end the process with exit code 2."""
        self.exit(2, f"{explain(message, self._option_string_actions)}\n")


def explain(message, options):
    """A message of argparse in our words.

    Args:
        message: what argparse says.
        options: names of the options that there are.

    Returns:
        One line.
    """
    message = " ".join(message.split())
    if found := _INVALID_VALUE.match(message):
        option, kind, value = found.groups()
        return f"{option}: expected {_KINDS.get(kind, kind)}, received {value}"
    if found := _INVALID_CHOICE.match(message):
        option, value, choices = found.groups()
        names = [choice.strip(" '") for choice in choices.split(",")]
        hint = nearest(value.strip("'"), names)
        return f"{option}: expected {' or '.join(names)}, received {value}{hint}"
    if message.startswith("unrecognized arguments: "):
        words = message.removeprefix("unrecognized arguments: ")
        hint = nearest(words.split()[0].partition("=")[0], options)
        return f"expected only options and arguments that --help lists, received {words}{hint}"
    if message.startswith("the following arguments are required: "):
        names = message.removeprefix("the following arguments are required: ")
        return f"expected {names}, received none; --help tells more"
    if message.endswith(": expected one argument"):
        option = message.removeprefix("argument ").removesuffix(": expected one argument")
        return f"{option}: expected a value, received none"
    return message.removeprefix("argument ")


def nearest(word, names):
    """A hint at the name that was perhaps meant, or ""."""
    close = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
