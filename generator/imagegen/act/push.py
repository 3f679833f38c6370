"""Pushing: only what is built and up to date, every variant or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagegen.act.build import found
from imagegen.act.engine import Engine
from imagegen.errors import EngineError, ImagegenError
from imagegen.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A name that a registry has now, and the digest behind it."""

    image: str
    variant: str
    reference: str
    digest: str


def push(
    plans: Sequence[Plan], engine: Engine, progress: Callable[[str], None]
) -> tuple[Pushed, ...]:
    """Push the names of all plans.

    Nothing is pushed unless every variant is built and up to date. The first name of each
    variant goes first, to each registry, and with it all layers: names that move do so when
    everything is there. Raises ImagegenError if something is missing, EngineError if a registry
    refuses.
    """
    if several := sorted({plan.image for plan in plans if len(plan.platforms) > 1}):
        raise ImagegenError(
            f"{', '.join(several)}: image.platforms names several, and the engine here holds one; "
            "pushing several is not served yet: keep one"
        )
    images = dict(zip(map(id, plans), found(plans, engine), strict=True))
    if missing := [f"{plan.image} {plan.variant}" for plan in plans if not images[id(plan)]]:
        raise ImagegenError(
            f"not built, or not up to date: {', '.join(missing)}\n    run `imagegen build` first"
        )
    done: list[Pushed] = []
    for plan, reference in _in_order(plans):
        image = images[id(plan)]
        if image and reference not in image.references:
            engine.tag(image.id, reference)
        progress(f"push {reference}")
        try:
            digest = engine.push(reference)
        except EngineError as error:
            raise EngineError(f"{error}\n    {_so_far(done)}") from None
        done.append(
            Pushed(image=plan.image, variant=plan.variant, reference=reference, digest=digest)
        )
    return tuple(done)


def _in_order(plans: Sequence[Plan]) -> list[tuple[Plan, str]]:
    """Put the first name of each variant in each registry before all others."""
    names = [(plan, reference) for plan in plans for reference in plan.references]
    first = {f"{place}:{plan.tags[0]}" for plan in plans for place in plan.repositories}
    return sorted(names, key=lambda name: name[1] not in first)


def _so_far(done: Sequence[Pushed]) -> str:
    if not done:
        return "nothing was pushed"
    names = ", ".join(one.reference for one in done)
    return f"pushed before that, and nothing after it: {names}"
