"""What is installed, by package manager."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Many, Package
from imagegen.language.table import Table


class Apt(Table):
    """[packages.apt]: Debian packages. A bare list stands for `install`."""

    goes_to: ClassVar[str] = "Dockerfile: apt-get install"
    bare: ClassVar[str | None] = "install"

    install: Annotated[Many[Package], Field(examples=[["curl", "postgresql-15=15.*"]])] = ()
    """What is installed: "curl", "curl=8.5.*"."""
    recommends: bool = False
    """With the packages that these recommend."""


class Packages(Table):
    """[packages]: by package manager."""

    goes_to: ClassVar[str] = "Dockerfile"

    apt: Apt = Apt()
    """Debian packages."""
