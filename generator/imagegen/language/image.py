"""What the image is: its name, base, labels, constants, variants and tags."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import (
    Filled,
    ImageName,
    Key,
    Line,
    Many,
    OwnFile,
    Reference,
    Repository,
    matching,
)
from imagegen.language.table import Table


class Base(Table):
    """What the image is built on. A bare string stands for `image`."""

    bare: ClassVar[str | None] = "image"
    choices: ClassVar[tuple[str, ...]] = ("image", "blueprint")

    image: Annotated[Reference | None, Field(examples=["debian:bookworm-slim"])] = None
    """A reference with a tag or digest, as in "debian:bookworm-slim"."""
    blueprint: OwnFile | None = None
    """A blueprint of yours, whose image is built first."""
    family: Annotated[str, matching("debian", 'family; "debian" is served')] | None = None
    """How packages are installed and which init is used; known from the name of common images."""
    variant: dict[Key, Filled] = {}
    """Which variant of the blueprint below; its other axes come along."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.image is None and self.blueprint is None:
            raise ValueError("needs `image` or `blueprint`")
        if self.image is not None and self.variant:
            raise ValueError("`variant` goes with `blueprint`")
        if self.blueprint is not None and self.family is not None:
            raise ValueError("`family` goes with `image`; a blueprint knows its own")
        return self


class Image(Table):
    """[image]: what is built."""

    name: Annotated[ImageName, Field(examples=["web"])]
    """The image's name, without registry and tag."""
    base: Annotated[Base, Field(examples=["debian:bookworm-slim"])]
    """What it is built on."""
    version: Filled | None = None
    """What is inside, as in "{{ looker }}"."""
    registries: Many[Repository] = ()
    """Where it goes, as in ["ghcr.io/acme"]; without any it stays local."""
    title: Line | None = None
    """For people: the name of what is inside."""
    description: Line | None = None
    """One line about it."""
    authors: Line | None = None
    """Who answers for the image."""
    vendor: Line | None = None
    """The organisation behind it."""
    licenses: Line | None = None
    """SPDX expression, as in "MIT"."""
    url: Line | None = None
    """Where to read more."""
    source: Line | None = None
    """Where the blueprint is kept."""
    documentation: Line | None = None
    """Where it is explained."""
    labels: dict[Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "label name")], Line] = {}
    """Any other labels."""


Args = dict[Key, Line]


class Matrix(Table):
    """[matrix]: what the variants differ in."""

    axes: dict[
        Key, Annotated[Many[Annotated[Filled, Field(max_length=100)]], Field(min_length=1)]
    ] = {}
    """Each axis is a list of strings; axes multiply."""
    suffix: Line = ""
    """Appended to every tag, as in "-java{{ java }}"."""
    default: dict[Key, Filled] = {}
    """This variant is tagged without the suffix too."""


Tag = Annotated[str, Field(min_length=1)]


class Tags(Table):
    """[tags]: which tags an event of git gives."""

    release: Many[Tag] | None = None
    """For a version tag; default the version, X.Y and latest."""
    branch: dict[Filled, Many[Tag]] | None = None
    """Branch globs and their tags; default the name of the branch."""
