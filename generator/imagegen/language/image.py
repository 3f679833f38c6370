"""What the image is: its name, base and labels."""

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
from imagegen.language.table import GoesTo, Table

Platform = Annotated[
    str,
    matching(
        r"[a-z0-9]+/[a-z0-9_]+(?:/v[0-9]+)?",
        'platform; write os/architecture, as in "linux/amd64"',
    ),
]


class Base(Table):
    """What the image is built on. A bare string stands for `image`."""

    goes_to: ClassVar[str] = "Dockerfile: FROM"
    bare: ClassVar[str | None] = "image"
    choices: ClassVar[tuple[str, ...]] = ("image", "blueprint")

    image: Annotated[Reference | None, Field(examples=["debian:bookworm-slim"])] = None
    """A reference with a tag or digest, as in "debian:bookworm-slim"."""
    blueprint: Annotated[OwnFile | None, Field(examples=["../base/blueprint.toml"])] = None
    """A blueprint of yours, whose image is built first."""
    family: (
        Annotated[str, matching("debian|phusion|redhat", "family; use debian or phusion")] | None
    ) = None
    """How packages are installed and what is at hand: debian, phusion, or redhat, which is not
    served yet. Default: what the image's name tells, or else the image itself, if an engine here
    has it."""
    variant: Annotated[dict[Key, Filled], Field(examples=[{"python": "3.12"}])] = {}
    """Which variant of that blueprint; its other axes come along."""

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

    goes_to: ClassVar[str] = "Dockerfile: LABEL"

    name: Annotated[ImageName, Field(examples=["web"]), GoesTo("tags")]
    """The image's name, without registry and tag."""
    base: Annotated[Base, Field(examples=["debian:bookworm-slim"]), GoesTo("Dockerfile: FROM")]
    """What it is built on."""
    version: Annotated[Filled | None, Field(examples=["{{ app }}"])] = None
    """What is inside, as in "{{ looker }}"."""
    versioning: Annotated[
        str, matching("semver|pep440", "way to read versions; use semver or pep440"), GoesTo("tags")
    ] = "semver"
    """How git tags are read as versions: semver (v1.2.3-rc.1) or pep440 (1.2.3rc1, 1.2.post1)."""
    registries: Annotated[Many[Repository], Field(examples=[["ghcr.io/acme"]]), GoesTo("tags")] = ()
    """Where it goes, as in ["ghcr.io/acme"]; without any it stays local."""
    platforms: Annotated[
        Many[Platform], Field(examples=[["linux/amd64", "linux/arm64"]]), GoesTo("build")
    ] = ()
    """What machines it is for; default: such as the one that builds it. The engine here holds one,
    so of several `imagegen build` makes its own."""
    title: Annotated[Line | None, Field(examples=["Hello"])] = None
    """For people: the name of what is inside."""
    description: Annotated[Line | None, Field(examples=["A daemon under supervision"])] = None
    """One line about it."""
    authors: Annotated[Line | None, Field(examples=["The team <team@example.org>"])] = None
    """Who answers for the image."""
    vendor: Annotated[Line | None, Field(examples=["Acme"])] = None
    """The organisation behind it."""
    licenses: Annotated[Line | None, Field(examples=["MIT"])] = None
    """SPDX expression, as in "MIT"."""
    url: Annotated[Line | None, Field(examples=["https://example.org/hello"])] = None
    """Where to read more."""
    source: Annotated[Line | None, Field(examples=["https://example.org/hello.git"])] = None
    """Where the blueprint is kept."""
    documentation: Annotated[Line | None, Field(examples=["https://example.org/hello/docs"])] = None
    """Where it is explained."""
    labels: Annotated[
        dict[Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "label name")], Line],
        Field(examples=[{"org.example.stage": "live"}]),
    ] = {}
    """Any other labels."""
