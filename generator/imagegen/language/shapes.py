"""The shapes that recur: one for every command, every check, every place, wherever it stands."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from imagegen.language.scalars import (
    ImagePath,
    Line,
    Many,
    Mode,
    OwnFile,
    Positive,
    Text,
    UserName,
    VariableName,
    matching,
)
from imagegen.language.table import Table, Wrong


def _words(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Check a command: pydantic would report a wrong value once per alternative."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("a command must not be empty")
    elif not isinstance(value, list | tuple):
        raise ValueError(  # noqa: TRY004 -- pydantic reports only these
            "must be a string (shell text) or a list of strings (a program and its arguments)"
        )
    elif wrong := [number for number, v in enumerate(value) if not isinstance(v, str)]:
        raise Wrong("must be a string, in quotes", wrong[0])
    elif not value or not value[0]:
        raise ValueError("a command needs a program")
    if any("\0" in word for word in value):
        raise ValueError("must not contain the NUL character")
    return value


# 1 to 65535.
PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

Run = Annotated[str | Many[str], BeforeValidator(_words)]


class Command(Table):
    """Something that runs. A bare string or list stands for `run`."""

    bare: ClassVar[str | None] = "run"
    choices: ClassVar[tuple[str, ...]] = ("run", "file")

    run: Run | None = None
    """Text for `sh -eu`, or a list: a program and its arguments, without a shell."""
    file: OwnFile | None = None
    """A script of yours, relative to the blueprint."""
    user: UserName | None = None
    """Who runs it; default: root in steps, else `container.user`."""
    workdir: ImagePath | None = None
    """Where it runs; default: /."""
    env: dict[VariableName, Line] = {}
    """Variables for this command alone."""
    timeout: Positive | None = None
    """How long it may take; default: 60s for start and stop, 5s for probes, else no limit."""

    @model_validator(mode="after")
    def _runs_something(self) -> Self:
        if self.needs_source and self.run is None and self.file is None:
            raise ValueError("needs `run` or `file`")
        return self

    needs_source: ClassVar[bool] = True


class Probe(Command):
    """A check: exactly one of http, tcp, run and file. A bare string or list stands for `run`."""

    choices: ClassVar[tuple[str, ...]] = ("http", "tcp", "run", "file")
    needs_source: ClassVar[bool] = False

    http: Annotated[str, matching(r"https?://[\x21-\x7e]+", "http or https address")] | None = None
    """An address; well when it answers below status 400."""
    tcp: (
        Annotated[str, matching(rf"[A-Za-z0-9.:_\[\]-]+:{PORT}", 'host:port, as in "localhost:80"')]
        | None
    ) = None
    """host:port; well when it takes a connection."""
    jq: Annotated[Text, Field(min_length=1)] | None = None
    """A filter that must be true of the JSON that was answered or printed."""
    insecure: bool = False
    """https without checking the certificate."""
    interval: Positive = "30s"
    """Time between two checks."""
    retries: Annotated[int, Field(ge=1, le=1000)] = 3
    """So many failures in a row are ill."""
    start_period: Positive = "1m"
    """Until the first success it is checked each second, and failures do not count."""

    @model_validator(mode="after")
    def _checks_something(self) -> Self:
        if not (self.http or self.tcp or self.run or self.file):
            raise ValueError("needs one of `http`, `tcp`, `run` and `file`")
        if self.tcp and self.jq:
            raise Wrong("needs an answer, which `tcp` has not: use `http`, `run` or `file`", "jq")
        if self.insecure and not (self.http or "").startswith("https:"):
            raise Wrong("is for `http` with an https address", "insecure")
        return self


class Place(Table):
    """Where something goes in the image, and whose it is."""

    owner: UserName = "root"
    """Whose it is: root, or a name of [users]."""
    mode: Mode | None = None
    """Default 0644, and 0755 for folders and executable files."""


class Variable(Table):
    """An environment variable. A bare string stands for `default`."""

    bare: ClassVar[str | None] = "default"

    default: Line | None = None
    """Its value unless another is given; ${NAME} means another variable of the image."""
    description: Text | None = None
    """What it is for."""


def _numbers(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Take a number where a text with numbers may stand."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Published = Annotated[
    str,
    BeforeValidator(_numbers),
    matching(
        rf"(?:(?:[0-9.]+|\[[0-9a-fA-F:]+\]):)?{PORT}",
        'port of the host; write 9999 or "ADDRESS:9999", as in "0.0.0.0:9999"',
    ),
]
Limit = Annotated[
    str,
    BeforeValidator(_numbers),
    matching(r"-1|[0-9]{1,15}(?::[0-9]{1,15})?", 'limit; write 4096 or "SOFT:HARD"'),
]


class Port(Table):
    """A port that the container listens on. A bare number stands for `port`."""

    bare: ClassVar[str | None] = "port"

    port: Annotated[int, Field(ge=1, le=65535, examples=[8080])]
    """The number in the container."""
    publish: Published | None = None
    """On the host: a port, or address:port; without an address it is this machine alone."""
    protocol: Annotated[str, matching("tcp|udp|sctp", "protocol; use tcp, udp or sctp")] = "tcp"
    """tcp, udp or sctp."""
    description: Text | None = None
    """What it is for."""


class Volume(Table):
    """A folder whose content outlives the container. A bare string stands for `path`."""

    bare: ClassVar[str | None] = "path"

    path: Annotated[ImagePath, Field(examples=["/data"])]
    """Where it is mounted."""
    owner: UserName | None = None
    """Whose the folder is when it is empty; default `container.user`."""
    source: (
        Annotated[
            str,
            matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]*|\.{0,2}/[^:\x00-\x1f]*",
                "volume, nor a folder of the host, which begins with / or ./",
            ),
        ]
        | None
    ) = None
    """A folder of the host, or the name of a volume; default IMAGE-NAME."""
    read_only: bool = False
    """Mounted so that the container can't write."""
