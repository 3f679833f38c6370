"""The whole blueprint: all its tables."""

from typing import Annotated, Any, Literal

from pydantic import Field

from imagegen.language.build import Content, Packages, Step, User
from imagegen.language.image import Args, Image, Matrix, Tags
from imagegen.language.scalars import ImagePath, Key, Many, UserName, VariableName
from imagegen.language.shapes import Port, Variable, Volume
from imagegen.language.start import Config, Container, Job, Log, Service
from imagegen.language.table import Table


class Blueprint(Table):
    """A blueprint in one of its variants, everything filled in."""

    blueprint: Annotated[Literal[1], Field(examples=[1])]
    """Version of the language."""
    image: Image
    """What is built."""
    args: Args = {}
    """Constants for {{ NAME }}; never in the environment."""
    matrix: Matrix = Matrix()
    """What the variants differ in."""
    override: Many[dict[str, Any]] = ()
    """What is different in some variants: `when`, and beside it any other key."""
    users: dict[UserName, User] = {}
    """Users of the image, with fixed ids."""
    packages: Packages = Packages()
    """What is installed."""
    steps: Many[Step] = ()
    """What is done to build the image, in order."""
    files: dict[ImagePath, Content] = {}
    """What is laid into the image after the steps."""
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
    jobs: dict[Key, Job] = {}
    """What runs by the clock."""
    logs: dict[ImagePath, Log] = {}
    """What becomes of old log files."""
    tags: Tags = Tags()
    """Which tags an event of git gives."""
