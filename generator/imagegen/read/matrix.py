"""Axes multiply: which variants a blueprint has."""

from collections.abc import Iterator, Mapping
from itertools import product

from imagegen.errors import Problem
from imagegen.language.image import Matrix
from imagegen.read.document import Node
from imagegen.read.names import RESERVED

MOST = 1000


def combinations(matrix: Matrix) -> Iterator[dict[str, str]]:
    """Go over all combinations: axes by name, values as listed; no axes, one variant."""
    axes = sorted(matrix.axes)
    for values in product(*(matrix.axes[axis] for axis in axes)):
        yield dict(zip(axes, values, strict=True))


def matrix_problems(matrix: Matrix, root: Node) -> list[Problem]:
    """Say what is wrong with the matrix that only the whole of it shows."""
    node = root.get("matrix") or root
    return [*_size(matrix, node), *_axes(matrix, root), *_default(matrix, node)]


def _size(matrix: Matrix, node: Node) -> Iterator[Problem]:
    count = 1
    for values in matrix.axes.values():
        count *= len(values)
    if count > MOST:
        yield node.problem(f"the axes make {count} variants; {MOST} is the limit", key=True)


def _axes(matrix: Matrix, root: Node) -> Iterator[Problem]:
    for axis, values in matrix.axes.items():
        node = root.get("matrix", "axes", axis) or root
        if axis in RESERVED:
            yield node.problem(f"no axis may be called {axis}: the name is imagegen's", key=True)
        if root.get("args", axis):
            yield node.problem("an axis and an arg have the same name", key=True)
        for value in sorted({v for v in values if values.count(v) > 1}):
            yield node.problem(f'the value "{value}" is listed twice')


def _default(matrix: Matrix, node: Node) -> Iterator[Problem]:
    default: Mapping[str, str] = matrix.default
    place = node.get("default") or node
    for axis, value in default.items():
        item = place.get(axis) or place
        if axis not in matrix.axes:
            yield item.problem("there is no such axis", key=True)
        elif value not in matrix.axes[axis]:
            listed = ", ".join(matrix.axes[axis])
            yield item.problem(f'"{value}" is no value of the axis; these are: {listed}')
    if default and (absent := sorted(set(matrix.axes) - set(default))):
        yield place.problem(f"names no value for the axis {', '.join(absent)}", key=True)
