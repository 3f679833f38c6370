"""What the image is made of."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.language.families import LATER, SERVED
from imagegen.read.near import listing
from imagegen.read.rules.checked import Checked


def family(c: Checked) -> Iterator[Problem | None]:
    """The base must be of a family that is served, by its name or by what is in it."""
    base = c.blueprint.image.base
    if base.image is None:
        return
    place = ("image", "base", *(["family"] if base.family else []))
    if c.family is None:
        message = (
            f"the name {quoted(base.image)} does not tell the family, and no engine here has the "
            'image: pull it, or write base = { image = "…", family = "debian" } (or phusion)'
        )
        yield c.wrong(place, message)
    elif c.family.against:
        message = (
            f"{c.family.against}; build on what it is built on, or leave them out with "
            f'base = {{ image = "…", family = "{c.family.name}" }}'
        )
        yield c.wrong(place, message)
    elif not c.family.is_served:
        name, because = c.family.name, c.family.because
        known = f" ({because})" if because else ""
        yet = " yet" if name in LATER else ""
        message = f"the family {name}{known} is not served{yet}; served: {listing(SERVED)}"
        yield c.wrong(place, f'{message}, as in "debian:bookworm-slim"')


def step_names(c: Checked) -> Iterator[Problem | None]:
    """Steps are folders and stages, which know no capitals; nameless ones go by their number."""
    seen: set[str] = set()
    for number, step in enumerate(c.blueprint.steps):
        if step.name is None:
            continue
        if step.name.isdigit():
            yield c.wrong(("steps", number, "name"), "must not be a number: other steps are")
        elif step.name.lower() in seen:
            yield c.wrong(("steps", number, "name"), "is the name of another step already")
        seen.add(step.name.lower())
