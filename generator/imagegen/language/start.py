"""What happens when a container starts: user, variables, config, services, jobs, logs."""

from math import isfinite
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from imagegen.language.scalars import (
    Duration,
    Filled,
    ImagePath,
    Key,
    Kind,
    Many,
    Positive,
    Schedule,
    Size,
    Text,
    UserName,
    matching,
)
from imagegen.language.shapes import Command, Limit, Probe
from imagegen.language.table import GoesTo, Table, Wrong

LimitName = Annotated[
    str,
    matching(
        "core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|"
        "sigpending|stack",
        "limit; the common ones are nofile, nproc, memlock, core and stack",
    ),
    Kind("name of a limit", example="nofile"),
]


class Container(Table):
    """[container]: how containers of the image run."""

    goes_to: ClassVar[str] = "run recipe"

    user: Annotated[UserName | None, GoesTo("rootfs, Dockerfile: USER")] = None
    """Who runs services and jobs; default: the only one of [users]."""
    shm_size: Size | None = None
    """Size of /dev/shm, where 64 MB are too little."""
    ulimits: Annotated[dict[LimitName, Limit], Field(examples=[{"nofile": 4096}])] = {}
    """Limits of the kernel for its processes, as in nofile = 4096: a number, or "soft:hard"."""


def _json(value: Any, *path: str | int) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Refuse what JSON can't carry, and integers that jq would round."""
    if isinstance(value, list):
        return [_json(item, *path, number) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _json(item, *path, key) for key, item in value.items()}
    if isinstance(value, int) and abs(value) > _EXACT:
        raise Wrong("JSON tools round integers above 2^53; write a string", *path)
    if isinstance(value, float) and not isfinite(value):
        raise Wrong("JSON has no nan and no inf", *path)
    if not isinstance(value, bool | str | int | float):
        raise Wrong("JSON has no dates and times; write a string", *path)
    return value


_EXACT = 2**53


class Config(Table):
    """[config]: a JSON object, merged at start with the variable CFG."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/config"

    defaults: Annotated[
        Annotated[dict[str, Any], BeforeValidator(_json)] | None,
        Field(examples=[{"greeting": "Hello", "web": {"port": 8080}}]),
    ] = None
    """The defaults; at start the object in the variable is merged into them, deeply."""


class Service(Command):
    """[services.NAME]: kept running, in the foreground (`run`) or as a daemon (`start`, `stop`)."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/services/NAME"
    choices: ClassVar[tuple[str, ...]] = ("run", "file", "start")
    needs_source: ClassVar[bool] = False

    start: Annotated[Command | None, Field(examples=["/opt/app/app start"])] = None
    """Starts an app that makes a daemon of itself."""
    stop: Annotated[Command | None, Field(examples=["/opt/app/app stop"])] = None
    """Stops it."""
    pidfile: Annotated[ImagePath | None, Field(examples=["/run/app.pid"])] = None
    """How the daemon is found: the file with its process id."""
    match: Annotated[Filled | None, Field(examples=[r"java .*app\.jar"])] = None
    """How the daemon is found: an extended regular expression on its command line."""
    after: Annotated[Many[Key], Field(examples=[["db"]])] = ()
    """Started when these are well, stopped before them."""
    health: Annotated[
        Probe | None,
        Field(examples=[{"http": "http://localhost:8080/alive"}]),
        GoesTo("rootfs, Dockerfile: HEALTHCHECK"),
    ] = None
    """Readiness, watchdog and HEALTHCHECK: ill is restarted."""
    stop_timeout: Annotated[Positive, GoesTo("rootfs, run recipe")] = "30s"
    """How long a stop may take before it is killed."""

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if self.start is None:
            if self.run is None and self.file is None:
                raise ValueError(
                    "needs `run` or `file` (stays in the foreground), or `start` and `stop`"
                )
            for key in ("stop", "pidfile", "match"):
                if getattr(self, key) is not None:
                    raise Wrong("goes with `start`, for an app that makes a daemon of itself", key)
            return self
        if self.stop is None:
            raise Wrong("needs `stop` beside it", "start")
        if self.pidfile is None and self.match is None:
            raise Wrong("needs `pidfile` or `match` beside it, to find the daemon by", "start")
        if self.pidfile is not None and self.match is not None:
            raise Wrong("only one of `pidfile` and `match` may be given", "match")
        return self


class Job(Command):
    """[jobs.NAME]: a command that runs when its time has come, never twice at once."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/jobs/NAME"

    schedule: Annotated[Schedule, Field(examples=["@daily"])]
    """Five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly."""
    description: Annotated[Text | None, Field(examples=["Sends the report"])] = None
    """What it is for."""


class Log(Table):
    """[logs."/GLOB"]: what becomes of old log files; only what is said is done."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/logs"

    compress_after: Duration | None = None
    """Older files are compressed."""
    delete_after: Duration | None = None
    """Older files are deleted, compressed or not."""
    schedule: Schedule = "1 1 * * *"
    """When the files are looked at."""
    user: UserName | None = None
    """As whom; default `container.user`."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.compress_after is None and self.delete_after is None:
            raise ValueError("needs `compress-after` or `delete-after`")
        return self
