"""Several containers that work together: this image, other ones, and what joins them."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from imagegen.language.container import Container
from imagegen.language.references import VARIABLE
from imagegen.language.scalars import (
    Filled,
    ImagePath,
    Key,
    Kind,
    Many,
    OwnFile,
    Text,
    UserName,
    VariableName,
    matching,
)
from imagegen.language.shapes import (
    PORT,
    Command,
    Probe,
    Variable,
    address,
    takes_numbers,
)
from imagegen.language.table import GoesTo, Table, Wrong

SETTING = rf"\$\{{{VARIABLE}\}}"
_PIECE = rf"(?:[A-Za-z0-9._-]|{SETTING})"


def _address(value: str) -> str:
    return value if "${" in value.rpartition(":")[0] else address(value)


StackPublished = Annotated[
    str,
    BeforeValidator(takes_numbers),
    matching(
        rf"(?:(?:[0-9.]+|\[[0-9a-fA-F:.]+\]|{SETTING}):)?(?:{PORT}|{SETTING})",
        'port of the host; write 9999, "ADDRESS:9999" or "${SETTING}", as in "0.0.0.0:9999"',
    ),
    AfterValidator(_address),
]
Source = Annotated[
    str,
    matching(
        rf"[A-Za-z0-9][A-Za-z0-9_.-]*|(?:\.{{0,2}}/|{SETTING})[^:\x00-\x1f]*",
        "volume of the stack, nor a folder of the host, which begins with /, ./ or ${SETTING}",
    ),
    Kind("folder of the host, or volume", example="db-data"),
]
StackReference = Annotated[
    str,
    matching(
        rf"[A-Za-z0-9](?:[/:]|{_PIECE})*(?:@sha256:[0-9a-f]{{64}})?",
        'image reference; write name:tag or name@sha256:…, as in "mysql:8.4"',
    ),
]
Host = Annotated[
    str,
    matching(
        rf"(?:[A-Za-z0-9-]|{SETTING})+(?:\.(?:[A-Za-z0-9-]|{SETTING})+)*",
        'host name; use letters, digits and -, as in "db"',
    ),
]
Project = Annotated[
    str,
    matching(r"(?:[a-z0-9][a-z0-9_-]*)?", "compose project; use small letters, digits, - and _"),
    Kind("name of a project", example="agents"),
]
FirstRun = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9_-]*",
        'job of a service; write SERVICE/JOB, as in "web/upgrade-db"',
    ),
]


class StackPort(Table):
    """A port of a stack's service, laid over the image's own. A bare number stands for `port`."""

    goes_to: ClassVar[str] = "stack"
    bare: ClassVar[str | None] = "port"

    port: Annotated[int | None, Field(ge=1, le=65535, examples=[3306])] = None
    """The number in the container; default: the image's own."""
    publish: Annotated[StackPublished | None, Field(examples=["${WEB_PORT}"])] = None
    """On the host: a port, or address:port; without an address it is this machine alone."""
    protocol: Annotated[
        Annotated[str, matching("tcp|udp|sctp", "protocol; use tcp, udp or sctp")] | None,
        Field(examples=["udp"]),
    ] = None
    """tcp, udp or sctp; default: the image's own, or tcp."""
    description: Annotated[Text | None, Field(examples=["The web page"])] = None
    """What it is for."""


class StackVolume(Table):
    """A mount of a stack's service, laid over the image's own. A bare string stands for `path`."""

    goes_to: ClassVar[str] = "stack"
    bare: ClassVar[str | None] = "path"

    path: Annotated[ImagePath | None, Field(examples=["/data"])] = None
    """Where it is mounted; default: the image's own."""
    owner: UserName | None = None
    """Whose the folder is when it is empty; default: as the image says."""
    source: Annotated[Source | None, Field(examples=["db-data", "${CONFIG_DIR}/app"])] = None
    """A volume of `stack.volumes`, or a folder of the host; default a volume of the service's own,
    SERVICE-NAME."""
    read_only: Annotated[bool | None, Field(examples=[True])] = None
    """Mounted so that the container can't write; default: as the image says."""
    exclusive: Annotated[bool | None, Field(examples=[True])] = None
    """For one container at a time; default: as the image says."""


