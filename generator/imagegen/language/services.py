"""What is kept running."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from imagegen.errors import quoted
from imagegen.language.expressions import Expression
from imagegen.language.logs import Keep
from imagegen.language.scalars import (
    ImagePath,
    Key,
    Kind,
    Many,
    Positive,
    Size,
    VariableName,
    in_the_image,
    matching,
)
from imagegen.language.shapes import Command, Probe
from imagegen.language.table import GoesTo, Table, Wrong

STDOUT = "stdout"
_OF_THE_FOREGROUND = {
    "flags": 'in `start` write ${NAME:+--flag "$NAME"}',
    "stop_signal": "a daemon is ended by its `stop`",
}

Signal = Annotated[
    str,
    matching(
        "SIG(?:ABRT|ALRM|CONT|HUP|INT|KILL|PIPE|PWR|QUIT|STOP|TERM|TRAP|USR1|USR2|WINCH)",
        'signal that ends a service; use SIGTERM, SIGINT, SIGQUIT and the like, as in "SIGINT"',
    ),
]
Flag = Annotated[
    str,
    matching(
        r"-[A-Za-z0-9]|--?[A-Za-z0-9][A-Za-z0-9_.-]*=?",
        'flag; write one dash or two and a name, as in "--port" or "--port="',
    ),
]


def _place(value: str) -> str:
    if not value.startswith(("/", STDOUT)):
        raise ValueError(f'{quoted(value)} is neither "{STDOUT}" nor a path in the image')
    return value if value == STDOUT else in_the_image(value)


class Output(Table):
    """Where what a service says goes. A bare string stands for `to`."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/services/NAME"
    bare: ClassVar[str | None] = "to"

    to: Annotated[
        str, AfterValidator(_place), Kind("path, or stdout", "^(?:stdout$|/)", "/var/log/app.log")
    ]
    """"stdout", the container's log; or a file."""
    rotate_at: Annotated[Size | None, Field(examples=["10MiB"])] = None
    """A larger file is renamed, and begun anew."""
    keep: Annotated[Keep | None, Field(examples=[5])] = None
    """So many renamed files are kept; default 5."""

    @model_validator(mode="after")
    def _is_a_file(self) -> Self:
        for key in ("rotate_at", "keep"):
            if getattr(self, key) is not None and self.to == STDOUT:
                raise Wrong("goes with a file: `to` is a path then", key.replace("_", "-"))
        if self.keep is not None and self.rotate_at is None:
            raise Wrong("goes with `rotate-at`", "keep")
        return self


class Service(Command):
    """[services.NAME]: kept running, in the foreground (`run`) or as a daemon (`start`, `stop`)."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/services/NAME"
    choices: ClassVar[tuple[str, ...]] = ("run", "file", "start")
    needs_source: ClassVar[bool] = False

    start: Annotated[Command | None, Field(examples=["/opt/app/app start"])] = None
    """Starts an app that makes a daemon of itself."""
    stop: Annotated[Command | None, Field(examples=["/opt/app/app stop"])] = None
    """Stops it."""
    reload: Annotated[Command | None, Field(examples=["/opt/app/app reload"])] = None
    """What HUP does; default: stop and start."""
    pidfile: Annotated[ImagePath | None, Field(examples=["/run/app.pid"])] = None
    """How the daemon is found: the file with its process id."""
    match: Annotated[Expression | None, Field(examples=[r"java .*app\.jar"])] = None
    """How the daemon is found: an extended regular expression on its command line."""
    after: Annotated[Many[Key], Field(examples=[["db"]])] = ()
    """Started when these are well, stopped before them."""
    health: Annotated[
        Probe | None,
        Field(examples=[{"http": "http://localhost:8080/alive"}]),
        GoesTo("rootfs, Dockerfile: HEALTHCHECK"),
    ] = None
    """Readiness, watchdog and HEALTHCHECK: ill is restarted."""
    enabled: bool = True
    """Started without being asked."""
    essential: bool = True
    """The container ends when it can't be kept up; else it stays down alone."""
    restart: Annotated[
        str, matching("always|on-failure|no", "rule; use always, on-failure or no")
    ] = "always"
    """When it is started again: always, on-failure (it ended badly), or no."""
    restart_limit: Annotated[int, Field(ge=0, le=1000)] = 5
    """So many failures within the window, and it is given up after one more."""
    restart_window: Positive = "10m"
    """How long a failure counts."""
    stop_timeout: Annotated[Positive, GoesTo("rootfs, run recipe")] = "30s"
    """How long a stop may take before it is killed."""
    stop_signal: Signal = "SIGTERM"
    """The signal that a service in the foreground stops by."""
    flags: Annotated[dict[VariableName, Flag], Field(examples=[{"LOG_LEVEL": "--log-level"}])] = {}
    """VARIABLE = "--flag": added to `run` or `file` if the variable is set and the flag not given.
    A shell text, as `start` may be, says it as ${VARIABLE:+--flag "$VARIABLE"}."""
    log: Annotated[
        Output, Field(examples=["stdout", {"to": "/var/log/app.log", "rotate-at": "10MiB"}])
    ] = Output(to=STDOUT)
    """Where what it says goes: "stdout", or a file."""

    @property
    def is_ours(self) -> bool:
        """Tell whether the blueprint says what runs; else the base does."""
        return any(one is not None for one in (self.run, self.file, self.start))

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if not self.is_ours:
            self._only_enabled()
        elif self.start is None:
            for key in ("stop", "pidfile", "match"):
                if getattr(self, key) is not None:
                    raise Wrong("goes with `start`, for an app that makes a daemon of itself", key)
        else:
            self._is_a_daemon()
        return self

    def _only_enabled(self) -> None:
        if "enabled" not in self.model_fields_set:
            raise ValueError(
                "needs `run` or `file` (stays in the foreground), or `start` and `stop`; of a "
                "service of the base, say only `enabled`"
            )
        for name in sorted(self.model_fields_set - {"enabled"}):
            key = name.replace("_", "-")
            raise Wrong("needs `run`, `file` or `start` beside it", key)

    def _is_a_daemon(self) -> None:
        if self.stop is None:
            raise Wrong("needs `stop` beside it", "start")
        if self.pidfile is None and self.match is None:
            raise Wrong("needs `pidfile` or `match` beside it, to find the daemon by", "start")
        if self.pidfile is not None and self.match is not None:
            raise Wrong("only one of `pidfile` and `match` may be given", "match")
        for key, instead in _OF_THE_FOREGROUND.items():
            if key in self.model_fields_set:
                where = "a command that stays in the foreground"
                raise Wrong(f"goes with `run` or `file`, {where}; {instead}", key.replace("_", "-"))
