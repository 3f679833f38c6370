"""A plan: one variant of an image with nothing left to decide.

What runs in it is in imagegen.plan.running. Modes are octal strings, paths in the image absolute;
own files of the user are absolute paths on this machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagegen.errors import Problem
from imagegen.language.shapes import FIRSTBOOT
from imagegen.plan.composed import Stack
from imagegen.plan.running import (
    Ci,
    Command,
    Config,
    Download,
    Health,
    Job,
    Lifecycle,
    LogRule,
    Resources,
    Service,
    Test,
    Variable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    uid: int
    gid: int
    groups: tuple[str, ...]
    home: str
    shell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where apt finds packages beside what the base knows: at a url, or by a release package."""

    name: str
    url: str | None
    suites: tuple[str, ...]
    components: tuple[str, ...]
    key: Path | None
    package: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """Python packages. `requirements` are own files with their names below a common folder."""

    install: tuple[str, ...]
    requirements: tuple[tuple[PurePosixPath, Path], ...]
    venv: str | None
    build_packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A download. `file` is what it is called where it lies; `netrc` names a secret."""

    url: str
    file: str
    sha256: str | None
    headers: Mapping[str, str]
    netrc: str | None
    unpack: bool
    strip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloned:
    """The files of a git repository at a tag or commit; `netrc` names a secret."""

    url: str
    ref: str | None
    netrc: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where the builder finds a secret: in a file of this machine, or in a variable.

    `declared` is the beginning of any complaint about it.
    """

    name: str
    file: Path | None
    env: str | None
    declared: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A build step, of at most one source: `copies` are own files and folders.

    What is not put at `to` is lent to the command. `dockerfile` stands instead of all else.
    """

    name: str
    fetched: Fetched | None
    cloned: Cloned | None
    copies: tuple[Path, ...]
    exclude: tuple[str, ...]
    to: str | None
    owner: str
    mode: str | None
    command: Command | None
    build_packages: tuple[str, ...]
    secrets: tuple[str, ...]
    cache: tuple[str, ...]
    dockerfile: str | None

    @property
    def used_secrets(self) -> tuple[str, ...]:
        """Name the secrets that its command, or its download, gets to see."""
        source = self.fetched or self.cloned
        return (*self.secrets, *((source.netrc,) if source and source.netrc else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Something laid into the image. A folder has neither text nor file nor link.

    With a `format` the ${…} in it are filled in when a container starts. What is `at_start` is
    laid then: a mount would hide it, or it is filled in, or it shall not replace what is there.
    """

    path: str
    text: str | None
    file: Path | None
    link: str | None
    owner: str
    mode: str | None
    format: str | None
    once: bool
    at_start: bool


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
    exclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One variant of an image, all decided. Services stand in the order of their start.

    `event` says in words what the tags come from. Without a rule for it the plan is not
    `released`: its tags are for this machine only. Labels that name git are `event_labels`:
    they are no part of the context, so that a new commit alone builds nothing. Without
    `platforms` it is for machines like the one that builds it. `parent` is the plan of an own
    base, and then `base` is empty; users, variables, ports, volumes, services, hooks,
    downloads, jobs and logs include its. `env` is what the image sets of the `variables`, and
    `base_services` are services that a foreign base brings: whether each is started.
    The `stack` is in one plan alone: that of the variant that stands for the image.
    `packages_first` is what apt needs before it can ask the repositories.
    """

    image: str
    variant: str
    axes: Mapping[str, str]
    version: str | None
    registries: tuple[str, ...]
    platforms: tuple[str, ...]
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
    apt_repositories: tuple[Repository, ...]
    packages_first: tuple[str, ...]
    packages: tuple[str, ...]
    recommended: tuple[str, ...]
    python: Python | None
    npm: tuple[str, ...]
    steps: tuple[Step, ...]
    secrets: tuple[Secret, ...]
    placed: tuple[Placed, ...]
    env: Mapping[str, str]
    variables: tuple[Variable, ...]
    config: Config | None
    ports: tuple[Port, ...]
    volumes: tuple[Volume, ...]
    services: tuple[Service, ...]
    base_services: Mapping[str, bool]
    lifecycle: Lifecycle
    downloads: tuple[Download, ...]
    jobs: tuple[Job, ...]
    tests: tuple[Test, ...]
    ci: Ci
    stack: Stack | None
    logs: tuple[LogRule, ...]
    user: str | None
    init_as_root: bool
    stop_budget: int
    init: str | None
    workdir: str
    timezone: str | None
    locale: str | None
    syslog: bool
    resources: Resources
    health: Health | None

    @property
    def has_runtime(self) -> bool:
        """Tell whether anything is to be kept running: else the image needs no init."""
        return bool(self.services or self.lifecycle.hooks or self.jobs or self.logs)

    @property
    def remembering(self) -> str | None:
        """Name the volume that remembers first boot and version, if anything must be."""
        hooks = any(hook.name in ("firstboot", "upgrade") for hook in self.lifecycle.hooks)
        needed = hooks or any(variable.required == FIRSTBOOT for variable in self.variables)
        return self.lifecycle.volume if needed else None

    @property
    def laid_in_image(self) -> tuple[Placed, ...]:
        """List what the build lays: all, where nothing runs that could lay it at the start."""
        return tuple(p for p in self.placed if not (p.at_start and self.has_runtime))

    @property
    def laid_at_start(self) -> tuple[Placed, ...]:
        """List what is laid at each start, of the own bases too, by path."""
        if not self.has_runtime:
            return ()
        laid: dict[str, Placed] = {}
        for plan in reversed([*self._chain()]):
            laid |= {placed.path: placed for placed in plan.placed if placed.at_start}
        return tuple(laid[path] for path in sorted(laid))

    def _chain(self) -> "Iterator[Plan]":
        plan: Plan | None = self
        while plan:
            yield plan
            plan = plan.parent

    @property
    def timed(self) -> bool:
        """Tell whether anything runs by the clock, which cron sees to."""
        return any(job.schedule for job in self.jobs) or any(rule.cleans for rule in self.logs)

    @property
    def runs_as(self) -> User | None:
        """Who the container's first process is; None for root, or whoever the base says."""
        if self.init_as_root:
            return None
        return next((user for user in self.users if user.name == self.user), None)

    @property
    def step_secrets(self) -> tuple[Secret, ...]:
        """List the secrets that steps use: no other is given to the builder."""
        used = {name for step in self.steps for name in step.used_secrets}
        return tuple(secret for secret in self.secrets if secret.name in used)

    @property
    def secret_files(self) -> frozenset[Path]:
        """List files of secrets, links followed: they are never own files."""
        return frozenset(secret.file.resolve() for secret in self.secrets if secret.file)

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
    def new_timezone(self) -> str | None:
        """Give the time zone, unless the own base has it."""
        there = self.parent.timezone if self.parent else None
        return None if self.timezone == there else self.timezone

    @property
    def new_locale(self) -> str | None:
        """Give the locale, unless the own base has it."""
        there = self.parent.locale if self.parent else None
        return None if self.locale == there else self.locale

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
