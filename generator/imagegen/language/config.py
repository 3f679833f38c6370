"""The app's JSON configuration."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from imagegen.language.scalars import OwnFile, VariableName
from imagegen.language.table import Table


class Config(Table):
    """[config]: a JSON object, merged at start with what a variable holds."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/config"
    choices: ClassVar[tuple[str, ...]] = ("defaults", "file")

    defaults: Annotated[
        dict[str, Any] | None,
        Field(examples=[{"greeting": "Hello", "web": {"port": 8080}}]),
    ] = None
    """The defaults; at start the object in the variable is merged into them, deeply."""
    file: Annotated[OwnFile | None, Field(examples=["conf/defaults.json"])] = None
    """A JSON file of yours with the defaults."""
    env: VariableName = "CFG"
    """The variable whose JSON is merged into the defaults; or NAME_FILE, the file that has it."""
    schema_: Annotated[OwnFile | None, Field(examples=["conf/schema.json"])] = None
    """A JSON Schema of yours, which the defaults must satisfy."""
