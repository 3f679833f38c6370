"""What is done to build the image, in order."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from imagegen.language.fetch import Address, Fetch
from imagegen.language.scalars import (
    CacheFolder,
    Filled,
    ImagePath,
    Key,
    Kind,
    Many,
    OwnFile,
    Package,
    Text,
    matching,
)
from imagegen.language.shapes import Command, Place
from imagegen.language.table import GoesTo, Wrong

Ref = Annotated[
    str,
    matching(
        r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|[./]$))[A-Za-z0-9][A-Za-z0-9._/+-]*",
        'tag or commit; write a tag or all 40 digits of a commit, as in "v1.2"',
    ),
]


def _raw(value: str) -> str:
    """Refuse what would not end where it should, or begin another image."""
    lines = [line.strip() for line in value.split("\n")]
    if not any(lines):
        raise ValueError("must not be empty")
    # Docker goes on with the next line that is neither empty nor a comment, even within a word.
    said = "\n".join(line for line in lines if line and not line.startswith("#"))
    if re.search(r"^[ \t]*FROM\b", re.sub(r"(?<!\\)\\\n", "", said), re.IGNORECASE | re.MULTILINE):
        raise ValueError("must not contain FROM: what stands before it would be lost")
    if said.endswith("\\"):
        raise ValueError("must not end in a backslash, which would go on with our next line")
    return value


class Step(Command, Fetch, Place):
    """[[steps]]: what is done to build the image, in order, as root.

    A source is fetched, cloned or copied; with `to` it stays in the image, without it is lent to
    the command, as the folder in which that runs, and gone after it.
    """

    goes_to: ClassVar[str] = "Dockerfile: COPY, RUN"
    needs_source: ClassVar[bool] = False
    other_choices: ClassVar[tuple[tuple[str, ...], ...]] = (("fetch", "git", "copy"),)

    name: Annotated[Key | None, Field(examples=["app"])] = None
    """So that another layer can change the step."""
    git: Annotated[Address | None, Field(examples=["https://example.org/app.git"])] = None
    """A repository, whose files are taken without their history, submodules included."""
    ref: Annotated[Ref | None, Field(examples=["v1.2"])] = None
    """Which state of the repository: a tag, or a commit in full. The build refuses without."""
    copy_: Annotated[Many[OwnFile], Field(examples=[["app", "conf/app.conf"]])] = ()
    """Own files and folders; of a folder its content, as Docker's COPY has it."""
    exclude: Annotated[Many[Filled], Field(examples=[["**/*.pyc"]])] = ()
    """Globs of what `copy` leaves out."""
    to: Annotated[ImagePath | None, Field(examples=["/opt/app"])] = None
    """Where the source stays; without it, it is only there while `run` runs, as its folder."""
    build_packages: Annotated[Many[Package], Field(examples=[["gcc", "libc6-dev"]])] = ()
    """OS packages that are there while `run` runs, and leave nothing in the image."""
    secrets: Annotated[Many[Key], Field(examples=[["pypi-token"]])] = ()
    """Names of [secrets], each there as the file /run/secrets/NAME while `run` runs."""
    cache: Annotated[Many[CacheFolder], Field(examples=[["/root/.cache/pip"]])] = ()
    """Folders that the builder keeps for the next build of this image, and no part of it."""
    dockerfile: Annotated[
        Annotated[Text, AfterValidator(_raw), Kind("lines of a Dockerfile")] | None,
        Field(examples=['SHELL ["/bin/bash", "-c"]']),
        GoesTo("Dockerfile"),
    ] = None
    """Lines for the Dockerfile as they are, instead of all else: the last resort."""

    @property
    def runs(self) -> bool:
        return self.run is not None or self.file is not None

    @property
    def source(self) -> str | None:
        """Name the key that says where the files of the step come from."""
        return next((key for key in ("fetch", "git") if getattr(self, key)), None) or (
            "copy" if self.copy_ else None
        )

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        source = self.source
        if self.dockerfile is not None:
            others = [key for key in self.given if key not in ("dockerfile", "name")]
            if others:
                raise Wrong(f"stands alone; take `{others[0]}` out", "dockerfile")
            return self
        if source is None and not self.runs:
            raise ValueError("a step needs `fetch`, `git`, `copy`, `run` or `file`")
        if source and self.to is None and not self.runs:
            raise Wrong("needs `to`, or a `run` that uses the files", source)
        if self.to is not None and not source:
            raise Wrong("needs something to put there: `fetch`, `git` or `copy`", "to")
        for key, message in self._useless():
            raise Wrong(message, key)
        return self

    def _useless(self) -> Iterator[tuple[str, str]]:
        """Find keys that say something of what the step has not."""
        needs = {
            "`copy`, which it takes from": (self.copy_, ("exclude",)),
            "`git`": (self.git, ("ref",)),
            "`fetch`": (self.fetch, ("checksum", "headers", "unpack")),
            "`fetch` or `git`": (self.fetch or self.git, ("netrc",)),
            "`unpack`": (self.unpack, ("strip",)),
            "`to`": (self.to, ("owner", "mode")),
            "`run` or `file`": (self.runs, _OF_COMMANDS),
        }
        for what, (is_there, keys) in needs.items():
            if not is_there:
                for key in keys:
                    if key in self.given:
                        yield key, f"needs {what}{_OF_ALL if key == 'env' else ''}"
        if self.checksum and self.checksum.startswith("md5:"):
            yield "checksum", 'must be "sha256:…" here; "md5:…" is for [downloads]'
        is_named = self.unpack or (self.to and not self.to.endswith("/"))
        if self.fetch and not is_named and not file_of(self.fetch):
            yield "fetch", "names no file: end `to` with a name, or the address"


_OF_ALL = "; what is for the whole container has a header of its own, [env]"
_OF_COMMANDS = (*("user", "workdir", "env", "timeout", "build-packages", "secrets", "cache"),)


def file_of(address: str) -> str:
    """Name a downloaded file as the last part of its address does; empty if that has none."""
    name = urlsplit(address).path.rpartition("/")[2]
    return "" if name in (".", "..") else name
