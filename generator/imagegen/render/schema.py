"""The JSON Schema of a blueprint, for editors: they complete and check while one types.

It accepts whatever `read` accepts, and refuses what can be seen without the rest of the file. A
table may be completed by an [[override]] or by a base of one's own, so nothing is required in the
tables themselves: what a whole blueprint needs stands once, at the end, under its condition.

Where a bare value may stand for a table, one schema has the keywords for both instead of `anyOf`:
they do not get in each other's way, and an editor then names the very key that is wrong.
"""

import json
import re
from collections.abc import Iterable
from itertools import combinations
from typing import Any

from imagegen.language import Blueprint
from imagegen.language.about import (
    IMAGE_PATH,
    WHEN,
    Either,
    Key,
    ListOf,
    MapOf,
    Scalar,
    Type,
    keys,
    tables,
)
from imagegen.language.table import Table
from imagegen.read.bases import INHERITED
from imagegen.read.normal import LOWER
from imagegen.read.overrides import NEVER

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILLED_IN = r"\{\{"
_WHEN: Schema = {
    "description": WHEN,
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": ["string", "array"],
        "items": {"type": "string"},
        "minItems": 1,
    },
    "examples": [{"python": "3.*"}, {"lang": ["en", "fr"]}],
}


def schema_text() -> str:
    """Write the schema as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """Make the JSON Schema of a blueprint from the language."""
    properties = {key.name: _key(key) for key in keys(Blueprint)}
    properties["override"]["items"] = _override(properties)
    return {
        "$schema": DIALECT,
        "title": "Blueprint of imagegen",
        "description": "What a container image is made of, and what keeps it running.",
        "type": "object",
        "properties": properties,
        "required": ["blueprint"],
        "additionalProperties": False,
        "allOf": list(_whole()),
        "$defs": {t.__name__: _table(t) for t in tables() if t is not Blueprint},
    }


def _override(properties: Iterable[str]) -> Schema:
    changed = {k: {"$ref": f"#/properties/{k}"} for k in properties if k not in NEVER}
    return {
        "type": "object",
        "properties": {"when": _WHEN, **changed},
        "required": ["when"],
        "additionalProperties": False,
    }


def _table(table: type[Table]) -> Schema:
    said: Schema = {
        "description": table.__doc__,
        "type": "object",
        "properties": {key.name: _key(key) for key in keys(table)},
        "additionalProperties": False,
    }
    pairs = [pair for group in table.alternatives() for pair in combinations(group, 2)]
    if pairs:
        said["allOf"] = [{"not": {"type": "object", "required": list(pair)}} for pair in pairs]
    if table.bare:
        bare = next(key for key in keys(table) if key.name == table.bare)
        said = _merged(said, _type(bare.type))
    return said


def _key(key: Key) -> Schema:
    said = {"description": _described(key), **_type(key.type)}
    if isinstance(key.default, str | int):
        said["default"] = key.default
    if key.example is not None:
        said["examples"] = [key.example]
    return said


def _described(key: Key) -> str:
    hint = key.type.hint if isinstance(key.type, Scalar) else ""
    words = key.type.words if isinstance(key.type, Scalar) else ""
    return (
        f"{key.description}\n{words[:1].upper()}{words[1:]}: {hint}." if hint else key.description
    )


def _type(kind: Type) -> Schema:
    match kind:
        case Scalar():
            return _scalar(kind)
        case ListOf():
            return _list(kind)
        case MapOf():
            return {
                "type": "object",
                **_named(kind.name),
                **({"maxProperties": kind.most} if kind.most is not None else {}),
                **({"additionalProperties": item} if (item := _type(kind.item)) else {}),
            }
        case Either():
            return _merged(*map(_type, kind.types))
        case _:
            return {"$ref": f"#/$defs/{kind.__name__}"}


def _scalar(kind: Scalar) -> Schema:
    said: Schema = {}
    if kind.types:
        said["type"] = kind.types[0] if len(kind.types) == 1 else list(kind.types)
    if kind.values:
        values = {"enum": list(kind.values)}
        said |= {"anyOf": [values, {"pattern": _FILLED_IN}]} if kind.types else values
    if kind.pattern:
        said["pattern"] = _open(kind.pattern)
    least, most = ("minLength", "maxLength") if "string" in kind.types else ("minimum", "maximum")
    if kind.least is not None:
        said[least] = kind.least
    if kind.most is not None:
        said[most] = kind.most
    return said


def _list(kind: ListOf) -> Schema:
    item = _type(kind.item)
    said = _table(kind.item) if isinstance(kind.item, type) else item
    if "string" not in _listed(said.get("type", [])) or "anyOf" in said:
        item = {"anyOf": [item, {"const": LOWER}]}
    elif not re.search(said.get("pattern", ""), LOWER):
        item = {**item, "pattern": f"{said['pattern']}|^{re.escape(LOWER)}$"}
    sizes = {"minItems": kind.least, "maxItems": kind.most}
    return {"type": "array", "items": item, **{k: v for k, v in sizes.items() if v is not None}}


def _named(name: Scalar) -> Schema:
    """Restrict the keys of a table; only in paths of the image are names filled in."""
    if name.values:
        return {"propertyNames": {"enum": list(name.values)}}
    if not name.pattern:
        return {}
    pattern = _open(name.pattern) if name == IMAGE_PATH else name.pattern
    return {"propertyNames": {"pattern": pattern}}


def _open(pattern: str) -> str:
    """Let a pattern pass what holds a name that is still to be filled in."""
    return pattern if re.search(pattern, "{{ name }}") else f"{pattern}|{_FILLED_IN}"


def _merged(*schemas: Schema) -> Schema:
    """Make one schema of several for different types: no keyword speaks of two of them."""
    merged: Schema = {}
    for one in schemas:
        types = merged.pop("type", [])
        merged = {**merged, **one, "type": [*_listed(types), *_listed(one["type"])]}
    if sum(map(len, schemas)) - len(schemas) + 1 != len(merged):
        raise ValueError(f"{schemas} can't be merged")
    return merged


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _whole() -> Iterable[Schema]:
    """Say what a blueprint must have that no other file and no override completes.

    A file that does not name its image is a part, which others complete.
    """
    own = [key for key in keys(Blueprint) if key.name not in INHERITED]
    inherited = [key for key in keys(Blueprint) if key.name in INHERITED]
    part: Schema = {"not": {"properties": {"image": {"required": ["name"]}}, "required": ["image"]}}
    completed: Schema = {"anyOf": [{"required": ["override"]}, {"required": ["extends"]}, part]}
    base: Schema = {"type": "object", "required": ["blueprint"]}
    on_own_base: Schema = {
        "properties": {"image": {"properties": {"base": base}, "required": ["base"]}},
        "required": ["image"],
    }
    yield {"if": {"not": completed}, "then": _complete(own)}
    yield {"if": {"not": {"anyOf": [completed, on_own_base]}}, "then": _complete(inherited)}


def _complete(some: Iterable[Key]) -> Schema:
    required = [key.name for key in some if key.required]
    below = {key.name: needs for key in some if (needs := _needs(key.type))}
    return {
        **({"required": required} if required else {}),
        **({"properties": below} if below else {}),
    }


def _needs(kind: Type) -> Schema:
    """Say what a value must have to be complete; nothing if any is."""
    match kind:
        case ListOf():
            needs = _needs(kind.item)
            return {"items": {"if": {"type": "object"}, "then": needs}} if needs else {}
        case MapOf():
            needs = _needs(kind.item)
            return {"additionalProperties": needs} if needs else {}
        case Either() | Scalar():
            return {}
        case _:
            return _needs_of(kind)


def _needs_of(table: type[Table]) -> Schema:
    needs = _complete(keys(table))
    if set(needs.get("required", ())) - {table.bare}:
        needs["type"] = "object"
    if getattr(table, "needs_source", False):
        needs["anyOf"] = [{"required": [key]} for key in table.choices]
    return needs
