"""--set: what the command line lays over a blueprint, as documents like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import tomli

from imagegen.errors import UsageError, quoted
from imagegen.language import Blueprint
from imagegen.language.about import Either, ListOf, MapOf, Scalar, Type, keys
from imagegen.language.paths import Part, leading_path
from imagegen.read.document import Node, document
from imagegen.read.locate import KeyPath, Span, locate
from imagegen.read.normal import Shape, normal
from imagegen.read.source import Source

NAME = "--set"
_TOO_LATE = ("extends", "override")
_BEGIN = "x = "


@dataclass(frozen=True)
class Option(Source):
    """The text of one option. It need be no TOML, so it knows its places by itself."""

    spots: dict[KeyPath, tuple[Span, Span]] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[KeyPath, tuple[Span, Span]]:
        return self.spots


def option(text: str, top: Source, shape: Shape) -> Node:
    """Read KEY=VALUE as a document that lies over all else; own files are beside the blueprint.

    The value is TOML if it can be, and else text; where the language wants text, a number or date
    is text, too. Raises UsageError for what is no key with a value.
    """
    found = leading_path(text)
    if found is None or not text.startswith("=", found[1]):
        raise UsageError(
            f"{NAME} {quoted(text)}: write KEY=VALUE, the key as TOML does, as in args.app=1.2 or "
            "'files.\"/etc/x\".text=hello'"
        )
    parts, end = found
    if parts[0].key in _TOO_LATE:
        raise UsageError(f"{NAME} {quoted(text)}: `{parts[0].key}` can't be set from here")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{NAME} {quoted(text)}: is no UTF-8 text") from None
    value, places = _value(text, end + 1, tuple(part.key for part in parts))
    return _document(text, parts, value, places, top, shape)


def _value(
    text: str, start: int, path: tuple[str, ...]
) -> tuple[object, dict[KeyPath, tuple[Span, Span]]]:
    """Read the value, and find the places in it, by paths that begin at the value."""
    raw = text[start:]
    whole = Span(start, len(text))
    try:
        read = tomli.loads(_BEGIN + raw)
    except (ValueError, RecursionError):
        return raw, {(): (whole, whole)}
    value = read.get("x")
    if len(read) > 1 or (not isinstance(value, str | list | dict) and _wants_text(path)):
        return raw, {(): (whole, whole)}
    shift = start - len(_BEGIN)
    places = locate(_BEGIN + raw)
    return value, {
        at[1:]: (_shifted(place.key, shift), _shifted(place.value, shift))
        for at, place in places.items()
    }


def _shifted(span: Span, shift: int) -> Span:
    return Span(span.start + shift, span.end + shift)


def _document(  # noqa: PLR0913, PLR0917 -- what the two halves of an option were read as
    text: str,
    parts: Sequence[Part],
    value: object,
    places: dict[KeyPath, tuple[Span, Span]],
    top: Source,
    shape: Shape,
) -> Node:
    """Wrap the value in the tables of its key; a key below a list of tables is an item's name."""
    spots: dict[KeyPath, tuple[Span, Span]] = {}
    path: KeyPath = ()
    names: dict[int, tuple[str, str]] = {}
    whole = shape
    for part in parts:
        spot = Span(part.start, part.end)
        if shape.each and shape.each.table and not shape.named:
            names[len(path)] = part.key, shape.each.table.bare or ""
            path = (*path, 0)
            spots[(*path, "name")] = (spot, spot)
        else:
            path = (*path, part.key)
        spots[path] = (spot, Span(parts[0].start, part.end))
        shape = shape.key(part.key)
    spots |= {(*path, *at): place for at, place in places.items() if at}
    spots[path] = (spots[path][0], places[()][1])
    for depth in range(len(path) - 1, -1, -1):
        if depth in names:
            name, bare = names[depth]
            value = [{"name": name, **(value if isinstance(value, dict) else {bare: value})}]
        else:
            value = {path[depth]: value}
    return normal(document(value, Option(top.path, NAME, text, "option", spots)), whole)


def _wants_text(path: Sequence[str]) -> bool:
    """Tell whether the language takes text here, and no number."""
    kind: Type | None = Blueprint
    for key in path:
        kind = _below(kind, key)
    return kind is not None and _is_text(kind)


def _below(kind: Type | None, key: str) -> Type | None:
    match kind:
        case None | Scalar():
            return None
        case MapOf() | ListOf():
            return kind.item
        case Either():
            return next((found for one in kind.types if (found := _below(one, key))), None)
        case _:
            return next((found.type for found in keys(kind) if found.name == key), None)


def _is_text(kind: Type) -> bool:
    match kind:
        case Scalar():
            return kind.types == ("string",)
        case Either():
            return any(_is_text(one) for one in kind.types)
        case ListOf() | MapOf():
            return False
        case _:
            bare = next((found.type for found in keys(kind) if found.name == kind.bare), None)
            return bare is not None and _is_text(bare)
