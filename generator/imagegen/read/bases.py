"""image.base.blueprint: which blueprint lies below, and what of it lies below one's own tables."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from imagegen.errors import BlueprintError, Problem, quoted
from imagegen.read.document import Node, plain
from imagegen.read.near import hint
from imagegen.read.normal import Shape
from imagegen.read.source import FILE_NAME, beside, is_there

INHERITED = (
    *("users", "container", "env", "config", "ports", "volumes"),
    *("services", "lifecycle", "jobs", "logs", "downloads"),
)
"""The tables of a base that lie below those of the blueprint on it; all else stays the base's."""


class Below(Protocol):
    """A variant of a base, as far as the blueprint on it must know."""

    @property
    def axes(self) -> Mapping[str, str]: ...

    @property
    def document(self) -> Node: ...

    @property
    def folder(self) -> Path: ...


V = TypeVar("V", bound=Below)


def base_path(root: Node) -> tuple[Path, Node] | None:
    """Find the blueprint that the document is built on: its path, and where it is named."""
    node = root.get("image", "base", "blueprint")
    if node is None or not isinstance(node.value, str):
        return None
    return blueprint_at(node)


def blueprint_at(node: Node) -> tuple[Path, Node] | None:
    """Find the blueprint that a value names. Raises BlueprintError if there is none."""
    name = node.value
    if not isinstance(name, str) or not name or name.startswith("/"):
        return None  # the language refuses it
    path = beside(node.source, name)
    message = None
    if not is_there(path):
        message = f"there is no {quoted(name)} beside the blueprint"
        if "{{" in name:
            message += "; names are not filled in here: change it in an [[override]]"
    elif path.is_dir() and not is_there(path / FILE_NAME):
        message = f"{quoted(name)} holds no {FILE_NAME}"
    if message:
        raise BlueprintError([node.problem(message)])
    return path, node


def with_axes(root: Node, below: Sequence[Below]) -> Node:
    """Let the axes of the base come along; naming one again narrows it.

    Raises BlueprintError for values that the base does not have, and for wrong choices in
    image.base.variant.
    """
    if not below:
        return root
    fixed = _fixed(root, below)
    values: dict[str, dict[str, None]] = {}
    for variant in below:
        for axis, value in variant.axes.items():
            values.setdefault(axis, {})[value] = None
    own = root.get("matrix", "axes")
    declared = dict(own.items()) if own else {}
    problems = [p for axis, node in declared.items() for p in _narrowed(axis, node, values, fixed)]
    if problems:
        raise BlueprintError(problems)
    place = root.get("image", "base", "blueprint") or root
    inherited = {
        axis: place.with_value([place.with_value(value) for value in found])
        for axis, found in values.items()
        if axis not in fixed and axis not in declared
    }
    if not inherited or not isinstance(root.value, dict):
        return root
    matrix = root.get("matrix") or place.with_value({})
    if not isinstance(matrix.value, dict) or (own and not isinstance(own.value, dict)):
        return root
    axes = (own or place).with_value(inherited | declared)
    return root.with_value(
        {**root.value, "matrix": matrix.with_value({**matrix.value, "axes": axes})}
    )


def _narrowed(
    axis: str, node: Node, values: Mapping[str, Collection[str]], fixed: Collection[str]
) -> Iterator[Problem]:
    """Say what is wrong with an axis that the base has too."""
    if axis in fixed:
        yield node.problem("image.base.variant fixes this axis; keep one of the two", key=True)
        return
    for item in node.listed() if axis in values else ():
        if isinstance(item.value, str) and item.value not in values[axis]:
            message = f"the base has no variant {quoted(item.value)}"
            yield item.problem(message + hint(item.value, values[axis], quoted))


def _fixed(root: Node, below: Sequence[Below]) -> Mapping[str, str]:
    """Read image.base.variant: the axes that are decided."""
    declared = root.get("image", "base", "variant")
    fixed = {}
    problems = []
    for axis, node in declared.items() if declared else ():
        known = {variant.axes[axis] for variant in below if axis in variant.axes}
        if not known:
            axes = sorted({axis for variant in below for axis in variant.axes})
            problems.append(node.problem(f"the base has no such axis{hint(axis, axes)}", key=True))
        elif isinstance(node.value, str):
            fixed[axis] = node.value
            if node.value not in known:
                message = f"the base has no variant {quoted(node.value)}"
                problems.append(node.problem(message + hint(node.value, known, quoted)))
    if problems:
        raise BlueprintError(problems)
    return fixed


def matching(root: Node, axes: Mapping[str, str], below: Sequence[V]) -> V | None:
    """Pick the variant of the base that fits: equal on every axis that the base has."""
    wanted = {**axes, **_fixed(root, below)} if below else {}
    for variant in below:
        if all(wanted.get(axis) == value for axis, value in variant.axes.items()):
            return variant
    return None


def inherited(base: Below, folder: Path, shape: Shape) -> Node:
    """Take what of the base lies below; own files are named as seen from the folder on top."""
    root = base.document
    tables = {key: node for key, node in root.items() if key in INHERITED}
    moved = {key: _seen_from(folder, node, shape.key(key), base) for key, node in tables.items()}
    return root.with_value(moved)


def remade(merged: Node, base: Below) -> Iterator[Problem]:
    """Find users that are made in the base already, and would have to be made otherwise."""
    made = base.document.get("users")
    for name, user in made.items() if made else ():
        declared = merged.get("users", name)
        for key, node in declared.items() if declared else ():
            there = user.get(key)
            if there is None or plain(there) != plain(node):
                message = "the base has made this user; change it there"
                yield node.problem(message, key=True)


def _seen_from(folder: Path, node: Node, shape: Shape, base: Below) -> Node:
    value = node.value
    if shape.own and isinstance(value, str):
        # A folder's name may look like a name of ours.
        return node.with_value(os.path.relpath(base.folder / value, folder), final=True)
    if isinstance(value, dict):
        moved = {k: _seen_from(folder, item, shape.key(k), base) for k, item in value.items()}
        return node.with_value(moved)
    if isinstance(value, list) and shape.each is not None:
        return node.with_value([_seen_from(folder, item, shape.each, base) for item in value])
    return node
