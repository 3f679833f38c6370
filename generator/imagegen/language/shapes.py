"""The shapes that recur: one for every command, every check, every place, wherever it stands."""

from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from imagegen.errors import quoted
from imagegen.language.expressions import Expression, fits
from imagegen.language.published import LOOPBACK
from imagegen.language.scalars import (
    ImagePath,
    Kind,
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
from imagegen.language.table import GoesTo, Table, Wrong


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

Run = Annotated[
    Annotated[str, Kind("shell text", r"\S")]
    | Annotated[Many[Annotated[str, Kind("word")]], Field(min_length=1)],
    BeforeValidator(_words),
]


class Command(Table):
    """Something that runs. A bare string or list stands for `run`."""

    goes_to: ClassVar[str] = "wherever the table that holds it goes"
    bare: ClassVar[str | None] = "run"
    choices: ClassVar[tuple[str, ...]] = ("run", "file")

    run: Annotated[Run | None, Field(examples=["make install"])] = None
    """Text for `sh -eu`, or a list: a program and its arguments, without a shell."""
    file: Annotated[OwnFile | None, Field(examples=["scripts/start"])] = None
    """A script of yours, relative to the blueprint."""
    user: UserName | None = None
    """Who runs it; default: root in steps, else `container.user`."""
    workdir: Annotated[ImagePath | None, Field(examples=["/opt/app"])] = None
    """Where it runs; default: / in steps, else `container.workdir`."""
    env: Annotated[dict[VariableName, Line], Field(examples=[{"LANG": "C.UTF-8"}])] = {}
    """Variables for this command alone; in steps ${NAME} means a variable of the build."""
    timeout: Annotated[Positive | None, Field(examples=["5m"])] = None
    """How long it may take; default: 60s for start and stop, 5m for hooks, 5s for probes and for
    notify and stats, else no limit."""

    @model_validator(mode="after")
    def _runs_something(self) -> Self:
        if self.needs_source and self.run is None and self.file is None:
            raise ValueError("needs `run` or `file`")
        return self

    needs_source: ClassVar[bool] = True


class Probe(Command):
    """A check: exactly one of http, tcp, run and file. A bare string or list stands for `run`."""

    goes_to: ClassVar[str] = "wherever the table that holds it goes"
    choices: ClassVar[tuple[str, ...]] = ("http", "tcp", "run", "file")
    needs_source: ClassVar[bool] = False

    http: Annotated[
        Annotated[str, matching(r"https?://[\x21-\x7e]+", "http or https address")] | None,
        Field(examples=["http://localhost:8080/alive"]),
    ] = None
    """An address; well when it answers below status 400."""
    tcp: (
        Annotated[str, matching(rf"[A-Za-z0-9.:_\[\]-]+:{PORT}", 'host:port, as in "localhost:80"')]
        | None
    ) = None
    """host:port; well when it takes a connection."""
    jq: Annotated[
        Annotated[Line, Field(min_length=1)] | None, Field(examples=['.state == "UP"'])
    ] = None
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

    goes_to: ClassVar[str] = "wherever the table that holds it goes"

    owner: UserName = "root"
    """Whose it is: root, or a name of [users]."""
    mode: Mode | None = None
    """Default 0644, and 0755 for folders and executable files."""


def _demanded(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Check what `required` may be: pydantic would report a wrong value once per alternative."""
    if not isinstance(value, bool) and value != FIRSTBOOT:
        raise ValueError(f'must be true, false or "{FIRSTBOOT}"')
    return value


FIRSTBOOT = "firstboot"


class Variable(Table):
    """A variable. A bare string stands for `default`."""

    goes_to: ClassVar[str] = "Dockerfile: ENV"
    bare: ClassVar[str | None] = "default"

    default: Annotated[Line | None, Field(examples=["/srv/app"])] = None
    """Its value unless another is given; ${NAME} means another variable of the image."""
    pattern: Annotated[Expression | None, Field(examples=["debug|info|warn"]), GoesTo("rootfs")] = (
        None
    )
    """What the whole value must match; one that is empty counts as not given."""
    required: Annotated[
        Annotated[bool | Literal["firstboot"], BeforeValidator(_demanded)],
        Field(examples=[True, "firstboot"]),
        GoesTo("rootfs"),
    ] = False
    """The start fails without it; "firstboot": only until the first boot is done."""
    secret: Annotated[bool, GoesTo("rootfs")] = False
    """Given as NAME, or in the file that NAME_FILE names; it reaches only what names it: a
    command by its `env`. No value of it is in the image."""
    description: Annotated[Text | None, Field(examples=["Where the data lies"])] = None
    """What it is for."""
    to: Annotated[ImagePath | None, Field(examples=["/etc/app/token"]), GoesTo("rootfs")] = None
    """The file that the value is laid down as, at each start."""
    owner: Annotated[UserName | None, GoesTo("rootfs")] = None
    """Whose that file is; default `container.user`."""
    mode: Annotated[Mode | None, GoesTo("rootfs")] = None
    """Its mode; default 0600."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.secret and self.default:
            raise Wrong("a secret has no default, which would lie in the image", "default")
        for key in ("owner", "mode"):
            if getattr(self, key) is not None and self.to is None:
                raise Wrong("goes with `to`, the file that the value is laid down as", key)
        is_known = self.default and "${" not in self.default
        if self.pattern and is_known and not fits(self.pattern, self.default or ""):
            raise Wrong(f"does not match the pattern {quoted(self.pattern)}", "default")
        return self


def takes_numbers(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Take a number where a text with numbers may stand."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def address(value: str) -> str:
    address = value.rpartition(":")[0].strip("[]")
    try:
        ip_address(address or LOOPBACK)
    except ValueError:
        raise ValueError(f"{quoted(address)} is no IP address") from None
    return value


Published = Annotated[
    str,
    BeforeValidator(takes_numbers),
    matching(
        rf"(?:(?:[0-9.]+|\[[0-9a-fA-F:.]+\]):)?{PORT}",
        'port of the host; write 9999 or "ADDRESS:9999", as in "0.0.0.0:9999" or "[::1]:9999"',
    ),
    AfterValidator(address),
]


def _ordered(value: str) -> str:
    soft, _, hard = value.partition(":")
    if hard and int(soft) > int(hard):
        raise ValueError(f"{quoted(value)}: the soft limit is above the hard one")
    return value


Limit = Annotated[
    str,
    BeforeValidator(takes_numbers),
    matching(r"-1|[0-9]{1,15}(?::[0-9]{1,15})?", 'limit; write 4096 or "SOFT:HARD"'),
    AfterValidator(_ordered),
]


class Port(Table):
    """A port that the container listens on. A bare number stands for `port`."""

    goes_to: ClassVar[str] = "Dockerfile: EXPOSE"
    bare: ClassVar[str | None] = "port"

    port: Annotated[int, Field(ge=1, le=65535, examples=[8080])]
    """The number in the container."""
    publish: Annotated[Published | None, Field(examples=[9999]), GoesTo("run recipe")] = None
    """On the host: a port, or address:port; without an address it is this machine alone."""
    protocol: Annotated[str, matching("tcp|udp|sctp", "protocol; use tcp, udp or sctp")] = "tcp"
    """tcp, udp or sctp."""
    description: Annotated[Text | None, Field(examples=["The web page"])] = None
    """What it is for."""


class Volume(Table):
    """A folder whose content outlives the container. A bare string stands for `path`."""

    goes_to: ClassVar[str] = "Dockerfile: VOLUME"
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
            Kind("folder of the host, or volume", example="./site"),
            GoesTo("run recipe"),
        ]
        | None
    ) = None
    """A folder of the host, or the name of a volume; default IMAGE-NAME."""
    read_only: Annotated[bool, GoesTo("run recipe")] = False
    """Mounted so that the container can't write."""
    exclusive: bool = False
    """For one container at a time: two would spoil what lies in it."""