class Driven(Table):
    """A volume or network of the stack."""

    goes_to: ClassVar[str] = "stack"

    driver: Annotated[Filled | None, Field(examples=["local"])] = None
    """Which driver of the engine makes it; default: the engine's own choice."""
    options: Annotated[dict[Filled, Filled], Field(examples=[{"type": "nfs"}])] = {}
    """What the driver is told."""
    external: bool = False
    """It is there already, and stays when the stack goes."""

    @model_validator(mode="after")
    def _is_made_or_there(self) -> Self:
        for key in ("driver", "options"):
            if self.external and getattr(self, key):
                raise Wrong("does not go with `external`: nothing is made", key)
        return self


class Logging(Table):
    """Where the engine puts what containers say."""

    goes_to: ClassVar[str] = "stack"

    driver: Annotated[Filled | None, Field(examples=["json-file"])] = None
    """Which logging driver; default: the engine's own."""
    options: Annotated[dict[Filled, Filled], Field(examples=[{"max-size": "10m"}])] = {}
    """What the driver is told."""


class StackService(Table):
    """[stack.services.NAME]: a container; of the image of this file, unless another is named.

    Of an image of yours it has that image's variables, ports, volumes and settings of [container],
    with its own laid over them; a name that the image does not have is an error.
    """

    goes_to: ClassVar[str] = "stack"
    choices: ClassVar[tuple[str, ...]] = ("image", "blueprint")

    image: Annotated[StackReference | None, Field(examples=["mysql:8.4"])] = None
    """Somebody else's image: a reference with a tag or digest."""
    blueprint: Annotated[OwnFile | None, Field(examples=["../db/blueprint.toml"])] = None
    """Another blueprint of yours."""
    variant: Annotated[dict[Key, Filled], Field(examples=[{"python": "3.12"}])] = {}
    """Which variant of the image; default: its default variant."""
    services: Annotated[Many[Key] | None, Field(examples=[["worker"]])] = None
    """Which services of the image run here; default: those that are enabled."""
    extends: Annotated[Many[Key], Field(examples=[["worker"]])] = ()
    """Services of this stack that lie below this one, the first one lowest."""
    after: Annotated[Many[Key], Field(examples=[["db"]])] = ()
    """Services of this stack that must be well before this one starts."""
    run: Annotated[Command | None, Field(examples=[["mysqld", "--skip-log-bin"]])] = None
    """Instead of the image's command."""
    env: Annotated[dict[VariableName, Variable], Field(examples=[{"DB_HOST": "db"}])] = {}
    """Variables: their `default` is what the container gets."""
    ports: Annotated[dict[Key, StackPort], Field(examples=[{"web": {"publish": 80}}])] = {}
    """Ports."""
    volumes: Annotated[dict[Key, StackVolume], Field(examples=[{"data": {"source": "db"}}])] = {}
    """Volumes."""
    container: Annotated[Container, Field(examples=[{"memory": "1GiB"}])] = Container()
    """How its containers run."""
    secrets: Annotated[dict[VariableName, Key], Field(examples=[{"DB_PASSWORD": "db"}])] = {}
    """VARIABLE = a name of [secrets]: mounted as a file, and VARIABLE_FILE names it."""
    health: Annotated[Probe | None, Field(examples=["mysqladmin ping"])] = None
    """Whether a container of somebody else's image is well; images of yours know it themselves."""
    project: Project = ""
    """A compose file of its own, in the folder of that name."""
    restart: Annotated[
        str,
        matching(
            "no|always|on-failure|unless-stopped",
            "rule; use no, always, on-failure or unless-stopped",
        ),
    ] = "unless-stopped"
    """When the engine starts it again."""
    replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many containers of it run."""
    hostname: Annotated[Host | None, Field(examples=["db"])] = None
    """What it takes itself to be called; default: the engine's choice."""
    network_mode: Annotated[
        Annotated[str, matching("host|none|bridge", "network mode; use host, none or bridge")]
        | None,
        Field(examples=["host"]),
    ] = None
    """"host": it has the host's own network; default: the stack's networks."""
    networks: Annotated[Many[Key], Field(examples=[["backend"]])] = ()
    """Networks of `stack.networks` that it is in; default: the one of its project."""
    logging: Annotated[Logging | None, Field(examples=[{"driver": "journald"}])] = None
    """Where the engine puts what it says; default: as the stack says."""
    compose: Annotated[dict[str, Any], Field(examples=[{"stdin_open": True}])] = {}
    """Keys of compose as they are, merged last: the last resort."""

    @property
    def is_foreign(self) -> bool:
        return self.image is not None

    @model_validator(mode="after")
    def _fits_its_image(self) -> Self:
        if self.is_foreign:
            for key in ("variant", "services"):
                if getattr(self, key):
                    raise Wrong("is for images of yours", key)
            for name, port in self.ports.items():
                if port.port is None:
                    raise Wrong("`port` is missing", "ports", name)
            for name, volume in self.volumes.items():
                if volume.path is None:
                    raise Wrong("`path` is missing", "volumes", name)
        elif self.health is not None:
            raise Wrong("is for somebody else's image; the services of yours have theirs", "health")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.network_mode and self.networks:
            raise Wrong("does not go with `network-mode`", "networks")
        for key, command in (("run", self.run), ("health", self.health)):
            if command and command.file is not None:
                raise Wrong("your script is not in the image; write `run`", key, "file")
        return self

    @model_validator(mode="after")
    def _replicas_share_nothing(self) -> Self:
        for name, port in self.ports.items():
            if self.replicas > 1 and port.publish is not None:
                raise Wrong("one port of the host can't lead to several containers", "replicas")
            if self.network_mode and port.publish is not None:
                what = f"publishes nothing with the network mode {self.network_mode}"
                raise Wrong(what, "ports", name, "publish")
        return self


