"""What goes into the image when it is built: users, packages, steps, files."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import (
    Filled,
    ImagePath,
    Key,
    Many,
    OwnFile,
    Package,
    Text,
    UserName,
)
from imagegen.language.shapes import Command, Place
from imagegen.language.table import Table, Wrong

Id = Annotated[int, Field(ge=0, le=2**32 - 2)]


class User(Table):
    """[users.NAME]: made before the packages, so that ids are the same in every build."""

    uid: Annotated[Id, Field(examples=[1000])]
    """Number of the user; fixed, so that volumes fit every image."""
    gid: Id | None = None
    """Number of the user's own group; default `uid`."""
    groups: Many[UserName] = ()
    """Further groups, which exist in the base or are made as needed."""
    home: ImagePath | None = None
    """Default /home/NAME."""
    shell: ImagePath = "/usr/sbin/nologin"
    """Login shell."""


class Apt(Table):
    """[packages.apt]: Debian packages. A bare list stands for `install`."""

    bare: ClassVar[str | None] = "install"

    install: Many[Package] = ()
    """What is installed: "curl", "curl=8.5.*"."""
    recommends: bool = False
    """With the packages that these recommend."""


class Packages(Table):
    """[packages]: by package manager."""

    apt: Apt = Apt()
    """Debian packages."""


class Step(Command, Place):
    """[[steps]]: what is done to build the image, in order, as root."""

    needs_source: ClassVar[bool] = False

    name: Key | None = None
    """So that another layer can change the step."""
    copy_: Many[OwnFile] = ()
    """Own files and folders; of a folder its content, as Docker's COPY has it."""
    exclude: Many[Filled] = ()
    """Globs of what `copy` leaves out."""
    to: ImagePath | None = None
    """Where the source stays; without it, it is only there while `run` runs, as its folder."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        runs = self.run is not None or self.file is not None
        if not self.copy_ and not runs:
            raise ValueError("a step needs `copy`, `run` or `file`")
        if self.copy_ and self.to is None and not runs:
            raise Wrong("needs `to`, or a `run` that uses the files", "copy")
        if self.to is not None and not self.copy_:
            raise Wrong("needs something to put there: `copy`", "to")
        if self.exclude and not self.copy_:
            raise Wrong("needs `copy`, which it takes from", "exclude")
        return self


class Content(Place):
    """[files."/PATH"]: a file, a folder (the path ends in "/") or a link."""

    choices: ClassVar[tuple[str, ...]] = ("text", "file", "link")

    text: Text | None = None
    """Its content."""
    file: OwnFile | None = None
    """A file or folder of yours."""
    link: Filled | None = None
    """Target of a symbolic link."""
