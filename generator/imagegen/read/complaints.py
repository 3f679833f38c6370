"""pydantic's findings in our words, each at its place in the file."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from imagegen.errors import MOST_PROBLEMS, Problem, shortened
from imagegen.language import Blueprint
from imagegen.language.about import Scalar, keys
from imagegen.language.table import Table, Wrong
from imagegen.read.document import Node, dotted, plain
from imagegen.read.keys import keys_of, meant, shape_at, unknown_key
from imagegen.read.locate import KeyPath
from imagegen.read.near import listing

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_type": "a string",
    "tuple_type": "a list",
}
_TYPES = (
    (int, "a number"),
    (float, "a decimal number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "a table"),
)
_SAID = {
    "greater_than_equal": "{raw} is out of range: at least {ge}",
    "less_than_equal": "{raw} is out of range: at most {le}",
    "string_too_long": "is too long: at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_long": "are too many: at most {max_length}",
    "too_short": "must not be empty",
}
_SIMPLE = re.compile(r"(?!0[xob])[\w.:+-]{1,40}")
_QUOTES = ('"', "'")
_QUOTED_BARE = re.compile("([\"'])(?:true|false|[0-9]+)\\1")
_HEADER = re.compile(r"\[\[?[\w.-]+\]?\]")
_SHORT = 40
_ROUNDS = 20
_NAMED = 'an image has a name, as in [image] name = "web"'
_SOME_IMAGE = {"name": "x", "base": {"image": "debian:x"}}


@dataclass(frozen=True, slots=True)
class _Fault:
    """One finding of pydantic: the path it names, what is there, and what of that to show."""

    error: ErrorDetails
    path: KeyPath
    about: Node
    node: Node
    on_key: bool
    top: type[Table]

    @property
    def kind(self) -> str:
        return self.error["type"]


def rest(root: Node, errors: Iterable[ErrorDetails]) -> tuple[Node, Blueprint] | None:
    """Take out what is wrong until the rest is valid, so that it can be looked at further.

    What loses a part becomes doubtful. What every blueprint must have is made up.
    """
    for _ in range(_ROUNDS):
        wrong = {id(_fault(error, root).about) for error in errors} - {id(root)}
        root = _without(root, wrong)
        try:
            return root, Blueprint.model_validate(_completed(plain(root)))
        except ValidationError as error:
            errors = error.errors(include_url=False)
    return None


def _completed(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"blueprint": 1, "image": _SOME_IMAGE | value.get("image", {})}


def _without(node: Node, wrong: set[int]) -> Node:
    if isinstance(node.value, dict):
        kept = {k: _without(item, wrong) for k, item in node.items() if id(item) not in wrong}
        return node.with_value(kept, doubtful=len(kept) < len(node.value))
    if isinstance(node.value, list):
        items = [_without(item, wrong) for item in node.value if id(item) not in wrong]
        return node.with_value(items, doubtful=len(items) < len(node.value))
    return node


def complaints(
    errors: Iterable[ErrorDetails], root: Node, top: type[Table] = Blueprint
) -> Iterator[Problem]:
    """Turn what a validation found into problems; `top` is what the whole document is.

    What is said of something doubtful is left out, and a missing key where one with a typo stands.
    """
    faults = [_fault(error, root, top) for error in errors if not _is_echo(error)]
    unknown = [fault.path for fault in faults if fault.kind == "extra_forbidden"]
    hinted = set(unknown[:MOST_PROBLEMS])  # looking for what was meant is slow
    typos = {(*path[:-1], meant(path, top)) for path in hinted}
    for fault in faults:
        if fault.kind == "extra_forbidden":
            message = unknown_key(fault.path, top) if fault.path in hinted else "unknown key"
            yield fault.node.problem(message, key=True)
        elif fault.kind == "missing":
            if fault.path not in typos:
                yield fault.node.problem(_missing(fault.path), key=True)
        elif not fault.about.doubtful:
            yield fault.node.problem(_said(fault), key=fault.on_key)


def complaints_of(adapter: TypeAdapter[Any], layer: Node, key: str) -> Iterator[Problem]:
    """Complain about one key of a layer that is read before the rest is validated."""
    node = layer.get(key)
    if node is None:
        return
    try:
        adapter.validate_python(plain(node))
    except ValidationError as error:
        errors = error.errors(include_url=False)
        for one in errors:
            one["loc"] = (key, *one["loc"])
        yield from complaints(errors, layer)


def _fault(error: ErrorDetails, root: Node, top: type[Table] = Blueprint) -> _Fault:
    """Find the place of an error, or as much of it as the document has."""
    location = error["loc"]
    on_key = location[-1:] == ("[key]",) and error["type"] not in ("extra_forbidden", "missing")
    path = location[:-1] if on_key else location
    about = root.nearest(path)
    cause = error.get("ctx", {}).get("error")
    node = about.nearest(cause.path) if isinstance(cause, Wrong) else about
    return _Fault(error, path, about, node, on_key, top)


def _is_echo(error: ErrorDetails) -> bool:
    """Tell whether a list is called empty because its items are wrong."""
    return error["type"] == "too_short" and bool(error["input"])


def _said(fault: _Fault) -> str:
    kind, given, context = fault.kind, fault.error["input"], fault.error.get("ctx", {})
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {_given(given)}{_cure(fault, given)}"
    if kind in _SAID:
        return _SAID[kind].format(raw=shortened(fault.node.raw()), **context)
    if kind == "literal_error":
        field = _field(fault.path)
        expected = context["expected"].replace("'", '"')
        return f"must be {expected}" + (f" ({_short(field.description)})" if field else "")
    return str(context.get("error", fault.error["msg"]))


def _given(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return next((words for kind, words in _TYPES if isinstance(value, kind)), "a date or time")


def _cure(fault: _Fault, given: object) -> str:
    """Say what to write instead, where that can be told from what was written."""
    raw = fault.node.raw()
    cure = ""
    match fault.kind:
        case "string_type" if given and raw.isdecimal() and (unit := _unit(fault)):
            cure = f'; write "{raw}{unit}", a number with its unit'
        case "string_type" if _SIMPLE.fullmatch(raw):
            is_kept = str(given).lower() == raw.lower()
            cure = f'; write "{raw}"' + ("" if is_kept else f", or TOML reads {given}")
        case "bool_type" | "int_type" if _QUOTED_BARE.fullmatch(raw):
            cure = f"; write {raw[1:-1]}, without quotes"
        case "tuple_type" if isinstance(given, str) and len(raw) <= _SHORT and "\n" not in raw:
            cure = f"; write [{raw if raw[:1] in _QUOTES else json.dumps(given)}]"
        case "tuple_type" if isinstance(given, dict) and _HEADER.fullmatch(raw):
            cure = f"; write [{raw}] for each of its items"
        case "model_type" | "dict_type" if isinstance(given, list) and _HEADER.fullmatch(raw):
            cure = f"; write {raw[1:-1]}"
        case "model_type" if table := shape_at(fault.path, fault.top).table:
            cure = f"; its keys are: {listing(keys_of(table))}"
        case "dict_type":
            cure = "; write names and values: { NAME = … }"
    return cure


def _unit(fault: _Fault) -> str:
    """Find the unit that the example of a duration or a size has."""
    table = shape_at(fault.path[:-1], fault.top).table
    of_table = keys(table) if table else ()
    kind = next((key.type for key in of_table if key.name == fault.path[-1]), None)
    if not isinstance(kind, Scalar) or kind.words not in ("duration", "size"):
        return ""
    return str(kind.example).lstrip("0123456789")


def _missing(path: KeyPath) -> str:
    field = _field(path)
    if path == ("image", "name"):
        return f"`name` is missing, so this is a part, for `extends`; {_NAMED}"
    if field and field.examples:
        return (
            f"`{path[-1]}` is missing; write it as in {path[-1]} = {json.dumps(field.examples[0])}"
        )
    table = f"; it is a table: [{dotted(path)}]" if shape_at(path).table else ""
    if path == ("image",):
        table += f", without which this is a part, for `extends`; {_NAMED}"
    return f"`{path[-1]}` is missing{table}"


def _field(path: KeyPath) -> FieldInfo | None:
    table = shape_at(path[:-1]).table
    fields = table.model_fields.items() if table else ()
    return next((field for name, field in fields if (field.alias or name) == path[-1]), None)


def _short(description: str | None) -> str:
    return (description or "").rstrip(".").lower()
