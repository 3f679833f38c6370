"""What the CI job does beside building and pushing."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Filled, Many, Schedule, matching
from imagegen.language.shapes import Command
from imagegen.language.table import Table, Wrong

Secret = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        'name of a CI secret; give its name, not its value, as in "REGISTRY_PASSWORD"',
    ),
]
Host = Annotated[
    str,
    matching(
        r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?",
        'registry; write host[:port] without a path, as in "ghcr.io"',
    ),
]


class Login(Table):
    """[ci.login."REGISTRY"]: the names of CI secrets to log in with."""

    goes_to: ClassVar[str] = "CI job"

    user: Annotated[Secret, Field(examples=["REGISTRY_USER"])]
    """The secret that holds the user's name."""
    password: Annotated[Secret, Field(examples=["REGISTRY_PASSWORD"])]
    """The secret that holds the password, or better a token."""


class Ci(Table):
    """[ci]: what the job of `imagegen ci` does beside building and pushing."""

    goes_to: ClassVar[str] = "CI job"

    test: Annotated[Command | None, Field(examples=["make check"])] = None
    """Runs before the build, in the folder of the blueprint, on the machine of the job."""
    login: Annotated[
        dict[Host, Login],
        Field(examples=[{"quay.io": {"user": "QUAY_USER", "password": "QUAY_TOKEN"}}]),
    ] = {}
    """Registries to log in to before the build; others that are pushed to have secrets of usual
    names."""
    paths_ignore: Annotated[Many[Filled], Field(examples=[["docs/**", "**.md"]])] = ()
    """Globs from the top of the repository, as the CI system has them: changes to these files
    alone build nothing."""
    schedule: Annotated[Schedule | None, Field(examples=["@weekly"])] = None
    """When it is built by the clock too, so that the base's updates arrive."""

    @model_validator(mode="after")
    def _runs_on_no_image(self) -> Self:
        for key in ("user", "workdir"):
            if self.test and getattr(self.test, key) is not None:
                raise Wrong("is for commands in the image; this one runs before it", "test", key)
        return self
