"""What the image is made of."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.language.families import SERVED, family_of
from imagegen.read.rules.checked import Checked


def family(c: Checked) -> Iterator[Problem | None]:
    base = c.blueprint.image.base
    if base.image is not None and base.family is None and family_of(base.image) is None:
        message = (
            f"the name {quoted(base.image)} does not tell the family; say it: "
            f'base = {{ image = "…", family = "{SERVED[0]}" }} (served: {", ".join(SERVED)})'
        )
        yield c.wrong(("image", "base"), message)


def step_names(c: Checked) -> Iterator[Problem | None]:
    """Steps are folders of the context, those without a name by their number."""
    seen: dict[str, int] = {}
    for number, step in enumerate(c.blueprint.steps):
        if step.name is None:
            continue
        if step.name.isdigit():
            yield c.wrong(("steps", number, "name"), "must not be a number: other steps are")
        elif step.name in seen:
            yield c.wrong(("steps", number, "name"), "is the name of another step already")
        seen[step.name] = number
