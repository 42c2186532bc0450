"""What pydantic finds wrong with a configuration, said in the words of its file."""

import difflib
import reprlib
from typing import get_args

from pydantic import BaseModel

from training_run.config.yaml_source import Problem, join_key


def explain(error, config_class, source, path):
    """One `Problem` for each of pydantic's errors, in the words of the file.

    Args:
        error: pydantic's `ValidationError`.
        config_class: the class that was to be made.
        source: the `Source` that was read, overrides included.
        path: of the file, for what has no line of its own.
    """
    known = dotted_keys(config_class)
    for details in error.errors(include_url=False):
        if details["type"] == "default_factory_not_called":  # follows from another problem
            continue
        key = _dotted(details["loc"], known)
        if details["type"] == "union_tag_invalid":
            key, details["input"] = join_key(key, "kind"), details["ctx"]["tag"]
        place = key
        while place and place not in source.places:  # a missing key stands where its section does
            place = place.rpartition(".")[0]
        where = source.places[place] if place else path
        yield Problem(where, key, _message(details, key, known))


def _dotted(location, known):
    """Pydantic's location as a key of the file: without the names of union members."""
    key = ""
    for index, part in enumerate(location):
        child = join_key(key, part)
        if child in known or isinstance(part, int) or index == len(location) - 1:
            key = child
    return key


_WORDING = (
    ("Input should be a valid integer", "expected an integer"),
    ("Input should be a valid", "expected a"),
    ("Input should be greater", "expected a number greater"),
    ("Input should be less", "expected a number less"),
    ("Input should be", "expected"),
    ("String should match pattern", "expected text that matches"),
    ("String should have", "expected text of"),
    ("Tuple should have", "expected a list of"),
)
"""Pydantic's words for what it expected, and ours."""


def _message(details, key, known):
    kind, text, received = details["type"], details["msg"], details["input"]
    if kind == "extra_forbidden":
        return f"unknown key, received {shorten(received)}" + _nearest_key(key, known)
    if kind == "missing":
        return "expected a value, received none"
    if kind == "value_error":
        return text.removeprefix("Value error, ")
    if kind in ("model_type", "dict_type", "union_tag_not_found"):
        text = "expected keys and values"
    if kind == "union_tag_invalid":
        text = f"expected {details['ctx']['expected_tags'].replace(', ', ' or ')}"
    for pydantic_word, ours in _WORDING:
        text = text.replace(pydantic_word, ours)
    message = f"{text}, received {shorten(received)}"
    if kind in ("literal_error", "union_tag_invalid"):
        message += nearest(shorten(received).strip("'"), _choices(details))
    return message


def _choices(details):
    context = details.get("ctx", {})
    text = str(context.get("expected") or context.get("expected_tags") or "")
    return [choice.strip(" '") for choice in text.replace(" or ", ", ").split(",")]


def nearest(word, choices):
    """The text "; did you mean 'NAME'?" with the choice nearest to `word`, or "" where none is."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _nearest_key(key, known):
    parent, _, leaf = key.rpartition(".")
    siblings = [other for other in known if other.rpartition(".")[0] == parent]
    hint = nearest(key, siblings)
    if not hint:
        elsewhere = [other for other in known if other.rpartition(".")[2] == leaf]
        hint = f"; did you mean {elsewhere[0]!r}?" if elsewhere else ""
    return hint


def shorten(value):
    """A value for a message, 60 characters at most.

    A few aliases can make a list of a billion items: no plain `repr`.
    """
    if isinstance(value, int) and value.bit_length() > 180:
        return f"an integer of {value.bit_length():,} bits"
    writer = reprlib.Repr()
    writer.maxstring = writer.maxother = writer.maxlong = 60
    writer.maxlevel, writer.maxlist, writer.maxtuple, writer.maxdict = 2, 12, 12, 4
    text = writer.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


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
