"""How a container of the image is run: everything that docker must be told, decided once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagegen.errors import ImagegenError
from imagegen.plan.model import Plan

GRACE = 5
"""Seconds that the engine waits beyond the stop budget: the runtime's own time-outs come first."""

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A port of the container on an address and port of the host."""

    address: str
    host: int
    container: int
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume, or (source begins with / or .) a folder of the host, at a path of the container."""

    source: str
    path: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that a container needs beyond its image. Times in seconds, sizes in bytes."""

    name: str
    image: str
    ports: tuple[Published, ...]
    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    stop_timeout: int | None
    shm_size: int | None
    ulimits: Mapping[str, str]
    command: tuple[str, ...] = ()


def recipe(
    plan: Plan,
    *,
    name: str | None = None,
    environment: Mapping[str, str] | None = None,
    command: tuple[str, ...] = (),
) -> Recipe:
    """Decide how a container of this variant is run."""
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
        stop_timeout=plan.stop_budget + GRACE if plan.services else None,
        shm_size=plan.shm_size,
        ulimits=plan.ulimits,
        command=command,
    )


def _published(publish: str, container: int, protocol: str) -> Published:
    """Read "9999" or "0.0.0.0:9999"; without an address it is this machine alone."""
    address, _, host = publish.rpartition(":")
    return Published(
        address=address.strip("[]") or LOOPBACK,
        host=int(host),
        container=container,
        protocol=protocol,
    )


def environment(given: Iterable[str]) -> dict[str, str]:
    """Read NAME=VALUE as `docker run -e` has it. Raises ImagegenError."""
    read = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise ImagegenError(f"--env {item}: write NAME=VALUE")
        read[name] = value
    return read
