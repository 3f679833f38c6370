"""Which layers say something about a key, from the lowest to the highest, and which one won."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagegen.explain.key import Asked
from imagegen.read import Variant
from imagegen.read.bases import INHERITED
from imagegen.read.document import Node, plain
from imagegen.read.locate import KeyPath
from imagegen.read.merge import name_of
from imagegen.read.overrides import entries_that_fit
from imagegen.read.removal import removed_paths

DEFAULT = "default"
OWN_BASE = "own base"
_LAYERS = {
    "file": "blueprint",
    "part": "part",
    "ready-made": "ready-made part",
    "option": "--set",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What one layer says; `removed` tells that it takes out what is below."""

    layer: str
    place: str
    value: object
    wins: bool = False
    removed: bool = False


def said(variant: Variant, asked: Asked) -> tuple[Said, ...]:
    """Go through the layers of a variant."""
    final = final_node(variant, asked.path)
    written = written_path(variant, asked.path)
    found: list[Said] = []
    for layer, root in _layers(variant):
        path = asked.path if layer == OWN_BASE else written
        gone = [item for item, out in removed_paths(root) if path[: len(out)] == out]
        found += [Said(layer, _place(item), None, removed=True) for item in gone if found]
        if (node := _find(root, path, final)) is not None:
            found.append(Said(layer, _place(node), plain(node), _is_same(node, final)))
    return _with_default(found, asked, is_there=final is not None)


def _with_default(found: Sequence[Said], asked: Asked, *, is_there: bool) -> tuple[Said, ...]:
    """Put the default of the language below all."""
    if asked.key is None or asked.key.required or asked.table:
        return tuple(found)
    default = Said(DEFAULT, "", asked.key.default, wins=not is_there)
    return (default, *found)


def _layers(variant: Variant) -> Iterator[tuple[str, Node]]:
    """Go over all layers, the lowest first, each with its name."""
    if variant.base:
        root = variant.base.document
        yield OWN_BASE, root.with_value({k: n for k, n in root.items() if k in INHERITED})
    for document in variant.layers.documents:
        yield _LAYERS[document.source.kind], document
    for number, entry in entries_that_fit(variant.layers.whole, variant.axes):
        when = ", ".join(f"{axis} = {plain(globs)}" for axis, globs in _when(entry))
        keys = {key: node for key, node in entry.items() if key != "when"}
        yield f"override {number} when {when}", entry.with_value(keys)
    for option in variant.layers.options:
        yield _LAYERS["option"], option


def _when(entry: Node) -> Iterator[tuple[str, Node]]:
    when = entry.get("when")
    yield from when.items() if when else ()


def final_node(variant: Variant, path: Sequence[str]) -> Node | None:
    """Find what is left when all layers are laid; each file has its own `extends` and `remove`."""
    root = variant.layers.top if path[0] in _CONSUMED else variant.document
    return find(root, path)


_CONSUMED = ("extends", "override", "remove")


def find(root: Node, path: Sequence[str]) -> Node | None:
    """Walk down a document; items of a list by their names, or their numbers."""
    return _find(root, path, None)


def _find(root: Node, path: Sequence[str], final: Node | None) -> Node | None:
    """Find in a layer; an item without a name is the one that the final node comes from."""
    node: Node | None = root
    for part in path:
        if node is None:
            return None
        node = _item(node, part, final) if isinstance(node.value, list) else node.child(part)
    return node


def _item(node: Node, part: str, final: Node | None) -> Node | None:
    for number, item in enumerate(node.listed()):
        if name_of(item) == part:
            return item
        is_meant = str(number) == part if final is None else _holds(item, final)
        if part.isdecimal() and is_meant:
            return item
    return None


def _holds(item: Node, final: Node) -> bool:
    return item.source is final.source and final.path[: len(item.path)] == item.path


def _is_same(node: Node, final: Node | None) -> bool:
    return final is not None and node.source is final.source and node.path == final.path


def written_path(variant: Variant, path: tuple[str, ...]) -> tuple[str, ...]:
    """Give the path as the layers write it: with names in the keys that are paths."""
    if path[0] not in ("files", "logs") or len(path) == 1:
        return path
    node = find(variant.document, path[:2])
    return (path[0], str(_own(node.path)[1]), *path[2:]) if node else path


def _own(path: KeyPath) -> KeyPath:
    return path[2:] if path[0] == "override" else path


def _place(node: Node) -> str:
    problem = node.problem("")
    return f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
