"""pydantic's findings in our words, each at its place in the file."""

import difflib
from collections.abc import Iterable
from typing import Any

from imagegen.errors import Problem
from imagegen.language import Blueprint
from imagegen.language.table import Table
from imagegen.read.document import Node
from imagegen.read.normal import Shape, shape_of

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_type": "a string",
    "tuple_type": "a list",
}
_TYPES = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "a table"),
)


def complaints(errors: Iterable[Any], root: Node) -> list[Problem]:
    """Turn the errors of a validation into problems, each placed as near as the file allows."""
    return [_complaint(error, root) for error in errors]


def _complaint(error: Any, root: Node) -> Problem:  # noqa: ANN401 -- pydantic's ErrorDetails
    location = [part for part in error["loc"] if part != "[key]"]
    node = root
    missing: list[str] = []
    for part in location:
        below = node.child(part)
        if below is None:
            missing.append(str(part))
        else:
            node = below
    kind = error["type"]
    if kind == "missing":
        return node.problem(f"`{missing[-1]}` is missing", key=True)
    if kind == "extra_forbidden":
        return node.problem(_unknown(str(location[-1]), _above(location)), key=True)
    return node.problem(_said(error), key="[key]" in error["loc"])


def _said(error: Any) -> str:  # noqa: ANN401, PLR0911 -- pydantic's ErrorDetails
    kind, given = error["type"], error["input"]
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {_given(given)}{_cure(kind, given)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "literal_error":
        return f"must be {error['ctx']['expected']}"
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = error["ctx"].get("ge", error["ctx"].get("le"))
        word = "at least" if kind.startswith("greater") else "at most"
        return f"{given} is out of range: {word} {limit}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind in ("too_long", "string_too_long"):
        return f"is too long: at most {error['ctx']['max_length']}"
    message: str = error["msg"]
    return message[0].lower() + message[1:]


def _given(value: object) -> str:
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return "a date or time"


def _cure(kind: str, given: object) -> str:
    if kind == "string_type" and not isinstance(given, list | dict):
        return "; put it in quotes (TOML would turn 3.10 into 3.1)"
    if kind == "tuple_type" and isinstance(given, str):
        return "; put it in [ ]"
    return ""


def _above(location: list[Any]) -> Shape:
    shape = shape_of(Blueprint)
    for part in location[:-1]:
        shape = (
            shape.key(str(part)) if shape.table or isinstance(part, str) else shape.each or Shape()
        )
    return shape


def _unknown(key: str, shape: Shape) -> str:
    known = keys_of(shape.table) if shape.table else []
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    if shape.table is not Blueprint and key in keys_of(Blueprint):
        return (
            f"unknown key; `{key}` belongs at the top of the file, before the first [table], "
            "or into a [table] of its own"
        )
    return f"unknown key; known here: {', '.join(known)}"


def keys_of(table: type[Table]) -> list[str]:
    """List the keys of a table as the user writes them, sorted."""
    return sorted(field.alias or name for name, field in table.model_fields.items())
