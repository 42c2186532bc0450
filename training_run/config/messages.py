"""Pydantic's errors in the words of the configuration file, with the nearest valid names."""

import difflib
import re
from typing import get_args

from pydantic import BaseModel

from training_run.config.yaml_source import Problem, join_key, shorten

WORDING = (
    ("Input should be a valid integer", "expected an integer"),
    ("Input should be a valid tuple", "expected a list"),
    ("Input should be a valid boolean", "expected true or false"),
    ("Input should be a valid", "expected a"),
    ("Input should be greater", "expected a number greater"),
    ("Input should be less", "expected a number less"),
    ("Input should be", "expected"),
    ("String should match pattern", "expected text that matches"),
    ("String should have", "expected text of"),
    ("Tuple should have", "expected a list of"),
)
"""Pydantic's words for what it expected, and ours."""


def explain(error, config_class, source):
    """One `Problem` for each of pydantic's errors, in the words of the file.

    Args:
        error: pydantic's `ValidationError`.
        config_class: the class that was to be made.
        source: the `Source` that was read, overrides included.
    """
    known = dotted_keys(config_class)
    found = {}
    for details in error.errors(include_url=False):
        if details["type"] == "default_factory_not_called":  # follows from another problem
            continue
        key = _dotted(details["loc"], known, details["type"])
        if details["type"] == "union_tag_invalid":
            key, details["input"] = join_key(key, "kind"), details["ctx"]["tag"]
        found.setdefault(key, []).append(_message(details, key, known))
    for key, messages in found.items():
        place = key
        while place and place not in source.places:  # the section of a missing key has a place
            place = place.rpartition(".")[0]
        where = source.places[place] if place else source.name
        yield Problem(where, key, _joined(messages))


def _joined(messages):
    """The messages on one key, of which it could be several kinds of value, as one."""
    expected = [message.partition(", received ")[0] for message in messages]
    first, *others = dict.fromkeys(expected)
    kinds = [first, *(other.removeprefix("expected ") for other in others)]
    return messages[-1].replace(expected[-1], " or ".join(kinds), 1)


def _dotted(location, known, kind):
    """Pydantic's location as a key of the file: without the names of union members."""
    key = ""
    for index, part in enumerate(location):
        child = join_key(key, part)
        is_unknown = kind == "extra_forbidden" and index == len(location) - 1
        if child in known or isinstance(part, int) or is_unknown:
            key = child
    return key


def _message(details, key, known):
    kind, text, received = details["type"], details["msg"], details["input"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key, received {shorten(received)}{_nearest_key(key, known)}"
    if kind == "missing":
        return "expected a value, received none"
    if kind == "value_error":
        return text.removeprefix("Value error, ")
    if kind in ("model_type", "dict_type", "union_tag_not_found"):
        text = "expected keys and values"
    if kind == "union_tag_invalid":
        text = "expected " + " or ".join(context["expected_tags"].rsplit(", ", 1))
    for pydantic_word, ours in WORDING:
        text = text.replace(pydantic_word, ours)
    choices = re.findall("'(.*?)'", context.get("expected") or context.get("expected_tags") or "")
    hint = nearest(shorten(received).strip("'"), choices)
    return f"{text.partition(' after validation')[0]}, received {shorten(received)}{hint}"


def nearest(word, choices):
    """The text "; did you mean 'NAME'?" with the choice nearest to `word`, or "" if none is."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _nearest_key(key, known):
    parent, _, leaf = key.rpartition(".")
    siblings = [other for other in known if other.rpartition(".")[0] == parent]
    elsewhere = [other for other in known if other.rpartition(".")[2] == leaf]
    return nearest(key, siblings) or (f"; did you mean {elsewhere[0]!r}?" if elsewhere else "")


def dotted_keys(config_class, parent=""):
    """Every dotted key that a configuration may have, sections included."""
    keys = []
    for name, field in config_class.model_fields.items():
        key = join_key(parent, name)
        keys.append(key)
        for section in _sections_in(field.annotation):
            keys += [child for child in dotted_keys(section, key) if child not in keys]
    return keys


def _sections_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections_in(part)]
