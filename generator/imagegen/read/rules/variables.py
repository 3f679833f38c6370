"""Variables of the environment."""

import re
from collections.abc import Iterator

from imagegen.errors import Problem
from imagegen.read.near import listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.circles import circles


def variables(c: Checked) -> Iterator[Problem | None]:
    """Variables may name each other, but somewhere it must begin."""
    env = c.blueprint.env
    named = {
        name: tuple(o for o in _NAMED.findall(variable.default or "") if o != name)
        for name, variable in env.items()
    }
    for circle in circles(named):
        message = f"variables name each other in a circle: {listing(circle, ' → ')}"
        yield c.wrong(("env", circle[0], "default"), message)


_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def reserved_variables(c: Checked) -> Iterator[Problem | None]:
    if c.blueprint.config.defaults is not None and "CFG" in c.blueprint.env:
        message = "CFG is the variable that is merged into the configuration"
        yield c.wrong(("env", "CFG"), message, key=True)
    for name in c.blueprint.env:
        if name.startswith("IMAGEGEN_"):
            yield c.wrong(("env", name), "variables IMAGEGEN_… are imagegen's own", key=True)
