"""Pushing: only what is built and up to date, every variant or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagegen.act.build import found
from imagegen.act.engine import Engine
from imagegen.errors import ImagegenError
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
    variant goes first, and with it all layers: names that move do so when everything is there.
    Raises ImagegenError if something is missing, EngineError if a registry refuses.
    """
    images = found(plans, engine)
    missing = [
        f"{plan.image} {plan.variant}"
        for plan, image in zip(plans, images, strict=True)
        if image is None
    ]
    if missing:
        raise ImagegenError(
            f"not built, or not up to date: {', '.join(missing)}\n    run `imagegen build` first"
        )
    first = [(plan, image, plan.references[:1]) for plan, image in zip(plans, images, strict=True)]
    later = [(plan, image, plan.references[1:]) for plan, image in zip(plans, images, strict=True)]
    done = []
    for plan, image, references in [*first, *later]:
        for reference in references:
            if image is not None and reference not in image.references:
                engine.tag(image.id, reference)
            progress(f"push {reference}")
            digest = engine.push(reference)
            done.append(
                Pushed(image=plan.image, variant=plan.variant, reference=reference, digest=digest)
            )
    return tuple(done)
