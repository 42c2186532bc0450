"""YAML 1.2 text to plain values, with the line of every key.

A loader that only returns values cannot say where a wrong one stands, and most keep the
last of two equal keys without a word. So the text is composed into nodes first: they know
their lines, and duplicates and explicit tags are still visible in them.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from training_run.errors import UserError

PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")
}


_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_KEYS = (_TEXT, "tag:yaml.org,2002:merge")


MAX_CHARACTERS, MAX_BRACKETS = 200_000, 1000
"""Far more than a configuration has. The parser's time grows with the square of open brackets."""


MAX_SHOWN = 40
"""Problems that are told at once."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration, told in one line.

    Attributes:
        where: file and line, or "command line".
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
    """A configuration that cannot be used; `problems` has every reason, a line each."""

    def __init__(self, problems):
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"and {len(self.problems) - MAX_SHOWN:,} more problems")
        super().__init__("\n".join(lines))


@dataclass
class Source:
    """Values of one YAML document and where each of them was written.

    Attributes:
        values: the document as dicts, lists and scalars.
        places: dotted key -> "file:line" (or "command line").
        problems: duplicate keys, explicit tags and the like, found while reading.
        is_plain: False with tags, or keys that are no text; then there are no values.
    """

    values: object
    places: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    is_plain: bool = True


def read_yaml(path):
    """Read a YAML 1.2 file into a `Source`.

    Raises:
        ConfigError: if the file cannot be read or is not well-formed YAML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        problem = Problem(str(path), "", f"the file cannot be read: {reason}")
        raise ConfigError([problem]) from None
    return parse_yaml(text, str(path))


def parse_yaml(text, name):
    """Parse YAML 1.2 text into a `Source`; `name` stands before the line numbers."""
    if len(text) > MAX_CHARACTERS or text.count("[") + text.count("{") > MAX_BRACKETS:
        message = (
            f"expected YAML of at most {MAX_CHARACTERS:,} characters and {MAX_BRACKETS:,} brackets "
            "that open, received more"
        )
        raise ConfigError([Problem(name, "", message)])
    loader = YAML(typ="safe", pure=True)
    loader.allow_duplicate_keys = True  # reported below, all of them, with their lines
    try:
        root = loader.compose(text)
        source = Source(values=None)
        if root is not None:
            _note_places(root, "", name, source, seen=set())
            if source.is_plain:
                source.values = loader.constructor.construct_document(root)
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError([_syntax_problem(error, name)]) from None
    return source


def _note_places(node, key, name, source, seen):
    """Walk the nodes: note each key's line, report duplicates and tags of their own."""
    if id(node) in seen:  # an alias: its anchor was walked already
        return
    seen.add(id(node))
    where = f"{name}:{node.start_mark.line + 1}"
    source.places.setdefault(key, where)
    if str(node.tag) not in PLAIN_TAGS:
        message = f"expected a plain YAML value, received one with the tag {str(node.tag)[:60]!r}"
        source.problems.append(Problem(where, key, message))
        source.is_plain = False
    if isinstance(node, ScalarNode) and "_" in node.value and node.tag in _NUMBERS:
        node.tag = _TEXT  # 1_0 is a number in YAML 1.1 alone
    if isinstance(node, MappingNode):
        _note_mapping(node, key, name, source, seen)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _note_places(item, join_key(key, index), name, source, seen)


def _note_mapping(node, key, name, source, seen):
    first_lines = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode) or str(key_node.tag) not in _KEYS:
            written = key_node.value if isinstance(key_node, ScalarNode) else "a list or keys"
            message = f"expected keys that are text, received {str(written)[:60] or 'none'}"
            source.problems.append(Problem(f"{name}:{line}", key, message))
            source.is_plain = False
            continue
        child = join_key(key, key_node.value)
        if child in first_lines:
            message = (
                f"expected each key once, received it again (first on line {first_lines[child]})"
            )
            source.problems.append(Problem(f"{name}:{line}", child, message))
        first_lines.setdefault(child, line)
        source.places[child] = f"{name}:{line}"
        _note_places(value_node, child, name, source, seen)


def _syntax_problem(error, name):
    mark = getattr(error, "problem_mark", None) if isinstance(error, MarkedYAMLError) else None
    where = f"{name}:{mark.line + 1}" if mark else name
    detail = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(where, "", f"expected YAML, received text that is not: {detail}")


def join_key(parent, child):
    """Dotted path of `child` under `parent` ("" is the top)."""
    return f"{parent}.{child}" if parent else str(child)
