"""Secrets of the machine that builds."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import HostFile, VariableName
from imagegen.language.table import Table


class Secret(Table):
    """[secrets.NAME]: a value of the machine that builds, lent to the steps that name it.

    One of `file` and `env`.
    """

    goes_to: ClassVar[str] = "docker buildx build --secret"
    choices: ClassVar[tuple[str, ...]] = ("file", "env")

    file: Annotated[HostFile | None, Field(examples=["~/.netrc"])] = None
    """A file of the machine that builds: relative to the blueprint, absolute, or below ~/."""
    env: Annotated[VariableName | None, Field(examples=["GITHUB_TOKEN"])] = None
    """A variable of whoever builds."""

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.file is None and self.env is None:
            raise ValueError("needs `file` or `env`: where its value is when the image is built")
        return self
