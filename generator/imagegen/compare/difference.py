"""What changes for the user between two blueprints, variant by variant."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from imagegen.compare.facts import Facts, Said

Kind: TypeAlias = Literal["added", "removed", "changed"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is other than before; `key` is what of it, "" for itself."""

    kind: Kind
    topic: str
    name: str
    key: str
    before: str | None
    after: str | None


def difference(old: Facts, new: Facts) -> tuple[Change, ...]:
    """List what changed, in the order of the topics; what was added as a whole is one change."""
    return tuple(
        change
        for topic in new
        for name in _union(old.get(topic, {}), new[topic])
        for change in _changes(topic, name, old.get(topic, {}).get(name), new[topic].get(name))
    )


def _changes(topic: str, name: str, old: Said | None, new: Said | None) -> Iterator[Change]:
    if old is None or new is None:
        kind: Kind = "removed" if new is None else "added"
        yield Change(kind, topic, name, "", _whole(old), _whole(new))
        return
    for key in _union(old, new):
        before, after = old.get(key), new.get(key)
        if before != after:
            yield Change("changed", topic, name, key, before, after)


def _whole(said: Said | None) -> str | None:
    """Say in short what a thing is: what stands for it, or the first things said of it."""
    if said is None:
        return None
    if said.get(""):
        return said[""]
    return ", ".join(f"{key} {value}" for key, value in list(said.items())[:2] if value)


def _union(old: Iterable[str], new: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def paired(
    old: Sequence[T], new: Sequence[T], key: Callable[[T], object]
) -> Iterator[tuple[T | None, T | None]]:
    """Match variants by their axes; the only ones of both sides match in any case."""
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    before, after = {key(one): one for one in old}, {key(one): one for one in new}
    for point in dict.fromkeys([*before, *after]):
        yield before.get(point), after.get(point)
