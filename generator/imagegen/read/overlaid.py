"""What a container of a stack has: what its image says, with the service's own laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagegen.language import Blueprint
from imagegen.language.stack import StackService


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidPort:
    """A port; `publish` is as it is written, and None where the network mode has no use for it."""

    number: int
    protocol: str
    publish: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidVolume:
    """A mount; without a `source` it is a volume of the service's own."""

    path: str
    owner: str | None
    source: str | None
    read_only: bool
    exclusive: bool


def ports(service: StackService, image: Blueprint | None) -> Mapping[str, LaidPort]:
    below = image.ports if image else {}
    found = {}
    for name in sorted({*below, *service.ports}):
        own, base = service.ports.get(name), below.get(name)
        number = own.port if own and own.port else base.port if base else None
        if number is None:
            continue  # a rule has complained
        publish = own.publish if own and own.publish else base.publish if base else None
        protocol = own.protocol if own and own.protocol else base.protocol if base else "tcp"
        found[name] = LaidPort(
            number=number,
            protocol=protocol,
            publish=None if service.network_mode else publish,
        )
    return found


def volumes(service: StackService, image: Blueprint | None) -> Mapping[str, LaidVolume]:
    below = image.volumes if image else {}
    found = {}
    for name in sorted({*below, *service.volumes}):
        own, base = service.volumes.get(name), below.get(name)
        path = own.path if own and own.path else base.path if base else None
        if path is None:
            continue  # a rule has complained
        found[name] = LaidVolume(
            path=path,
            owner=own.owner if own and own.owner else base.owner if base else None,
            source=own.source if own and own.source else base.source if base else None,
            read_only=_either(own.read_only if own else None, base.read_only if base else False),
            exclusive=_either(own.exclusive if own else None, base.exclusive if base else False),
        )
    return found


def _either(own: bool | None, below: bool) -> bool:
    return below if own is None else own
