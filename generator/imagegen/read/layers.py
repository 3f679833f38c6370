"""The layers of a blueprint: its parts, itself, what differs by variant, and --set on top."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from imagegen.errors import Problem
from imagegen.read.document import Node
from imagegen.read.merge import Merge, name_of
from imagegen.read.near import hint
from imagegen.read.normal import Shape
from imagegen.read.overrides import fitting
from imagegen.read.removal import removal_problems, without_removed

_NOT_MERGED = ("extends", "override", "remove")


@dataclass(frozen=True)
class Layers:
    """Documents in normal form, the lowest first: parts, and the file on top of them.

    `options` lie above the overrides. The `matrix` is known when the axes of the base have come to
    it, and is the same for all variants.
    """

    documents: Sequence[Node]
    options: Sequence[Node]
    shape: Shape
    matrix: Node | None = None

    @property
    def top(self) -> Node:
        """Give the document of the file itself."""
        return self.documents[-1]

    @cached_property
    def whole(self) -> Node:
        """Merge all without what depends on the variant: for the matrix, and what is below."""
        laid = _Laid(self.shape)
        return self._placed(laid.over(laid.over(None, self.documents), self.options))

    @cached_property
    def problems(self) -> list[Problem]:
        """Say what is wrong with the layers by themselves."""
        every = (*self.documents, *self.options)
        return [
            *(p for layer in every for p in removal_problems(layer)),
            *(p for layer in self.options for p in self._unknown_items(layer)),
        ]

    def _unknown_items(self, option: Node) -> Iterator[Problem]:
        """Find items that an option names, and no file: a typo would make a new one."""
        for key, items in option.items():
            for item in items.listed():
                below = (layer.get(key) for layer in self.documents)
                known = {name_of(one) for node in below if node for one in node.listed()} - {None}
                name = item.get("name") if name_of(item) else None
                if name and name.value not in known:
                    where = hint(str(name.value), map(str, known))
                    yield name.problem(f"there is no such item of {key}{where}")

    def unused_args(self, used: Collection[str]) -> Iterator[Problem]:
        """Find args that an option sets for nobody: no file has them, and nothing uses them."""
        known = {name for layer in self.documents for name, _ in _args(layer)}
        for option in self.options:
            for name, node in _args(option):
                if name not in known and name not in used:
                    yield node.problem(f"nothing uses this arg{hint(name, known)}", key=True)

    def laid(self, axes: Mapping[str, str], base: Node | None = None) -> tuple[Node, list[Problem]]:
        """Lay all over each other for one variant; `base` is what an own base brings."""
        laid = _Laid(self.shape, base)
        if base is None:
            merged, problems = self._below
            laid.problems += problems
        else:
            merged = laid.over(base, self.documents)
        merged = laid.over(merged, fitting(merged, axes))
        merged = laid.over(merged, self.options)
        kept = {key: node for key, node in merged.items() if key != "override"}
        if self.matrix:
            kept["matrix"] = self.matrix
        return self._placed(merged.with_value(kept)), laid.problems

    @cached_property
    def _below(self) -> tuple[Node, list[Problem]]:
        laid = _Laid(self.shape)
        return laid.over(None, self.documents), laid.problems

    def _placed(self, merged: Node) -> Node:
        """Let the whole stand where the file does."""
        return self.top.with_value(merged.value)


def _args(layer: Node) -> Iterator[tuple[str, Node]]:
    args = layer.get("args")
    yield from args.items() if args else ()


@dataclass
class _Laid:
    """Lays layers over each other, each after what it removes, and collects what is wrong."""

    shape: Shape
    base: Node | None = None
    problems: list[Problem] = field(default_factory=list)

    def over(self, lower: Node | None, layers: Iterable[Node]) -> Node:
        for layer in layers:
            lower = self._one(lower, layer)
        assert lower is not None  # noqa: S101 -- there is a file
        return lower

    def _one(self, lower: Node | None, layer: Node) -> Node:
        if not isinstance(layer.value, dict):
            return lower or layer
        below = lower or layer.with_value({})
        below = without_removed(below, layer, self.problems, self.base)
        merge = Merge()
        own = layer.with_value({k: n for k, n in layer.value.items() if k not in _NOT_MERGED})
        merged = merge.over(below, own, self.shape)
        self.problems += merge.problems
        if (override := _one_after_the_other(below, layer)) and isinstance(merged.value, dict):
            merged = merged.with_value({**merged.value, "override": override})
        return merged


def _one_after_the_other(below: Node, layer: Node) -> Node | None:
    """Put the overrides of a layer after those below it."""
    lower, upper = below.get("override"), layer.get("override")
    if not (lower and upper and isinstance(upper.value, list)):
        return upper or lower
    return upper.with_value([*lower.listed(), *upper.value])
