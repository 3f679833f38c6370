"""Keys of the language: where they belong, and which one an unknown key was meant to be."""

from functools import cache

from imagegen.language import Blueprint
from imagegen.language.table import Table
from imagegen.read.locate import KeyPath
from imagegen.read.near import listing, nearest
from imagegen.read.normal import Shape, shape_of

LISTS_OF_THE_TOP = ("extends", "remove")
"""What falls into a table if it is written after its header."""

OF_THE_TOP = "belongs at the top of the file, before the first [table]"

_MOST_HOMES = 4
_VERY_NEAR = 0.8
_ROOM = 120
# What other tools call a thing, and what it is called here.
_ELSEWHERE = {
    "at": ("schedule",),
    "chmod": ("mode",),
    "chown": ("owner",),
    "cmd": ("run",),
    "command": ("run",),
    "commands": ("run", "steps"),
    "content": ("text",),
    "cron": ("schedule", "jobs"),
    "depends-on": ("after",),
    "dest": ("to",),
    "entrypoint": ("run", "services"),
    "environment": ("env",),
    "exec": ("run",),
    "expose": ("ports",),
    "failures": ("retries",),
    "from": ("base",),
    "healthcheck": ("health",),
    "requires": ("after",),
    "script": ("file",),
    "variables": ("env", "args"),
}


def meant(path: KeyPath, top: type[Table] = Blueprint) -> str | None:
    """Find the key of the table that somebody meant by an unknown one."""
    key, table = str(path[-1]), shape_at(path[:-1], top).table
    known = keys_of(table) if table else []
    elsewhere = _ELSEWHERE.get(nearest(key, _ELSEWHERE, _VERY_NEAR) or "", ())
    near = nearest(key, known, _VERY_NEAR) if key in _homes(top) else nearest(key, known)
    return next((k for k in elsewhere if k in known), near)


def unknown_key(path: KeyPath, top: type[Table] = Blueprint) -> str:
    if near := meant(path, top):
        return f"unknown key; did you mean `{near}`?"
    key, table = str(path[-1]), shape_at(path[:-1], top).table
    if table is not top and key in keys_of(top):
        return f"unknown key; `{key}` {OF_THE_TOP}, or into a [table] of its own"
    homes = _homes(top).get(key, ())
    if 0 < len(homes) <= _MOST_HOMES:
        return f"unknown key; `{key}` belongs into {' or '.join(homes)}"
    return f"unknown key; known here: {listing(keys_of(table), room=_ROOM) if table else 'none'}"


def shape_at(path: KeyPath, top: type[Table] = Blueprint) -> Shape:
    shape = shape_of(top)
    for part in path:
        shape = shape.key(str(part))
    return shape


def keys_of(table: type[Table]) -> list[str]:
    """List the keys of a table as the user writes them, sorted."""
    return sorted(field.alias or name for name, field in table.model_fields.items())


@cache
def _homes(top: type[Table]) -> dict[str, list[str]]:
    """By key, the tables that have it."""
    homes: dict[str, list[str]] = {key: [] for key in keys_of(top)}
    # An override may hold every table once more; its keys are at home in those.
    tables = [key for key in keys_of(top) if key != "override"]
    left = [(key, shape_of(top).key(key)) for key in tables]
    while left:
        place, shape = left.pop(0)
        if shape.each:
            left.append((f"{place}.NAME" if shape.named else f"[{place}]", shape.each))
        for key in keys_of(shape.table) if shape.table else ():
            homes.setdefault(key, []).append(f"[{place}]")
            left.append((f"{place}.{key}", shape.key(key)))
    return homes
