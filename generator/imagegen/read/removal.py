"""`remove`: taking out of what lies below, before anything is laid over it."""

from collections.abc import Iterator

from pydantic import ConfigDict, TypeAdapter

from imagegen.errors import Problem, quoted
from imagegen.language.paths import key_path
from imagegen.language.scalars import Many, RemovedKey
from imagegen.read.complaints import complaints_of
from imagegen.read.document import Node, toml_key
from imagegen.read.merge import name_of
from imagegen.read.near import hint

IN_THE_BASE = ("env", "ports", "users", "volumes")
"""What an image has of its base for good: Docker can't take it out again."""

_KEYS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Many[RemovedKey], config=ConfigDict(strict=True))


_MOST_HINTS = 100


class _Absent(Exception):  # noqa: N818 -- never leaves this module
    """There is no such key; with what to say about it, and the keys that are there."""

    def __init__(self, key: str, above: tuple[str, ...], known: list[str]) -> None:
        where = f" in {'.'.join(map(toml_key, above))}" if above else ""
        super().__init__(f"there is no {quoted(key)}{where} below this file")
        self.key = key
        self.known = known


def removal_problems(layer: Node) -> Iterator[Problem]:
    """Say what is wrong with `remove` by itself, in a file or in an entry of [[override]]."""
    yield from complaints_of(_KEYS, layer, "remove")


def removed_paths(layer: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Go over what a layer removes; what is wrong by itself is left out."""
    remove = layer.get("remove")
    for item in remove.listed() if remove else ():
        path = key_path(item.value) if isinstance(item.value, str) else None
        if path is not None:
            yield item, path


def without_removed(
    below: Node, layer: Node, problems: list[Problem], base: Node | None = None
) -> Node:
    """Take out of what lies below what the layer removes. `base` is what an own base brings."""
    for item, path in removed_paths(layer):
        if base and path[0] in IN_THE_BASE and len(path) <= 2 and base.get(*path):  # noqa: PLR2004
            problems.append(item.problem("the base has it for good; change it there"))
            continue
        try:
            below = _without(below, path)
        except _Absent as absent:
            known = hint(absent.key, absent.known, toml_key) if len(problems) < _MOST_HINTS else ""
            problems.append(item.problem(f"{absent}{known}"))
    return below


def _without(node: Node, path: tuple[str, ...], above: tuple[str, ...] = ()) -> Node:
    key, *rest = path
    if isinstance(node.value, list):
        names = [name_of(item) for item in node.value]
        if key not in names:
            raise _Absent(key, above, [name for name in names if name is not None])
        place = names.index(key)
        inner = [_without(node.value[place], tuple(rest), (*above, key))] if rest else []
        return node.with_value([*node.value[:place], *inner, *node.value[place + 1 :]])
    if not isinstance(node.value, dict) or key not in node.value:
        raise _Absent(key, above, [key for key, _ in node.items()])
    kept = dict(node.value)
    below = kept.pop(key)
    if not rest:
        return node.with_value(kept)
    inner_node = _without(below, tuple(rest), (*above, key))
    return node.with_value({k: inner_node if k == key else item for k, item in node.value.items()})
