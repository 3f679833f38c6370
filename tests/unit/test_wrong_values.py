"""Every key refuses every value that its type does not mean, at its own place.

The cases are made from the model: each key that a valid blueprint uses is given one value after
the other, and where the model refuses the value, the blueprint must be refused at that key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
import tomli
from pydantic import TypeAdapter, ValidationError

from imagegen.errors import BlueprintError, Problem
from imagegen.language import Blueprint
from imagegen.language.image import Base
from imagegen.language.packages import Yum, YumRepository
from imagegen.language.table import Table
from imagegen.read import read
from imagegen.read.document import Node, document, dotted
from imagegen.read.locate import KeyPath
from imagegen.read.normal import Shape, normal, shape_of
from imagegen.read.source import open_source

VALID = sorted((Path(__file__).parents[1] / "problems" / "valid").glob("*.toml"))
VALUES = {
    "a number": "1",
    "a large number": "9007199254740993",
    "a negative number": "-1",
    "a fraction": "1.5",
    "truth": "true",
    "a date": "2024-01-02",
    "nothing": '""',
    "blanks": '" "',
    "a control character": '"a\\u0007b"',
    "a line break": '"a\\nb"',
    "the NUL character": '"a\\u0000b"',
    "a word": '"word"',
    "no path": '"../x"',
    "a list": '["a", 1]',
    "an empty list": "[]",
    "a list of lists": '[["a"]]',
    "a table": "{ unknown = 1 }",
}
PYDANTICS = ("Input should", "value_error", "pydantic", "Value error")


@dataclass(frozen=True)
class Place:
    """Where a valid blueprint uses a key that takes a scalar, or a list of scalars."""

    file: Path
    path: KeyPath
    table: type[Table]
    key: str

    def __str__(self) -> str:
        return f"{self.file.stem}:{dotted(self.path)}"

    @property
    def type(self) -> TypeAdapter[Any]:
        return _adapter(self.table, self.key)

    def given(self, value: str) -> str:
        """Write the blueprint with another value at this place."""
        source = open_source(self.file)
        span = source.span(self.path)
        return source.text[: span.start] + value + source.text[span.end :]


@cache
def _adapter(table: type[Table], key: str) -> TypeAdapter[Any]:
    """Ask the field as the model does: alone, but with all that is said of it."""
    name = next(n for n, field in table.model_fields.items() if (field.alias or n) == key)
    field = table.model_fields[name]
    annotated: Any = field.annotation
    for said in field.metadata:
        annotated = Annotated[annotated, said]
    return TypeAdapter(annotated, config=table.model_config | {"arbitrary_types_allowed": True})


def places() -> Iterator[Place]:
    """Go over every key of the model that takes no table, once: where it is used first."""
    seen: set[tuple[type[Table], str]] = set()
    for file in VALID:
        source = open_source(file)
        root = normal(document(source.parse(), source), shape_of(Blueprint))
        for table, key, node in _used(root, shape_of(Blueprint)):
            written = source.places.get(node.path)
            if (table, key) in seen or not written:
                continue
            if _is_value(source.text, written[1].start):
                seen.add((table, key))
                yield Place(file, node.path, table, key)


def _is_value(text: str, start: int) -> bool:
    """Tell a value, which follows a sign of TOML, from a header."""
    return text[:start].rstrip(" \t\n").endswith(("=", "[", ",", "{"))


def _used(node: Node, shape: Shape) -> Iterator[tuple[type[Table], str, Node]]:
    if shape.table is not None:
        for name, field in shape.table.model_fields.items():
            key = field.alias or name
            below = node.child(key)
            inner = shape.key(key)
            if below is None:
                continue
            if inner.table is None and inner.each is None:
                yield shape.table, key, below
            else:
                yield from _used(below, inner)
    elif shape.each is not None:
        for below in [*node.listed(), *(item for _, item in node.items())]:
            yield from _used(below, shape.each)


PLACES = list(places())
EACH = 9
"""A key is given each ninth of the values that are wrong for it: the next key has the next ones."""


def refused(place: Place, value: str, folder: Path) -> list[Problem]:
    """Read the blueprint with the value; beside it lies what it names."""
    for beside in place.file.parent.iterdir():
        if beside.suffix != ".toml" and not (folder / beside.name).exists():
            (folder / beside.name).symlink_to(beside)
    path = folder / place.file.name
    path.write_text(place.given(value))
    with pytest.raises(BlueprintError) as caught:
        read(path)
    return caught.value.problems


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_wrong_value_is_refused_where_it_stands(place: Place, tmp_path: Path) -> None:
    wrong = [text for text in VALUES.values() if not means(place, text)]
    assert wrong, "the key takes anything: give it a type"
    for value in wrong[PLACES.index(place) % EACH :: EACH] or wrong:
        problems = refused(place, value, tmp_path)
        line = place.given(value)[: open_source(place.file).span(place.path).start].count("\n") + 1
        here = [problem for problem in problems if problem.line == line]
        assert here, f"{value}: nothing is said of line {line}, but {problems}"
        assert not [p for p in problems if any(word in p.message for word in PYDANTICS)]


def means(place: Place, text: str) -> bool:
    """Ask the model whether the value may stand there."""
    try:
        place.type.validate_python(tomli.loads(f"value = {text}")["value"])
    except ValidationError:
        return False
    return True


def test_the_cases_are_made_for_every_key() -> None:
    """What takes no scalar is tried through the keys below it."""
    tried = {(place.table, place.key) for place in PLACES}
    scalars = {
        (table, key) for table, key, shape in _keys(shape_of(Blueprint)) if not _is_table(shape)
    }
    assert {one for one in scalars - tried - ELSEWHERE if one[0] not in NOT_YET} == set()


ELSEWHERE = {(Base, "blueprint")}
"""What the valid blueprints do not use: see test_layers.py."""

NOT_YET = (Yum, YumRepository)
"""Tables that no valid blueprint has."""


def _is_table(shape: Shape) -> bool:
    return shape.table is not None or shape.each is not None


def _keys(shape: Shape) -> Iterator[tuple[type[Table], str, Shape]]:
    if shape.each:
        yield from _keys(shape.each)
    for name, field in shape.table.model_fields.items() if shape.table else ():
        key = field.alias or name
        yield shape.table or Table, key, shape.key(key)
        if key != "override":  # whose entries hold the keys of the blueprint again
            yield from _keys(shape.key(key))
