"""[[override]]: what is different in some variants."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from imagegen.errors import Problem
from imagegen.read.document import Node, toml_key
from imagegen.read.merge import Merge
from imagegen.read.normal import Shape

NEVER = ("extends", "matrix", "override", "stack")
"""What no override may touch: these are read before the variants are known."""


def overridden(
    root: Node, axes: Mapping[str, str], merge: Merge, shape: Shape, lower: Node | None = None
) -> Node:
    """Lay the document over what is below, then the entries that fit the variant, in order."""
    if not isinstance(root.value, dict):
        return root
    own = root.with_value({k: node for k, node in root.value.items() if k != "override"})
    merged = merge.over(lower, own, shape)
    for entry in _entries(root):
        if _fits(entry, axes) and isinstance(entry.value, dict):
            keys = {key: node for key, node in entry.value.items() if key != "when"}
            merged = merged.with_value(merge.over(merged, entry.with_value(keys), shape).value)
    return merged


def override_problems(root: Node, points: Sequence[Mapping[str, str]]) -> Iterator[Problem]:
    """Say what is wrong with the conditions."""
    declared = root.get("matrix", "axes")
    axes = [axis for axis, _ in declared.items()] if declared else []
    for entry in _entries(root):
        yield from _entry_problems(entry, axes, points)


def _entry_problems(
    entry: Node, axes: Sequence[str], points: Sequence[Mapping[str, str]]
) -> Iterator[Problem]:
    for key in NEVER:
        if node := entry.get(key):
            yield node.problem(f"an override can't change `{key}`", key=True)
    when = entry.get("when")
    if when is None or not isinstance(when.value, dict) or not when.value:
        yield (when or entry).problem("needs `when`: for which values of which axes", key=True)
        return
    wrong = list(_condition_problems(when, axes))
    yield from wrong
    if not wrong and not any(_fits(entry, axes) for axes in points):
        yield when.problem("fits no variant")


def _condition_problems(when: Node, axes: Sequence[str]) -> Iterator[Problem]:
    for axis, globs in when.items():
        if axis not in axes:
            known = ", ".join(map(toml_key, sorted(axes))) or "none"
            yield globs.problem(f"there is no such axis; known: {known}", key=True)
        if not all(isinstance(glob, str) for glob in _globs(globs)):
            yield globs.problem("must be a glob or a list of globs, as strings")


def _entries(root: Node) -> list[Node]:
    override = root.get("override")
    return list(override.listed()) if override else []


def _fits(entry: Node, axes: Mapping[str, str]) -> bool:
    """All axes must fit; of a list of globs, one."""
    when = entry.get("when")
    return when is not None and all(
        any(fnmatchcase(axes.get(axis, ""), str(glob)) for glob in _globs(globs))
        for axis, globs in when.items()
    )


def _globs(node: Node) -> list[object]:
    return [item.value for item in node.listed()] if isinstance(node.value, list) else [node.value]
