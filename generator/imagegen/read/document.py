"""The raw document: what TOML says, each value still knowing where it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from imagegen.errors import Problem
from imagegen.read.locate import KeyPath, Span
from imagegen.read.source import Source

Value: TypeAlias = "dict[str, Node] | list[Node] | Any"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. Containers are never changed: layers share them."""

    value: Value
    source: Source
    path: KeyPath

    def with_value(self, value: Value) -> "Node":
        return replace(self, value=value)

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

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Go over a table; of anything else, nothing."""
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def problem(self, message: str, *, key: bool = False, within: str = "") -> Problem:
        """Complain about this value (or its key); `within` is the part of it to underline."""
        span = self.source.span(self.path, key=key)
        if within:
            start = self.source.text.find(within, span.start, span.end)
            if start >= 0:
                span = Span(start, start + len(within))
        return self.source.at(span, f"{dotted(self.path)}: {message}" if self.path else message)


def document(value: object, source: Source, path: KeyPath = ()) -> Node:
    """Wrap parsed TOML."""
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
    return (
        '"' + "".join(c if c.isprintable() and c not in '"\\' else repr(c)[1:-1] for c in key) + '"'
    )
