"""Plans and the plans of the own bases below them."""

from collections.abc import Iterable

from imagegen.plan.model import Plan


def with_bases(plans: Iterable[Plan]) -> tuple[Plan, ...]:
    """List the plans and all their own bases, each once; a base comes before what is on it."""
    found: dict[int, Plan] = {}
    for plan in plans:
        if plan.parent:
            found |= {id(base): base for base in with_bases([plan.parent])}
        found[id(plan)] = plan
    return tuple(found.values())
