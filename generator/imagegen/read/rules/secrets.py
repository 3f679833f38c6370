"""Secrets, and who names them."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint
from imagegen.read.rules.checked import Checked

OURS = "imagegen-"


def names(c: Checked) -> Iterator[Problem | None]:
    for name in c.blueprint.secrets:
        if name.startswith(OURS):
            yield c.wrong(("secrets", name), f"names in {OURS}… are imagegen's own", key=True)


def known(c: Checked) -> Iterator[Problem | None]:
    named: list[tuple[KeyPath, str]] = []
    for number, step in enumerate(c.blueprint.steps):
        named += [(("steps", number, "secrets", n), name) for n, name in enumerate(step.secrets)]
        if step.netrc is not None:
            named.append((("steps", number, "netrc"), step.netrc))
    declared = c.declared("secrets")
    for place, name in named:
        if name not in declared:
            yield c.wrong(place, f"{quoted(name)} is not in [secrets]{hint(name, declared)}")
