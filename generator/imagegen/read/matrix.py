"""Axes multiply: which variants a blueprint has."""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

from imagegen.errors import Problem, quoted
from imagegen.language.matrix import Matrix
from imagegen.read.document import Node
from imagegen.read.names import RESERVED
from imagegen.read.near import hint, listing

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
    if prod(map(len, matrix.axes.values())) > MOST:
        place = node.get("axes") or node
        yield place.problem(f"the axes make more than {MOST} variants", key=True)


def _axes(matrix: Matrix, root: Node) -> Iterator[Problem]:
    for axis, values in matrix.axes.items():
        node = root.get("matrix", "axes", axis) or root
        if axis in RESERVED:
            yield node.problem(f"no axis may be called {axis}: the name is imagegen's", key=True)
        if root.get("args", axis):
            yield node.problem("an arg has the same name; call one of them differently", key=True)
        seen: set[str] = set()
        for number, value in enumerate(values):
            if value in seen:
                yield (node.child(number) or node).problem(f"{quoted(value)} is listed already")
            seen.add(value)


def _default(matrix: Matrix, node: Node) -> Iterator[Problem]:
    default: Mapping[str, str] = matrix.default
    place = node.get("default") or node
    for axis, value in default.items():
        item = place.get(axis) or place
        if axis not in matrix.axes:
            yield item.problem(f"there is no such axis{hint(axis, matrix.axes)}", key=True)
        elif value not in matrix.axes[axis]:
            listed = hint(value, matrix.axes[axis], quoted)
            yield item.problem(f"{quoted(value)} is no value of the axis{listed}")
    absent = sorted(set(matrix.axes) - set(default))
    if default and absent and set(default) <= set(matrix.axes):
        yield place.problem(f"needs a value for the axis {listing(absent)} too", key=True)
