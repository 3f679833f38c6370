"""How a container of the image is run: everything that docker must be told, decided once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from imagegen.errors import UsageError, quoted
from imagegen.language.published import host_port
from imagegen.plan.model import Plan
from imagegen.plan.running import Resources

GRACE = 5
"""Seconds that the engine waits beyond the stop budget: the runtime's own time-outs come first."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A port of the container on an address and port of the host."""

    address: str
    host: int
    container: int
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume, or (source begins with /) a folder of the host, at a path of the container."""

    source: str
    path: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that a container needs beyond its image. Times in seconds.

    A variable without a value is the caller's own: recipes name it, and do not tell it.
    """

    name: str
    image: str
    ports: tuple[Published, ...]
    mounts: tuple[Mount, ...]
    environment: Mapping[str, str | None]
    stop_timeout: int | None
    resources: Resources
    command: tuple[str, ...] = ()


def recipe(
    plan: Plan,
    *,
    name: str | None = None,
    environment: Mapping[str, str | None] | None = None,
    command: tuple[str, ...] = (),
) -> Recipe:
    """Decide how a container of this variant is run. Raises UsageError for a wrong name."""
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(
            f"{quoted(name)} is no name of a container; use letters, digits, _ . and -, two at "
            "least, a letter or digit first"
        )
    return Recipe(
        name=name or plan.image,
        image=plan.references[0],
        ports=tuple(
            _published(port.publish, port.number, port.protocol)
            for port in plan.ports
            if port.publish is not None
        ),
        mounts=tuple(
            Mount(
                source=volume.source,
                path=volume.path,
                read_only=volume.read_only,
            )
            for volume in plan.volumes
        ),
        environment=dict(sorted((environment or {}).items())),
        stop_timeout=plan.stop_budget + GRACE if plan.stop_budget else None,
        resources=plan.resources,
        command=command,
    )


def _published(publish: str, container: int, protocol: str) -> Published:
    at_host = host_port(publish)
    return Published(
        address=at_host.address.strip("[]"),
        host=int(at_host.port),
        container=container,
        protocol=protocol,
    )


def environment(given: Iterable[str]) -> dict[str, str | None]:
    """Read NAME=VALUE, or NAME for the caller's own, as `docker run -e` has it.

    Raises UsageError.
    """
    read: dict[str, str | None] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not name or not name.isprintable() or " " in name:
            raise UsageError(
                f"--env {quoted(item)}: write NAME=VALUE, or NAME to hand on your own variable"
            )
        read[name] = value if equals else None
    return read


def told(recipe: Recipe, caller: Mapping[str, str]) -> Recipe:
    """Give the caller's own variables their values. Raises UsageError for one not set."""
    values = {
        name: caller.get(name) if value is None else value
        for name, value in recipe.environment.items()
    }
    if missing := [name for name, value in values.items() if value is None]:
        raise UsageError(f"--env {', '.join(missing)}: not set here, and no value is given")
    return replace(recipe, environment=values)
