"""The whole blueprint: all its tables."""

from typing import Annotated, Any, Literal

from pydantic import Field

from imagegen.language.ci import Ci
from imagegen.language.config import Config
from imagegen.language.container import Container
from imagegen.language.downloads import Download
from imagegen.language.files import Content
from imagegen.language.image import Image
from imagegen.language.jobs import Job
from imagegen.language.lifecycle import Lifecycle
from imagegen.language.lint import Lint
from imagegen.language.logs import Log
from imagegen.language.matrix import Matrix
from imagegen.language.packages import Packages
from imagegen.language.scalars import (
    ImagePath,
    Key,
    Line,
    Many,
    PartName,
    RemovedKey,
    UserName,
    VariableName,
)
from imagegen.language.secrets import Secret
from imagegen.language.services import Service
from imagegen.language.shapes import Port, Probe, Variable, Volume
from imagegen.language.stack import Stack
from imagegen.language.steps import Step
from imagegen.language.table import GoesTo, Table
from imagegen.language.tags import Tags
from imagegen.language.users import User


class Blueprint(Table):
    """A blueprint in one of its variants, everything filled in."""

    blueprint: Annotated[Literal[1], Field(examples=[1]), GoesTo("nowhere: it is for imagegen")]
    """Version of the language."""
    extends: Annotated[
        Many[PartName],
        Field(examples=[["nginx", "parts/java.toml"]]),
        GoesTo("nowhere: the tables of the parts do"),
    ] = ()
    """Parts merged below this file, the first one lowest: paths, or names of ready-made parts."""
    remove: Annotated[
        Many[RemovedKey],
        Field(examples=[["services.web.health", "steps.app", 'files."/etc/app.conf"']]),
        GoesTo("nowhere: what it names is not there"),
    ] = ()
    """Keys taken out of what lies below, before this file is laid over it."""
    image: Image
    """What is built."""
    args: Annotated[
        dict[Key, Line], Field(examples=[{"python": "3.12"}]), GoesTo("every {{ NAME }}")
    ] = {}
    """Constants for {{ NAME }}; never in the environment."""
    matrix: Matrix = Matrix()
    """What the variants differ in."""
    override: Annotated[
        Many[dict[str, Any]],
        Field(examples=[[{"when": {"lang": "fr"}, "packages": {"apt": ["...", "hunspell-fr"]}}]]),
        GoesTo("the variants that fit"),
    ] = ()
    """What is different in some variants: `when`, and beside it any other key."""
    users: dict[UserName, User] = {}
    """Users of the image, with fixed ids."""
    packages: Packages = Packages()
    """What is installed."""
    steps: Many[Step] = ()
    """What is done to build the image, in order."""
    files: dict[ImagePath, Content] = {}
    """What is laid into the image after the steps."""
    secrets: dict[Key, Secret] = {}
    """What the builder knows and the image does not: for steps."""
    container: Container = Container()
    """How containers of the image run."""
    env: dict[VariableName, Variable] = {}
    """The environment of everything that runs in the container."""
    config: Config = Config()
    """The app's JSON configuration."""
    ports: dict[Key, Port] = {}
    """What the container listens on."""
    volumes: dict[Key, Volume] = {}
    """What outlives the container."""
    services: Annotated[dict[Key, Service], Field(max_length=100)] = {}
    """What is kept running."""
    lifecycle: Lifecycle = Lifecycle()
    """What happens at boot, at the first one, after an upgrade, and around a stop."""
    downloads: dict[Key, Download] = {}
    """What is downloaded before the services start."""
    jobs: dict[Key, Job] = {}
    """Commands with a name: what runs by the clock, or when called."""
    logs: dict[ImagePath, Log] = {}
    """What becomes of old log files."""
    tests: Annotated[
        dict[Key, Probe],
        Field(examples=[{"greets": {"http": "http://localhost:8080/", "jq": ".ok"}}]),
        GoesTo("`imagegen plan`; later `imagegen test`"),
    ] = {}
    """What must be true of a fresh container, beside what follows from health and ports."""
    tags: Tags = Tags()
    """Which tags an event of git gives."""
    ci: Ci = Ci()
    """What the CI job does beside building and pushing."""
    stack: Annotated[
        Stack | None, Field(examples=[{"services": {"db": {"image": "mysql:8.4"}, "web": {}}}])
    ] = None
    """Containers that work together: of this image, and of others."""
    lint: Lint = Lint()
    """What `imagegen lint` looks away from."""

    @property
    def marks(self) -> tuple[str, ...]:
        """List the volumes that may remember the first boot and the version; one should."""
        if self.lifecycle.volume is not None:
            return (self.lifecycle.volume,)
        return tuple(name for name, volume in self.volumes.items() if not volume.read_only)