class Stack(Table):
    """[stack]: containers that work together, as a compose project."""

    goes_to: ClassVar[str] = "stack"

    name: Annotated[
        Annotated[
            str,
            matching(r"[a-z0-9][a-z0-9_-]*", "compose project; use small letters, digits, - and _"),
        ]
        | None,
        Field(examples=["shop"]),
    ] = None
    """The compose project; default: the name of the image."""
    first_run: Annotated[Many[FirstRun], Field(examples=[["web/upgrade-db"]])] = ()
    """Jobs that set up a new stack, in order: SERVICE/JOB."""
    settings: Annotated[
        dict[VariableName, Variable],
        Field(examples=[{"WEB_PORT": "443"}]),
        GoesTo("stack: .env"),
    ] = {}
    """What whoever runs the stack may set: ${NAME} in the strings of the stack."""
    volumes: Annotated[dict[Key, Driven], Field(examples=[{"db-data": {}}])] = {}
    """Volumes that services share, or that are not the engine's usual ones."""
    networks: Annotated[dict[Key, Driven], Field(examples=[{"backend": {"external": True}}])] = {}
    """Networks beside the project's own."""
    logging: Logging | None = None
    """Where the engine puts what all services say."""
    services: Annotated[
        dict[Key, StackService], Field(examples=[{"db": {"image": "mysql:8.4"}}])
    ] = {}
    """The containers."""

    @model_validator(mode="after")
    def _settings_are_plain(self) -> Self:
        for name, setting in self.settings.items():
            for key in ("to", "owner", "mode", "secret"):
                if getattr(setting, key):
                    raise Wrong("settings lie open in .env; use [secrets]", "settings", name, key)
            if setting.required == "firstboot":
                raise Wrong("must be true or false: a stack knows no first boot", "settings", name)
            if "$" in (setting.default or ""):
                raise Wrong("settings don't name each other", "settings", name, "default")
        return self
