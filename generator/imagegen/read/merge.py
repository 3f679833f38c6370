"""Laying one layer of a blueprint over another."""

from collections.abc import Iterator

from imagegen.errors import Problem
from imagegen.language.stack import StackService
from imagegen.read.document import Node
from imagegen.read.normal import LOWER, Shape

_MOST_ITEMS = 10_000


class Merge:
    """Lays upper layers over lower ones and collects what can't be merged.

    Tables merge key by key. Of scalars and lists the upper wins; LOWER in a list stands for the
    lower list. In a list of tables, an item whose `name` exists below merges into it in its
    place, any other is appended, or stands before LOWER. An upper choice among alternatives
    drops the lower one. Layers are laid from the lowest up: what an upper layer dropped is gone.
    """

    def __init__(self, *, in_stack: bool = False) -> None:
        """Begin with no problems. `in_stack` services are laid over those that they extend."""
        self.problems: list[Problem] = []
        self._in_stack = in_stack
        self._waits = False

    def over(self, lower: Node | None, upper: Node, shape: Shape) -> Node:
        """Lay `upper` over `lower`; both in normal form.

        Of what extends others of its kind, those are not known yet: there LOWER waits for them.
        """
        if shape.table is StackService and upper.child("extends") and not self._in_stack:
            self._waits = True
            try:
                return self._over(lower, upper, shape)
            finally:
                self._waits = False
        return self._over(lower, upper, shape)

    def _over(self, lower: Node | None, upper: Node, shape: Shape) -> Node:
        if isinstance(upper.value, list):
            return self._list(lower, upper, shape)
        if lower is None or not isinstance(upper.value, dict) or not isinstance(lower.value, dict):
            return self._alone(upper, shape)
        merged = dict(lower.value)
        for key in _dropped(upper, shape):
            merged.pop(key, None)
        for key, item in upper.value.items():
            merged[key] = self.over(merged.get(key), item, shape.key(key))
        # What a table lacks is to be told at the file, not at an option that says one thing more.
        place = lower if upper.source.kind == "option" else upper
        return place.with_value(merged)

    def _alone(self, upper: Node, shape: Shape) -> Node:
        """Nothing lies below: then no list may speak of the list below either."""
        if not isinstance(upper.value, dict):
            return upper
        items = upper.value.items()
        return upper.with_items({k: self.over(None, item, shape.key(k)) for k, item in items})

    def _list(self, lower: Node | None, upper: Node, shape: Shape) -> Node:
        below = list(lower.listed()) if lower and isinstance(lower.value, list) else None
        if shape.each is not None and shape.each.table is not None:
            return self._tables(below, upper, shape.each)
        merged: list[Node] = []
        for item in upper.listed():
            if item.value != LOWER:
                merged.append(item)
            else:
                merged += self._room(merged, self._lower(below, item), item)
        return upper.with_value(merged)

    def _room(self, merged: list[Node], lower: list[Node], item: Node) -> list[Node]:
        """Refuse what doubles from layer to layer: LOWER may stand in a list more than once."""
        if len(merged) + len(lower) <= _MOST_ITEMS:
            return lower
        self.problems.append(item.problem(f"the list grows beyond {_MOST_ITEMS} items"))
        return []

    def _lower(self, below: list[Node] | None, item: Node) -> list[Node]:
        if below is None and self._waits:
            return [item]
        # A part does not know what lies below it; who writes a blueprint does.
        if below is None and not item.source.is_part:
            self.problems.append(item.problem('"..." stands for a list below; there is none'))
        return below or []

    def _tables(self, below: list[Node] | None, upper: Node, each: Shape) -> Node:
        merged = list(below or ())
        names = [name_of(item) for item in merged]
        before: list[Node] = []
        after: list[Node] = []
        for item in upper.listed():
            if item.value == LOWER:
                self._lower(below, item)
                before, after = [*before, *after], []
            elif (name := name_of(item)) is not None and name in names:
                place = names.index(name)
                merged[place] = self.over(merged[place], item, each)
            else:
                after.append(self._alone(item, each))
        return upper.with_value([*before, *merged, *after])


def _dropped(upper: Node, shape: Shape) -> Iterator[str]:
    """Name the alternatives that the upper layer decided against."""
    for choices in shape.table.alternatives() if shape.table else ():
        if any(upper.child(key) for key in choices):
            yield from (key for key in choices if not upper.child(key))


def name_of(item: Node) -> str | None:
    name = item.child("name")
    return name.value if name and isinstance(name.value, str) else None
