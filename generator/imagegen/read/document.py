"""The raw document: what TOML says, each value still knowing where it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from imagegen.errors import BlueprintError, Problem, visible
from imagegen.read.locate import KeyPath, Span
from imagegen.read.source import Source

Value: TypeAlias = "dict[str, Node] | list[Node] | Any"

DEEPEST = 100
_LONGEST_PATH = 120


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. Containers are never changed: layers share them.

    One that could not be read as it was meant is `doubtful`: what is said of it, or of what holds
    it, follows from a problem that is known already. What is `final` was filled in before, in a
    own base, and is not filled in again.
    """

    value: Value
    source: Source
    path: KeyPath
    doubtful: bool = False
    final: bool = False

    def with_value(self, value: Value, *, doubtful: bool = False, final: bool = False) -> "Node":
        return replace(
            self,
            value=value,
            doubtful=self.doubtful or doubtful,
            final=self.final or final,
        )

    def with_items(self, items: "dict[str, Node]") -> "Node":
        """Exchange the items of a table; the same node if they are the same.

        Variants share what they have in common: there may be a thousand.
        """
        there = self.value
        if not isinstance(there, dict) or len(there) != len(items):
            return self.with_value(items)
        if all(there.get(key) is item for key, item in items.items()):
            return self
        return self.with_value(items)

    def child(self, part: str | int) -> "Node | None":
        """Look up a key of a table, or an item of a list."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def get(self, *keys: str) -> "Node | None":
        """Walk down tables; None when the way ends early."""
        node: Node | None = self
        for key in keys:
            node = node.child(key) if node else None
        return node

    def nearest(self, path: KeyPath) -> "Node":
        """Follow the path as far as it leads."""
        node = self
        for part in path:
            below = node.child(part)
            if below is None:
                break
            node = below
        return node

    def holds_doubt(self) -> bool:
        """Tell whether it, or anything in it, is doubtful."""
        below = [*self.listed(), *(node for _, node in self.items())]
        return self.doubtful or any(node.holds_doubt() for node in below)

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Go over a table; of anything else, nothing."""
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def listed(self) -> Iterator["Node"]:
        """Go over a list; of anything else, nothing."""
        yield from self.value if isinstance(self.value, list) else ()

    def problem(self, message: str, *, key: bool = False, within: str = "") -> Problem:
        """Complain about this value (or its key); `within` is the part of it to underline."""
        if not self.path:
            return self.source.whole(message)
        span = self.source.span(self.path, key=key)
        if within:
            start = self.source.text.find(within, span.start, span.end)
            if start >= 0:
                span = Span(start, start + len(within))
        path = dotted(self.path)
        shown = path if len(path) <= _LONGEST_PATH else f"…{path[-_LONGEST_PATH:]}"
        return self.source.at(span, f"{shown}: {message}")

    def raw(self) -> str:
        """Give the value as it was written."""
        span = self.source.span(self.path)
        return self.source.text[span.start : span.end]


def document(value: object, source: Source, path: KeyPath = ()) -> Node:
    """Wrap parsed TOML.

    Raises BlueprintError if it goes deeper than anything that walks over it could.
    """
    if len(path) > DEEPEST:
        raise BlueprintError([source.whole(f"{dotted(path[:1])} is nested too deeply")])
    if isinstance(value, dict):
        value = {key: document(item, source, (*path, key)) for key, item in value.items()}
    elif isinstance(value, list):
        value = [document(item, source, (*path, n)) for n, item in enumerate(value)]
    return Node(value, source, path)


def plain(node: Node) -> Any:  # noqa: ANN401 -- whatever TOML can say
    """Unwrap for the parser of the language."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def dotted(path: KeyPath) -> str:
    """Write a path as TOML would: steps[0].run, files."/etc/x".text."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            written += ("." if written else "") + toml_key(part)
    return written


def toml_key(key: str) -> str:
    bare = key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key)
    if bare:
        return key
    return '"' + visible(key.replace("\\", "\\\\").replace('"', '\\"')) + '"'
