"""What is kept running."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Filled, ImagePath, Key, Many, Positive
from imagegen.language.shapes import Command, Probe
from imagegen.language.table import GoesTo, Wrong


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
