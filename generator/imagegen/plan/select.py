"""Picking one variant by its name."""

from collections.abc import Sequence

from imagegen.errors import UsageError, quoted
from imagegen.plan.model import Plan
from imagegen.read import Variant
from imagegen.read.near import hint, listing


def select(variants: Sequence[Variant], plans: Sequence[Plan], name: str | None) -> Plan:
    """Pick the variant of that name; without one the default, or the only one.

    Raises UsageError if that does not tell.
    """
    names = [plan.variant for plan in plans]
    if name is not None:
        if name in names:
            return plans[names.index(name)]
        raise UsageError(f"there is no variant {quoted(name)}{hint(name, names)}")
    for variant, plan in zip(variants, plans, strict=True):
        if len(plans) == 1 or dict(variant.blueprint.matrix.default) == dict(variant.axes):
            return plan
    raise UsageError(
        f"which variant? give --variant ({listing(names)}), or matrix.default in the blueprint"
    )
