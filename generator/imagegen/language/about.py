"""What the language says about itself: each table and key with its type, for editors and docs."""

import re
import types
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

import annotated_types
from pydantic import AfterValidator, BeforeValidator
from pydantic.fields import FieldInfo

from imagegen.language import Blueprint
from imagegen.language.scalars import ImagePath, Kind, Matching
from imagegen.language.shapes import takes_numbers
from imagegen.language.table import GoesTo, Since, Table

FIRST_VERSION = "0.1.0"
"""Since when a key is there of which nothing else is said."""

WHEN = "For which variants: of each axis named, a glob or a list of globs. All axes must fit."
"""What `when` means in [[override]], which no table of the language has."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number or boolean, or anything at all."""

    words: str
    types: tuple[str, ...] = ("string",)
    pattern: str = ""
    values: tuple[object, ...] = ()
    least: int | None = None
    most: int | None = None
    example: object = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one type."""

    item: "Type"
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A table whose keys are names that the user gives."""

    name: Scalar
    item: "Type"
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """One of several types."""

    types: tuple["Type", ...]


Type: TypeAlias = Scalar | ListOf | MapOf | Either | type[Table]

ANYTHING = Scalar("anything", types=())


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table. `own` tells whether the table itself has it, or a shape that it extends."""

    name: str
    type: Type
    description: str
    required: bool
    default: object
    examples: tuple[object, ...]
    goes_to: str
    since: str
    own: bool

    @property
    def example(self) -> object:
        """How it may be written; None if its type shows that."""
        return self.examples[0] if self.examples else example_of(self.type)


@cache
def keys(table: type[Table]) -> tuple[Key, ...]:
    """List the keys of a table, in the order in which it declares them."""
    return tuple(_key(table, name, field) for name, field in table.model_fields.items())


def tables(first: type[Table] = Blueprint) -> tuple[type[Table], ...]:
    """List the tables that are reached from one, itself included, each once."""
    found: dict[type[Table], None] = {}
    left = [first]
    while left:
        table = left.pop(0)
        if table not in found:
            found[table] = None
            left += [below for key in keys(table) for below in tables_in(key.type)]
    return tuple(found)


def tables_in(kind: Type) -> Iterator[type[Table]]:
    """List the tables that a type holds."""
    match kind:
        case ListOf() | MapOf():
            yield from tables_in(kind.item)
        case Either():
            for one in kind.types:
                yield from tables_in(one)
        case Scalar():
            pass
        case _:
            yield kind


def shapes(table: type[Table]) -> tuple[type[Table], ...]:
    """List the shapes that a table extends."""
    return tuple(b for b in table.__bases__ if issubclass(b, Table) and b is not Table)


def example_of(kind: Type) -> object:
    """Make an example of a type; None where it says too little."""
    match kind:
        case Scalar():
            return kind.example
        case ListOf():
            item = example_of(kind.item)
            return None if item is None else [item]
        case MapOf():
            item = example_of(kind.item)
            return None if item is None else {str(kind.name.example): item}
        case Either():
            return example_of(kind.types[0])
        case _:
            return None


def _key(table: type[Table], name: str, field: FieldInfo) -> Key:
    kind = _type(field.annotation, field.metadata)
    marks: list[Any] = field.metadata + _metadata(field.annotation)
    goes = next((m.place for m in marks if isinstance(m, GoesTo)), table.goes_to)
    default = None if field.is_required() else field.get_default()
    return Key(
        name=field.alias or name,
        type=kind,
        description=field.description or "",
        required=field.is_required(),
        default=None if isinstance(default, Table) else default,
        examples=tuple(field.examples or ()),
        goes_to=goes or next((below.goes_to for below in tables_in(kind)), ""),
        since=next((m.version for m in marks if isinstance(m, Since)), FIRST_VERSION),
        own=name in table.__annotations__,
    )


def _metadata(annotation: object) -> list[Any]:
    """Collect what is said beside the alternatives of `X | None`."""
    arguments = get_args(annotation) if _is_union(annotation) else ()
    return [m for a in arguments if get_origin(a) is Annotated for m in get_args(a)[1:]]


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _type(annotation: object, metadata: Sequence[object] = ()) -> Type:
    """Read a type off an annotation of the language."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    said = [*_flat(metadata)]
    if origin is Annotated:
        return _type(arguments[0], [*arguments[1:], *said])
    if _is_union(annotation):
        kinds = tuple(_type(a, said) for a in arguments if a is not types.NoneType)
        return kinds[0] if len(kinds) == 1 else Either(kinds)
    least, most = _bounds(said)
    if origin is dict:
        name = _type(arguments[0])
        assert isinstance(name, Scalar)  # noqa: S101 -- TOML has no other keys
        return MapOf(name, _type(arguments[1]), most)
    if origin is tuple:
        return ListOf(_type(arguments[0]), least, most)
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return replace(_scalar(annotation, said), least=least, most=most)


def _scalar(annotation: Hashable | object, said: Sequence[object]) -> Scalar:
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        kind = ("string",) if all(isinstance(value, str) for value in values) else ()
        return Scalar(" or ".join(map(str, values)), kind, values=values, example=values[0])
    if annotation is bool:
        return Scalar("true or false", types=("boolean",), example=True)
    if annotation is int:
        return Scalar("whole number", types=("integer",))
    if annotation is not str:
        return ANYTHING
    return _string(said)


def _string(said: Sequence[object]) -> Scalar:
    """Put together what the validators and kinds of a string say, the later outdoing the former."""
    text = Scalar("text")
    for one in said:
        match one:
            case AfterValidator(func=Matching() as matching):
                text = _matching(matching)
            case Kind():
                text = replace(
                    text,
                    words=one.words,
                    pattern=one.pattern or text.pattern,
                    example=one.example or text.example,
                    hint=one.hint or text.hint,
                )
    if any(isinstance(one, BeforeValidator) and one.func is takes_numbers for one in said):
        text = replace(text, types=("string", "integer"))
    return text


def _matching(matching: Matching) -> Scalar:
    """Take apart "name; use small letters, as in "web"": what, how, and an example."""
    words, _, hint = re.sub(", as in .*", "", matching.what).partition("; ")
    example = re.search(r'as in "([^"]+)"', matching.what)
    choices = re.fullmatch(r"[A-Za-z_-]+(?:\|[A-Za-z_-]+)*", matching.pattern)
    values = tuple(matching.pattern.split("|")) if choices else ()
    return Scalar(
        words=words,
        pattern="" if values else f"^(?:{matching.pattern})$",
        values=values,
        example=example[1] if example else values[0] if values else None,
        hint=hint.partition(", which")[0],
    )


def _flat(metadata: Sequence[object]) -> Iterator[object]:
    """Open what pydantic's Field holds."""
    for one in metadata:
        yield from one.metadata if isinstance(one, FieldInfo) else (one,)


def _bounds(said: Sequence[object]) -> tuple[int | None, int | None]:
    least = most = None
    for one in said:
        match one:
            case annotated_types.Ge(ge=int(bound)) | annotated_types.MinLen(min_length=bound):
                least = bound
            case annotated_types.Le(le=int(bound)) | annotated_types.MaxLen(max_length=bound):
                most = bound
            case annotated_types.Len():
                least, most = one.min_length or None, one.max_length
    return least, most


IMAGE_PATH = _type(ImagePath)
"""The type of a path in the image."""
