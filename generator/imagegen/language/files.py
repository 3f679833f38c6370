"""What is laid into the image after the steps."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Filled, OwnFile, Text, matching
from imagegen.language.shapes import Place
from imagegen.language.table import GoesTo, Wrong

Format = Annotated[
    str,
    matching("json|yaml|xml|ini|sh|text", "format; use json, yaml, xml, ini, sh or text"),
]


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
    render: Annotated[bool, GoesTo("rootfs")] = False
    """${NAME} and ${cfg.a.b} in it are filled in at each start; $${ stands for a plain ${."""
    format: Annotated[Format | None, GoesTo("rootfs")] = None
    """How what is filled in is escaped; default: by the file's extension, else text."""
    once: Annotated[bool, GoesTo("rootfs")] = False
    """Laid at start only where it is missing."""

    @model_validator(mode="after")
    def _renders_something(self) -> Self:
        if self.render and self.text is None and self.file is None:
            raise Wrong("needs `text` or `file`, which it fills in", "render")
        if self.format is not None and not self.render:
            raise Wrong("goes with `render = true`", "format")
        return self
