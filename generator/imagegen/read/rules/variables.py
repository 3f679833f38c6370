"""Variables of the environment."""

import re
from collections.abc import Iterator

from imagegen.errors import Problem
from imagegen.language import references
from imagegen.read.near import listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.circles import circles
from imagegen.read.rules.files import is_ours


def variables(c: Checked) -> Iterator[Problem | None]:
    """Variables may name each other, but somewhere it must begin."""
    env = c.blueprint.env
    named = {
        name: tuple(o for o in references.named(variable.default or "") if o != name)
        for name, variable in env.items()
    }
    for circle in circles(named):
        message = f"variables name each other in a circle: {listing(circle, ' → ')}"
        yield c.wrong(("env", circle[0], "default"), message)


def reserved_variables(c: Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    taken = {}
    if b.config.model_fields_set:
        taken[b.config.env] = "is the variable that is merged into the configuration"
        taken[f"{b.config.env}_FILE"] = "names the file that is merged into the configuration"
    if b.container.timezone is not None:
        taken["TZ"] = "is what container.timezone sets; keep one of the two"
    if b.container.locale is not None:
        taken["LANG"] = "is what container.locale sets; keep one of the two"
    for name, variable in b.env.items():
        if variable.secret:
            taken[f"{name}_FILE"] = f"names the file with the secret {name}"
    for name in b.env:
        if name.startswith("IMAGEGEN_"):
            yield c.wrong(("env", name), "variables IMAGEGEN_… are imagegen's own", key=True)
        elif name in taken:
            yield c.wrong(("env", name), f"{name} {taken[name]}", key=True)
    if b.config.env.startswith("IMAGEGEN_"):
        yield c.wrong(("config", "env"), "variables IMAGEGEN_… are imagegen's own")


def secrets(c: Checked) -> Iterator[Problem | None]:
    """What names a secret would hold it, in a layer of the image."""
    env = c.blueprint.env
    for name, variable in env.items():
        for other in references.named(variable.default or ""):
            if other in env and env[other].secret:
                message = f"names the secret {other}, of which no value is in the image"
                yield c.wrong(("env", name, "default"), message)


def lent(c: Checked) -> Iterator[Problem | None]:
    """A secret reaches what names it in its `env`; shell text alone would find nothing there."""
    secret = {name for name, variable in c.blueprint.env.items() if variable.secret}
    for place, command in c.commands():
        if place[0] not in ("services", "lifecycle", "jobs") or not isinstance(command.run, str):
            continue
        service = c.blueprint.services.get(str(place[1])) if place[0] == "services" else None
        given = {*command.env, *(service.env if service and place[-1] in _PARTS else ())}
        for name in sorted(secret - given):
            if re.search(rf"\$(?:{name}\b|\{{{name}\b)", command.run):
                message = (
                    f"names the secret {name}, which reaches only what asks for it; "
                    f'add env.{name} = "${{{name}}}"'
                )
                yield c.wrong((*place, "run"), message)


_PARTS = ("start", "stop", "reload")
"""Of a service, what takes the `env` of the service too."""


def laid(c: Checked) -> Iterator[Problem | None]:
    """A value that is laid down as a file needs a place of its own."""
    places = {path: f'files."{path}"' for path in c.blueprint.files}
    for name, variable in c.blueprint.env.items():
        if variable.to is None:
            continue
        place = ("env", name, "to")
        if variable.to.endswith("/"):
            yield c.wrong(place, "is a folder; name the file that the value becomes")
        elif is_ours(variable.to):
            yield c.wrong(place, "the path is imagegen's own")
        elif variable.to in places:
            yield c.wrong(place, f"is the place of {places[variable.to]} already")
        places.setdefault(variable.to, f"env.{name}")
