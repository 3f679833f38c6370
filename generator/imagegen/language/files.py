"""What is laid into the image after the steps."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Filled, OwnFile, Text
from imagegen.language.shapes import Place


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
