"""What runs in a container of the image, and what it finds there, with nothing left to decide.

Durations are whole seconds, modes octal strings, paths in the image absolute. Own files of the
user are absolute paths on this machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that runs: shell text, or a program with arguments, or a script of the user.

    `arguments` name the variables whose values it gets as arguments, after its own.
    """

    text: str | None = None
    words: tuple[str, ...] = ()
    script: Path | None = None
    user: str | None = None
    workdir: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: int | None = None
    arguments: tuple[str, ...] = ()


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
class Test:
    """What must be true of a fresh container."""

    name: str
    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A registry, and the names of the CI secrets for it."""

    registry: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ci:
    """What the CI job does beside building and pushing. `schedule` has five cron fields.

    `folder` is that of the blueprint, on this machine: where the test runs. `tags` are globs of git
    tags that build though they are no versions; `pull_requests` tells whether these are pushed.
    """

    folder: Path
    test: Command | None
    logins: tuple[Login, ...]
    paths_ignore: tuple[str, ...]
    schedule: str | None
    tags: tuple[str, ...]
    pull_requests: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where what a service says goes: a file, or (without) the container's log. Sizes in bytes."""

    file: str | None
    rotate_at: int | None
    keep: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service. Either `run` is set (foreground), or `start`, `stop` and one way to find it.

    `flags` are by variable what its command gets beside it; one that ends in "=" takes the value
    into the same word.
    """

    name: str
    run: Command | None
    start: Command | None
    stop: Command | None
    reload: Command | None
    pidfile: str | None
    match: str | None
    after: tuple[str, ...]
    health: Probe | None
    enabled: bool
    essential: bool
    restart: str
    restart_limit: int
    restart_window: int
    stop_timeout: int
    stop_signal: str
    flags: Mapping[str, str]
    log: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What runs at a moment in the container's life; services in `after` are up meanwhile."""

    name: str
    command: Command
    after: tuple[str, ...]
    every_boot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The hooks in the order in which they run. `volume` remembers first boot and version."""

    volume: str | None
    hooks: tuple[Hook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command with a name; without a schedule it runs when called."""

    name: str
    schedule: str | None
    description: str | None
    interactive: bool
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
    rotate_at: int | None
    keep: int | None
    forward: bool

    @property
    def cleans(self) -> bool:
        """Tell whether files are compressed or deleted, which cron sees to."""
        return self.compress_after is not None or self.delete_after is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What is downloaded before the services start; `netrc` names a variable."""

    name: str
    url: str
    checksum: str | None
    headers: Mapping[str, str]
    netrc: str | None
    to: str
    owner: str
    mode: str | None
    unpack: bool
    strip: int
    refresh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the environment; `to` is the file that its value is laid down as."""

    name: str
    default: str | None
    pattern: str | None
    required: bool | Literal["firstboot"]
    secret: bool
    description: str | None
    to: str | None
    owner: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The app's JSON: `defaults`, into which the value of `variable` is merged at each start."""

    defaults: Mapping[str, Any]
    variable: str
    schema: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """When Docker's HEALTHCHECK asks; the answer is the runtime's, which does the probing."""

    interval: int
    timeout: int
    start_period: int
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What an engine gives a container, and what it keeps from it. Sizes in bytes."""

    read_only: bool = False
    capabilities: tuple[str, ...] = ()
    dropped_capabilities: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    shm_size: int | None = None
    memory: int | None = None
    cpus: str | None = None
    ulimits: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
