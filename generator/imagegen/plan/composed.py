"""A planned stack: containers that work together, with nothing left to decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.plan.running import Command, Probe, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What whoever runs the stack may set: a line of .env."""

    name: str
    default: str | None
    required: bool
    pattern: str | None
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A volume or network of the stack."""

    name: str
    driver: str | None
    options: Mapping[str, str]
    external: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Where the engine puts what containers say."""

    driver: str | None
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPort:
    """A port; `publish` has an address, unless it is a setting as a whole."""

    name: str
    number: int
    protocol: str
    publish: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberMount:
    """A mount. `source` is a volume of the stack, or (with a slash or setting) of the host."""

    name: str
    path: str
    source: str
    read_only: bool
    exclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A service of the stack, nothing left to decide.

    `variant` is that of an image of ours, empty for somebody else's. `roles` are the services of
    the image that run here, None for those that are enabled. `stop_grace` is in seconds.
    """

    name: str
    image: str
    variant: str
    roles: tuple[str, ...] | None
    after: tuple[str, ...]
    command: Command | None
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    ports: tuple[MemberPort, ...]
    mounts: tuple[MemberMount, ...]
    resources: Resources
    user: str | None
    workdir: str | None
    health: Probe | None
    stop_grace: int | None
    project: str
    restart: str
    replicas: int
    hostname: str | None
    network_mode: str | None
    networks: tuple[str, ...]
    logging: Log | None
    compose: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """A job that sets up a new stack."""

    service: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack, all decided. Services stand in the order of their start."""

    name: str
    settings: tuple[Setting, ...]
    volumes: tuple[Shared, ...]
    networks: tuple[Shared, ...]
    logging: Log | None
    services: tuple[Member, ...]
    first_run: tuple[FirstRun, ...]
