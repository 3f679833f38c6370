"""A plan: one variant of an image with nothing left to decide.

Durations are whole seconds, modes octal strings, paths in the image absolute. Own files of the
user are absolute paths on this machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that runs: shell text, or a program with arguments, or a script of the user."""

    text: str | None = None
    words: tuple[str, ...] = ()
    script: Path | None = None
    user: str | None = None
    workdir: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A check; `command` is set where neither http nor tcp is."""

    http: str | None
    tcp: str | None
    command: Command | None
    jq: str | None
    insecure: bool
    user: str | None
    interval: int
    timeout: int
    retries: int
    start_period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service. Either `run` is set (foreground), or `start`, `stop` and one way to find it."""

    name: str
    run: Command | None
    start: Command | None
    stop: Command | None
    pidfile: str | None
    match: str | None
    after: tuple[str, ...]
    health: Probe | None
    stop_timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    name: str
    schedule: str
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRule:
    """What becomes of old logs: `pattern` has `depth` components below the folder `root`."""

    name: str
    root: str
    pattern: str
    depth: int
    schedule: str
    user: str
    compress_after: int | None
    delete_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    uid: int
    gid: int
    groups: tuple[str, ...]
    home: str
    shell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A build step. `copies` are pairs of an own file or folder and its name in the context."""

    name: str
    copies: tuple[Path, ...]
    exclude: tuple[str, ...]
    to: str | None
    owner: str
    mode: str | None
    command: Command | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Something laid into the image. A folder has neither text nor file nor link."""

    path: str
    text: str | None
    file: Path | None
    link: str | None
    owner: str
    mode: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the container; `publish` is where the host shows it, as in "127.0.0.1:80"."""

    name: str
    number: int
    protocol: str
    publish: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume; `source` is what is mounted: a named volume, or a folder of the host."""

    name: str
    path: str
    owner: str
    source: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """When Docker's HEALTHCHECK asks; the answer is the runtime's, which does the probing."""

    interval: int
    timeout: int
    start_period: int
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One variant of an image, all decided. Services stand in the order of their start.

    `event` says in words what the tags come from. Without a rule for it the plan is not
    `released`: its tags are for this machine only. Labels that name git are `event_labels`:
    they are no part of the context, so that a new commit alone builds nothing. `parent` is the
    plan of an own base, and then `base` is empty; users, variables, ports, volumes, services,
    jobs and logs include its.
    """

    image: str
    variant: str
    axes: Mapping[str, str]
    version: str | None
    registries: tuple[str, ...]
    event: str
    released: bool
    repositories: tuple[str, ...]
    tags: tuple[str, ...]
    base: str
    parent: "Plan | None"
    family: str
    labels: Mapping[str, str]
    event_labels: Mapping[str, str]
    users: tuple[User, ...]
    packages: tuple[str, ...]
    recommended: tuple[str, ...]
    steps: tuple[Step, ...]
    placed: tuple[Placed, ...]
    env: Mapping[str, str]
    config: Mapping[str, Any] | None
    ports: tuple[Port, ...]
    volumes: tuple[Volume, ...]
    services: tuple[Service, ...]
    jobs: tuple[Job, ...]
    logs: tuple[LogRule, ...]
    user: str | None
    init_as_root: bool
    stop_budget: int
    shm_size: int | None
    ulimits: Mapping[str, str]
    health: Health | None

    @property
    def has_runtime(self) -> bool:
        """Tell whether anything is to be kept running: else the image needs no init."""
        return bool(self.services or self.jobs or self.logs)

    @property
    def runs_as(self) -> User | None:
        """Who the container's first process is; None for root, or whoever the base says."""
        if self.init_as_root:
            return None
        return next((user for user in self.users if user.name == self.user), None)

    @property
    def new_users(self) -> tuple[User, ...]:
        """List the users that the own base has not made already."""
        there = {user.name for user in self.parent.users} if self.parent else set()
        return tuple(user for user in self.users if user.name not in there)

    @property
    def new_env(self) -> Mapping[str, str]:
        there = self.parent.env if self.parent else {}
        return {name: value for name, value in self.env.items() if there.get(name) != value}

    @property
    def new_ports(self) -> tuple[Port, ...]:
        there = self.parent.ports if self.parent else ()
        return tuple(port for port in self.ports if port not in there)

    @property
    def new_volumes(self) -> tuple[Volume, ...]:
        there = self.parent.volumes if self.parent else ()
        return tuple(volume for volume in self.volumes if volume not in there)

    @property
    def references(self) -> tuple[str, ...]:
        """List the full names that the image gets."""
        return tuple(f"{repository}:{tag}" for repository in self.repositories for tag in self.tags)
