"""Things that name each other."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter


def circles(after: dict[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Find circles one by one, each broken before the next is looked for."""
    left = {name: {other for other in others if other in after} for name, others in after.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            yield circle
            left[circle[0]].discard(circle[1])
        else:
            return
