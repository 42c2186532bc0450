"""Ways to damage a file, each as it could come from a disk, an editor or a stranger."""

import csv
import io
import json
import math
import shutil
import zipfile

import numpy as np
from ruamel.yaml import YAML

JUNK = (
    None,
    [],
    {},
    math.nan,
    math.inf,
    10**30,
    -7,
    0,
    0.5,
    True,
    "",
    "1e3",
    "\x1b[31mred\n",
    [[1]],
)
"""What takes the place of a typed field."""

BYTES = {
    "emptied": lambda content, chance: b"",
    "cut": lambda content, chance: content[: chance.randrange(len(content) or 1)],
    "one byte flipped": lambda content, chance: flip(content, chance, 1),
    "twenty bytes flipped": lambda content, chance: flip(content, chance, 20),
    "no UTF-8": lambda content, chance: insert(content, chance, b"\xff\xfe\x80"),
    "null bytes": lambda content, chance: insert(content, chance, bytes(7)),
    "control characters": lambda content, chance: insert(content, chance, b"\x1b[2J\x07\r"),
    "twice": lambda content, chance: content + content,
    "nested lists": lambda content, chance: 20_000 * b"[",
    "nested objects": lambda content, chance: 5_000 * b'{"format":',
    "a list": lambda content, chance: b"[1, 2, 3]\n",
    "a number": lambda content, chance: b"42\n",
    "a long number": lambda content, chance: 6_000 * b"9",
    "random bytes": lambda content, chance: chance.randbytes(400),
}
"""Name of a damage to a function (content, `random.Random`) -> content."""


def flip(content, chance, count):
    """Change `count` bytes at random places."""
    changed = bytearray(content)
    for _ in range(count if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def insert(content, chance, more):
    """Put bytes at a random place."""
    place = chance.randrange(len(content) + 1)
    return content[:place] + more + content[place:]


def damage(path, chance):
    """Damage a file in a random way; returns what was done, in words."""
    fields = FIELDS.get(path.suffix)
    kind = chance.choice(["bytes", "bytes", "place"] + 5 * ["field"])
    if kind == "field" and fields:
        return fields(path, chance)
    if kind == "place" and chance.random() < 0.5:
        return PLACES[name := chance.choice(list(PLACES))](path) or name
    name = chance.choice(list(BYTES))
    path.write_bytes(BYTES[name](path.read_bytes(), chance))
    return name


def remove(path):
    """Take the file away."""
    path.unlink()


def folder_instead(path):
    """Put a folder in the file's place."""
    path.unlink()
    path.mkdir()


def dangling_link_instead(path):
    """Put a link to nowhere in the file's place."""
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


PLACES = {
    "removed": remove,
    "a folder": folder_instead,
    "a dangling link": dangling_link_instead,
}


def places_in(values, place=()):
    """Every place in nested dicts and lists, as a tuple of keys."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places_in(value, (*place, key))


def change_field(values, chance):
    """Replace, remove or add a field of nested dicts; returns what was done."""
    *parents, last = chance.choice(list(places_in(values)))
    section = values
    for key in parents:
        section = section[key]
    name = ".".join(map(str, [*parents, last]))
    action = chance.choice(["replaced", "replaced", "replaced", "removed", "renamed"])
    if action == "replaced":
        section[last] = junk = chance.choice(JUNK)
        return f"{name} = {junk!r}"
    value = section.pop(last)
    if action == "renamed" and isinstance(section, dict):
        section[chance.choice(["", "ne w", "\x1b[1mx", f"{last}s"])] = value
    return f"{name} {action}"


def damage_json(path, chance):
    values = json.loads(path.read_text(encoding="utf-8"))
    done = change_field(values, chance)
    path.write_text(json.dumps(values), encoding="utf-8")
    return done


def damage_yaml(path, chance):
    values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    done = change_field(values, chance)
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(values, text)
    path.write_text(text.getvalue(), encoding="utf-8")
    return done


CELLS = (
    "",
    "nan",
    "-inf",
    "1e999",
    "-7",
    "0",
    "99999999999999999999",
    "text",
    "1_0",
    "٣",
    "\x1b[1m",
)


def damage_csv(path, chance):
    """Change a cell, take a row or a column away, or cut the last row."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    row, column = chance.randrange(len(rows)), chance.randrange(len(rows[0]))
    action = chance.choice(["cell", "cell", "cell", "row", "column", "order", "end"])
    if action == "cell":
        rows[row][column] = cell = chance.choice(CELLS)
        action = f"cell {row}, {column} = {cell!r}"
    elif action == "row":
        del rows[row]
    elif action == "column":
        rows = [cells[:column] + cells[column + 1 :] for cells in rows]
    elif action == "order":
        chance.shuffle(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    content = text.getvalue()
    path.write_text(content[: -chance.randrange(2, 9)] if action == "end" else content, "utf-8")
    return f"{action} (row {row})" if action in ("row", "end") else action


def damage_state(path, chance):
    """Change an array of a checkpoint and its checksum with it."""
    from training_run.files import sha256_of_file

    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    name = chance.choice(list(arrays))
    action, change = chance.choice(list(ARRAYS.items()))
    arrays[name] = change(arrays[name])
    if action == "left out":
        del arrays[name]
    np.savez(path, **arrays)
    record = path.with_name("checkpoint.json")
    values = json.loads(record.read_text(encoding="utf-8")) | {"sha256": sha256_of_file(path)}
    record.write_text(json.dumps(values), encoding="utf-8")
    return f"{name} {action}"


ARRAYS = {
    "of objects": lambda array: np.array([{}], object),
    "of another shape": lambda array: np.zeros((3, 5, 7), array.dtype),
    "of another type": lambda array: array.astype(np.complex64),
    "not finite": lambda array: np.full_like(array, np.nan) if array.dtype.kind == "f" else array,
    "left out": lambda array: array,
}


def damage_network(path, chance):
    """Damage a member of a `.keras` file, which stays a whole zip file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(members))
    new = path.with_name("new.zip")
    action = "left out"
    if name.endswith(".json") and chance.random() < 0.6:
        values = json.loads(members[name])
        action = change_field(values, chance)
        members[name] = json.dumps(values).encode()
    elif chance.random() < 0.8:
        action = chance.choice(list(BYTES))
        members[name] = BYTES[action](members[name], chance)
    else:
        del members[name]
    with zipfile.ZipFile(new, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    shutil.move(new, path)
    return f"{name}: {action}"


FIELDS = {
    ".json": damage_json,
    ".yaml": damage_yaml,
    ".csv": damage_csv,
    ".npz": damage_state,
    ".keras": damage_network,
}
"""Suffix to a function that damages one typed field of such a file and says which."""
