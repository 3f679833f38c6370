"""What is done to build the image, in order."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Filled, ImagePath, Key, Many, OwnFile
from imagegen.language.shapes import Command, Place
from imagegen.language.table import Wrong


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
