"""YAML 1.2 text to plain values, with the line of every key.

The text is first composed into nodes: they know their lines, and still have duplicate keys and
explicit tags. A loader that only returns values keeps the last of two equal keys and says nothing.
"""

import reprlib
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from training_run.errors import UserError

PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")
}

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_KEYS = (_TEXT, "tag:yaml.org,2002:merge")

MAX_CHARACTERS = 200_000
"""Far more than a configuration has. The parser needs minutes for a file of many megabytes."""

MAX_SHOWN = 40
"""Maximum number of problems in one error message."""


@dataclass(frozen=True)
class Problem:
    """One problem of a configuration, as one line of text.

    Attributes:
        where: file and line, or where an override was given, such as "command line".
        key: dotted path of the key, or "" for the whole document.
        message: what was expected, what was received and the nearest valid name.
    """

    where: str
    key: str
    message: str

    def __str__(self):
        text = ": ".join(part for part in (self.where, self.key, self.message) if part)
        return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


class ConfigError(UserError):
    """A configuration that cannot be used. `problems` has all reasons, each a line of the text."""

    def __init__(self, problems):
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"and {len(self.problems) - MAX_SHOWN:,} more problems")
        super().__init__("\n".join(lines))


@dataclass
class Source:
    """Values of one YAML document, and where each of them stands.

    Attributes:
        name: of the document; it stands before the line numbers.
        values: the document as dicts, lists and scalars.
        places: dotted key to "file:line", or where an override was given.
        problems: a `Problem` for each duplicate key and each value that is not plain.
        is_plain: False if a value has a tag such as a date's or a Python object's, or a key is not
            text. Then there are no values.
    """

    name: str
    values: object = None
    places: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    is_plain: bool = True


def read_yaml(path):
    """Read a YAML 1.2 file into a `Source` whose values are a dict.

    Raises:
        ConfigError: if the file cannot be read, is not well-formed YAML, has values that are not
            plain, or holds anything but keys and values.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        problem = Problem(str(path), "", f"the file cannot be read: {reason}")
        raise ConfigError([problem]) from None
    source = parse_yaml(text, str(path))
    if not isinstance(source.values, dict):
        message = f"expected keys and values, received {shorten(source.values)}"
        raise ConfigError([Problem(str(path), "", message)])
    return source


def parse_yaml(text, name):
    """Parse YAML 1.2 text into a `Source` with this name.

    Raises:
        ConfigError: if the text is not well-formed YAML, or has values that are not plain.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"expected YAML of at most {MAX_CHARACTERS:,} characters, received {len(text):,}"
        raise ConfigError([Problem(name, "", message)])
    loader = YAML(typ="safe", pure=True)
    loader.allow_duplicate_keys = True  # `_note_places` reports them all, with their lines
    source = Source(name)
    try:
        root = loader.compose(text)
        if root is not None:
            _note_places(root, "", root.start_mark.line + 1, source, seen=set())
            if source.is_plain:
                source.values = loader.constructor.construct_document(root)
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError([_syntax_problem(error, name)]) from None
    if not source.is_plain:
        raise ConfigError(source.problems)
    return source


def _note_places(node, key, line, source, seen):
    """Note the line of each key from `node` on. Report duplicate keys, and tags."""
    where = source.places[key] = f"{source.name}:{line}"
    if id(node) in seen:  # an alias; it may stand inside its own anchor
        return
    seen.add(id(node))
    if str(node.tag) not in PLAIN_TAGS:
        message = f"expected a plain YAML value, received one with the tag {str(node.tag)[:60]!r}"
        source.problems.append(Problem(where, key, message))
        source.is_plain = False
    if isinstance(node, ScalarNode) and "_" in node.value and node.tag in _NUMBERS:
        node.tag = _TEXT  # 1_0 is a number in YAML 1.1 alone
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _note_places(item, join_key(key, index), item.start_mark.line + 1, source, seen)
    if isinstance(node, MappingNode):
        _note_mapping(node, key, source, seen)


def _note_mapping(node, key, source, seen):
    first_lines = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode) or str(key_node.tag) not in _KEYS:
            written = key_node.value if isinstance(key_node, ScalarNode) else "a list or keys"
            message = f"expected keys that are text, received {str(written)[:60] or 'none'}"
            source.problems.append(Problem(f"{source.name}:{line}", key, message))
            source.is_plain = False
            continue
        child = join_key(key, key_node.value)
        if child in first_lines:
            first = f"(first on line {first_lines[child]})"
            message = f"expected each key once, received it again {first}"
            source.problems.append(Problem(f"{source.name}:{line}", child, message))
        first_lines.setdefault(child, line)
        _note_places(value, child, line, source, seen)


def _syntax_problem(error, name):
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    detail = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(where, "", f"expected YAML, received text that is not: {detail}")


def join_key(parent, child):
    """Dotted path of `child` under `parent` ("" is the top)."""
    return f"{parent}.{child}" if parent else str(child)


def is_one_of(key, keys):
    """True if a dotted key is one of `keys`, or lies in a section that is."""
    return any(key == other or key.startswith(f"{other}.") for other in keys)


def shorten(value):
    """A value as text for a message, 60 characters at most.

    YAML's aliases can make a list of a billion items, so a plain `repr` may not end.
    """
    if isinstance(value, int) and value.bit_length() > 180:
        return f"an integer of {value.bit_length():,} bits"
    writer = reprlib.Repr()
    writer.maxstring = writer.maxother = writer.maxlong = 60
    writer.maxlevel, writer.maxlist, writer.maxtuple, writer.maxdict = 2, 12, 12, 4
    text = writer.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
