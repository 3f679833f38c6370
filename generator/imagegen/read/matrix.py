"""Axes multiply: which variants a blueprint has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product
from math import prod

from imagegen.errors import Problem, quoted
from imagegen.language.matrix import Matrix
from imagegen.read.document import Node, toml_key
from imagegen.read.names import RESERVED
from imagegen.read.near import hint, listing

MOST = 1000

Point = Mapping[str, str]
There = Callable[[Point], bool]
"""Tells whether the base has a variant for a point."""


def combinations(matrix: Matrix, is_there: There = lambda _: True) -> list[dict[str, str]]:
    """List the variants: axes by name, values as listed; no axes, one variant.

    What the base lacks and what `exclude` fits is left out, and `include` comes last.
    """
    whole = [point for point in multiplied(matrix) if is_there(point)]
    excluded = matrix.exclude[:MOST]
    kept = [point for point in whole if not any(fits(one, point) for one in excluded)]
    axes = sorted(matrix.axes)
    added = [{axis: one[axis] for axis in axes} for one in matrix.include if set(one) == set(axes)]
    each = {tuple(point[axis] for axis in axes): point for point in [*kept, *added]}
    return list(each.values())


def fits(when: Mapping[str, str | Sequence[str]], point: Point) -> bool:
    """All axes must fit; of a list of globs, one."""
    return all(
        any(fnmatchcase(point.get(axis, ""), glob) for glob in _listed(globs))
        for axis, globs in when.items()
    )


def multiplied(matrix: Matrix) -> Iterator[dict[str, str]]:
    """Go over what the axes make by themselves, no further than is of use."""
    axes = sorted(matrix.axes)
    everything = product(*(matrix.axes[axis] for axis in axes))
    for values in islice(everything, MOST + 1):
        yield dict(zip(axes, values, strict=True))


def _listed(globs: str | Sequence[str]) -> Sequence[str]:
    return [globs] if isinstance(globs, str) else globs


def matrix_problems(matrix: Matrix, root: Node, is_there: There = lambda _: True) -> list[Problem]:
    """Say what is wrong with the matrix that only the whole of it shows."""
    node = root.get("matrix") or root
    if too_large := [*_size(matrix, node)]:
        return [*too_large, *_axes(matrix, root)]
    whole = [point for point in multiplied(matrix) if is_there(point)]
    return [
        *_axes(matrix, root),
        *_exclude(matrix, node, whole),
        *_include(matrix, node, whole, is_there),
        *_default(matrix, node, is_there),
    ]


def _size(matrix: Matrix, node: Node) -> Iterator[Problem]:
    if prod(map(len, matrix.axes.values())) + len(matrix.include) > MOST:
        place = node.get("axes") or node
        yield place.problem(f"the axes make more than {MOST} variants", key=True)
    if len(matrix.exclude) > MOST:
        yield (node.get("exclude") or node).problem(f"has more than {MOST} entries", key=True)


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


def _exclude(matrix: Matrix, node: Node, whole: Sequence[Point]) -> Iterator[Problem]:
    unknown = False
    for number, one in enumerate(matrix.exclude):
        place = node.nearest(("exclude", number))
        wrong = [axis for axis in one if axis not in matrix.axes]
        for axis in wrong:
            unknown = True
            yield _no_axis(place, axis, matrix)
        if not wrong and not any(fits(one, point) for point in whole):
            alone = [a for a in one if not any(fits({a: one[a]}, point) for point in whole)]
            spot = (place.get(alone[0]) or place) if alone else place
            yield spot.problem("fits no combination of the axes")
    if not unknown and whole and not combinations(matrix, lambda point: point in whole):
        yield node.nearest(("exclude",)).problem("leaves no variant", key=True)


def _include(
    matrix: Matrix, node: Node, whole: Sequence[Point], is_there: There
) -> Iterator[Problem]:
    kept = [point for point in whole if not any(fits(one, point) for one in matrix.exclude)]
    for number, one in enumerate(matrix.include):
        place = node.nearest(("include", number))
        for axis in sorted(set(one) - set(matrix.axes)):
            yield _no_axis(place, axis, matrix)
        if lacking := sorted(set(matrix.axes) - set(one)):
            yield place.problem(f"is no whole combination: the axis {listing(lacking)} is missing")
        elif set(one) != set(matrix.axes):
            pass
        elif one in kept:
            yield place.problem("is there already")
        elif not is_there(one):
            yield place.problem("the base has no variant that fits this one")
        else:
            kept.append(one)


def _no_axis(place: Node, axis: str, matrix: Matrix) -> Problem:
    node = place.get(axis) or place
    return node.problem(f"there is no such axis{hint(axis, matrix.axes, toml_key)}", key=True)


def _default(matrix: Matrix, node: Node, is_there: There) -> Iterator[Problem]:
    default: Point = matrix.default
    place = node.get("default") or node
    points = combinations(matrix, is_there)
    wrong = False
    for axis, value in default.items():
        item = place.get(axis) or place
        known = {
            **dict.fromkeys(matrix.axes.get(axis, ())),
            **{p[axis]: None for p in points if axis in p},
        }
        if axis not in matrix.axes:
            wrong = True
            yield item.problem(f"there is no such axis{hint(axis, matrix.axes)}", key=True)
        elif value not in known:
            wrong = True
            listed = hint(value, known, quoted)
            yield item.problem(f"{quoted(value)} is no value of the axis{listed}")
    absent = sorted(set(matrix.axes) - set(default))
    if default and absent and set(default) <= set(matrix.axes):
        yield place.problem(f"needs a value for the axis {listing(absent)} too", key=True)
    elif default and not wrong and points and default not in points:
        left_out = any(fits(one, default) for one in matrix.exclude)
        why = "`exclude` leaves it out" if left_out else "no combination is like that"
        yield place.problem(f"is no variant: {why}", key=True)
