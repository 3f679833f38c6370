"""[[override]]: what is different in some variants."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from imagegen.errors import Problem
from imagegen.read.document import Node, toml_key
from imagegen.read.near import hint
from imagegen.read.removal import removal_problems, removed_paths

NEVER = ("extends", "matrix", "override", "stack")
"""What no override may touch: these are read before the variants are known."""

_TOO_LATE = "an override can't change `{}`, which is read before the variants are known"
_WRITE = 'say for which values of which axes: when = { java = "17*" }'


def fitting(root: Node, axes: Mapping[str, str]) -> Iterator[Node]:
    """Go over what the entries that fit a variant lay over the rest, in order."""
    for _, entry in entries_that_fit(root, axes):
        keys = {k: node for k, node in entry.items() if k != "when" and k not in NEVER}
        yield entry.with_value(keys)


def entries_that_fit(root: Node, axes: Mapping[str, str]) -> Iterator[tuple[int, Node]]:
    """Go over the entries that fit a variant as they are written, with their numbers."""
    for number, entry in enumerate(_entries(root)):
        if _fits(entry, axes) and isinstance(entry.value, dict):
            yield number, entry


def override_problems(root: Node, points: Sequence[Mapping[str, str]] | None) -> Iterator[Problem]:
    """Say what is wrong with the conditions; the points are None where the matrix is wrong."""
    declared = root.get("matrix", "axes")
    axes = [axis for axis, _ in declared.items()] if declared else []
    override = root.get("override")
    if override and not isinstance(override.value, list):
        yield override.problem("must be a list of tables: write [[override]] above each", key=True)
    for entry in _entries(root):
        if isinstance(entry.value, dict):
            yield from _never(entry)
            yield from removal_problems(entry)
            yield from _condition_problems(entry, axes, points)
        else:
            yield entry.problem("must be a table; write [[override]] above each")


def _never(entry: Node) -> Iterator[Problem]:
    for key in NEVER:
        if node := entry.get(key):
            yield node.problem(_TOO_LATE.format(key), key=True)
    for item, path in removed_paths(entry):
        if path[0] in NEVER:
            yield item.problem(_TOO_LATE.format(path[0]))


def _condition_problems(
    entry: Node, axes: Sequence[str], points: Sequence[Mapping[str, str]] | None
) -> Iterator[Problem]:
    when = entry.get("when")
    if when is None:
        yield entry.problem(f"`when` is missing; {_WRITE}", key=True)
    elif not isinstance(when.value, dict) or not when.value:
        yield when.problem(f"must be a table of axes and globs; {_WRITE}")
    elif wrong := [p for axis, globs in when.items() for p in _axis_problems(axis, globs, axes)]:
        yield from wrong
    elif points is not None and not any(_fits(entry, point) for point in points):
        yield _misfit(when, points).problem("fits no variant")


def _axis_problems(axis: str, globs: Node, axes: Sequence[str]) -> Iterator[Problem]:
    if axis not in axes:
        yield globs.problem(f"there is no such axis{hint(axis, axes, toml_key)}", key=True)
    if not _globs(globs) or not all(isinstance(glob, str) for glob in _globs(globs)):
        yield globs.problem("must be a glob or a list of globs, as strings")


def _misfit(when: Node, points: Sequence[Mapping[str, str]]) -> Node:
    """Point at the one axis that fits no variant by itself; else at all of them."""
    for axis, globs in when.items():
        if not any(_fits_one(globs, point.get(axis, "")) for point in points):
            return globs
    return when


def _entries(root: Node) -> list[Node]:
    override = root.get("override")
    return list(override.listed()) if override else []


def _fits(entry: Node, axes: Mapping[str, str]) -> bool:
    """All axes must fit; of a list of globs, one."""
    when = entry.get("when")
    return when is not None and all(
        _fits_one(globs, axes.get(axis, "")) for axis, globs in when.items()
    )


def _fits_one(globs: Node, value: str) -> bool:
    return any(fnmatchcase(value, str(glob)) for glob in _globs(globs))


def _globs(node: Node) -> list[object]:
    return [item.value for item in node.listed()] if isinstance(node.value, list) else [node.value]
