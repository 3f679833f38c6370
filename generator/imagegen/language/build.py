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

    goes_to: ClassVar[str] = "Dockerfile: useradd"

    uid: Annotated[Id, Field(examples=[1000])]
    """Number of the user; fixed, so that volumes fit every image."""
    gid: Annotated[Id | None, Field(examples=[1000])] = None
    """Number of the user's own group; default `uid`."""
    groups: Annotated[Many[UserName], Field(examples=[["adm", "tty"]])] = ()
    """Further groups, which exist in the base or are made as needed."""
    home: Annotated[ImagePath | None, Field(examples=["/srv/app"])] = None
    """Default /home/NAME."""
    shell: Annotated[ImagePath, Field(examples=["/bin/bash"])] = "/usr/sbin/nologin"
    """Login shell."""


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


class Step(Command, Place):
    """[[steps]]: what is done to build the image, in order, as root."""

    goes_to: ClassVar[str] = "Dockerfile: COPY, RUN"
    needs_source: ClassVar[bool] = False

    name: Annotated[Key | None, Field(examples=["app"])] = None
    """So that another layer can change the step."""
    copy_: Annotated[Many[OwnFile], Field(examples=[["app", "conf/app.conf"]])] = ()
    """Own files and folders; of a folder its content, as Docker's COPY has it."""
    exclude: Annotated[Many[Filled], Field(examples=[["**/*.pyc"]])] = ()
    """Globs of what `copy` leaves out."""
    to: Annotated[ImagePath | None, Field(examples=["/opt/app"])] = None
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

    goes_to: ClassVar[str] = "Dockerfile: COPY"
    choices: ClassVar[tuple[str, ...]] = ("text", "file", "link")

    text: Annotated[Text | None, Field(examples=["ready\n"])] = None
    """Its content."""
    file: Annotated[OwnFile | None, Field(examples=["conf/app.conf"])] = None
    """A file or folder of yours."""
    link: Annotated[Filled | None, Field(examples=["/opt/app/bin/app"])] = None
    """Target of a symbolic link."""
