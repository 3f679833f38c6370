"""What happens when a container starts: user, variables, config, services, jobs, logs."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from imagegen.language.scalars import Duration, ImagePath, Key, Many, Positive, Schedule, UserName
from imagegen.language.shapes import Command, Probe
from imagegen.language.table import Table


class Container(Table):
    """[container]: how containers of the image run."""

    user: UserName | None = None
    """Who runs services and jobs; default: the only one of [users]."""


def _json(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Refuse what JSON can't carry, and integers that jq would round."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > _EXACT:
            raise ValueError(f"{value} is too large: JSON tools round integers above 2^53")
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 -- NaN
            raise ValueError("JSON has no nan and no inf")
        return value
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    raise ValueError("JSON has no dates and times; write a string")


_EXACT = 2**53


class Config(Table):
    """[config]: a JSON object, merged at start with the variable CFG."""

    defaults: Annotated[dict[str, Any], BeforeValidator(_json)] | None = None
    """The defaults; at start the object in the variable is merged into them, deeply."""


class Service(Command):
    """[services.NAME]: kept running, in the foreground (`run`) or as a daemon (`start`, `stop`)."""

    choices: ClassVar[tuple[str, ...]] = ("run", "file", "start")
    needs_source: ClassVar[bool] = False

    start: Command | None = None
    """Starts an app that makes a daemon of itself."""
    stop: Command | None = None
    """Stops it."""
    pidfile: ImagePath | None = None
    """How the daemon is found: the file with its process id."""
    match: Annotated[str, Field(min_length=1)] | None = None
    """How the daemon is found: an extended regular expression on its command line."""
    after: Many[Key] = ()
    """Started when these are well, stopped before them."""
    health: Probe | None = None
    """Readiness, watchdog and HEALTHCHECK: ill is restarted."""
    stop_timeout: Positive = "30s"
    """How long a stop may take before it is killed."""

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if self.start is None:
            if self.run is None and self.file is None:
                raise ValueError(
                    "needs `run` or `file` (stays in the foreground), or `start` and `stop`"
                )
            if self.stop or self.pidfile or self.match:
                raise ValueError("`stop`, `pidfile` and `match` go with `start`")
            return self
        if self.stop is None:
            raise ValueError("`start` needs `stop`")
        if (self.pidfile is None) == (self.match is None):
            raise ValueError("`start` needs one of `pidfile` and `match`, to find the daemon by")
        return self


class Job(Command):
    """[jobs.NAME]: a command that runs when its time has come, never twice at once."""

    schedule: Schedule
    """Five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly."""
    description: str | None = None
    """What it is for."""


class Log(Table):
    """[logs."/GLOB"]: what becomes of old log files; only what is said is done."""

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
