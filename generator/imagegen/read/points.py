"""The points of a matrix, on a base: one for each variant, also where the matrix is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from imagegen.errors import Problem, shortened
from imagegen.language.matrix import Matrix
from imagegen.read.bases import Below, matching
from imagegen.read.document import Node, plain
from imagegen.read.matrix import MOST, There, combinations, matrix_problems, multiplied
from imagegen.read.names import RESERVED


@dataclass(frozen=True, slots=True)
class Points:
    """The points, what is wrong with the matrix, and whether it is right by itself."""

    points: Sequence[Mapping[str, str]]
    problems: Sequence[Problem]
    is_right: bool


def points_of(root: Node, below: Sequence[Below]) -> Points:
    """Find the points of the matrix; what the base leaves out is left out, but not all of it.

    A wrong matrix is looked at again as a key of the file.
    """
    node = root.get("matrix")
    problems = tuple(_reserved(root))
    if node is None:
        return Points([{}], problems, is_right=True)
    try:
        matrix = Matrix.model_validate(plain(node))
    except ValidationError:
        return Points([_first(node)], problems, is_right=False)
    is_there = _is_there(root, matrix, below)
    wrong = matrix_problems(matrix, root, is_there)
    points = combinations(matrix, is_there) or [_first(node)]
    some = points[:1] if len(points) > MOST else points
    return Points(some, (*problems, *wrong), is_right=not wrong)


def _is_there(root: Node, matrix: Matrix, below: Sequence[Below]) -> There:
    if not any(matching(root, axes, below) for axes in multiplied(matrix)):
        return lambda _: True  # each is complained of by itself
    return lambda axes: matching(root, axes, below) is not None


def _first(matrix: Node) -> dict[str, str]:
    """Some value for each axis of a wrong matrix, so that its names are known elsewhere."""
    axes = {}
    declared = matrix.get("axes")
    for axis, node in declared.items() if declared else ():
        first = next(node.listed(), node)
        axes[axis] = shortened(first.value if isinstance(first.value, str) else first.raw())
    return axes


def _reserved(root: Node) -> Iterator[Problem]:
    args = root.get("args")
    for name, node in args.items() if args else ():
        if name in RESERVED:
            yield node.problem(f"no arg may be called {name}: the name is imagegen's", key=True)
