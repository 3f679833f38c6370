"""Bare values become the tables they stand for, so that layers merge shape on shape."""

import types
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from imagegen.language.scalars import OwnFile
from imagegen.language.table import Table
from imagegen.read.document import Node


@dataclass(frozen=True)
class Shape:
    """What a place of the document may hold: a table, a map or list of one shape, or a scalar.

    `named` tells a map, whose keys are names, from a list; `own` marks a file of the user.
    """

    table: type[Table] | None = None
    each: "Shape | None" = None
    named: bool = False
    own: bool = False

    def knows(self, name: str) -> bool:
        """Tell whether a key may stand here."""
        return self.table is None or name in _keys(self.table)

    def key(self, name: str) -> "Shape":
        """Look up the shape below a key (or list item)."""
        if self.table is not None:
            return _keys(self.table).get(name, SCALAR)
        return self.each or SCALAR


SCALAR = Shape()
LOWER = "..."
"""In a list: here stands the list of the layer below."""

_OWN_FILE = get_args(OwnFile)[1]


@cache
def shape_of(annotation: Hashable) -> Shape:
    """Read the shape off a type annotation of the language."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return Shape(table=annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return Shape(own=True) if _OWN_FILE in arguments else shape_of(arguments[0])
    if origin in (Union, types.UnionType):
        shapes = [shape_of(a) for a in arguments]
        return next((shape for shape in shapes if shape is not SCALAR), SCALAR)
    if origin is dict:
        return Shape(each=shape_of(arguments[1]), named=True)
    if origin is tuple:
        item = shape_of(arguments[0])
        return SCALAR if item is SCALAR else Shape(each=item)
    return SCALAR


@cache
def _keys(table: type[Table]) -> dict[str, Shape]:
    fields: dict[str, Any] = dict(table.model_fields)
    keys = {field.alias or name: shape_of(field.annotation) for name, field in fields.items()}
    # What is different in some variants may be anything that the blueprint itself may say.
    return {**keys, "override": Shape(each=Shape(table=table))} if "override" in keys else keys


def normal(node: Node, shape: Shape) -> Node:
    """Replace each bare value of the document by the table that it stands for."""
    value = node.value
    if shape.table is not None and not isinstance(value, dict):
        if shape.table.bare is None:
            return node
        value = {shape.table.bare: node}
    if isinstance(value, dict):
        return node.with_value({key: normal(item, shape.key(key)) for key, item in value.items()})
    if isinstance(value, list) and shape.each is not None:
        each = shape.each
        return node.with_value([i if i.value == LOWER else normal(i, each) for i in value])
    return node
