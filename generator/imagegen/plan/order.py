"""The order of things that need each other."""

from collections.abc import Collection, Mapping
from graphlib import TopologicalSorter


def ordered(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Order names so that each comes after those it needs; else by name. There are no circles."""
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
