"""The app's JSON configuration."""

from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from imagegen.language.scalars import OwnFile, VariableName
from imagegen.language.table import Table, Wrong


def as_json(value: Any, *path: str | int) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Refuse what JSON can't carry, and integers that jq would round."""
    if isinstance(value, list):
        return [as_json(item, *path, number) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: as_json(item, *path, key) for key, item in value.items()}
    if isinstance(value, int) and abs(value) > _EXACT:
        raise Wrong("JSON tools round integers above 2^53; write a string", *path)
    if isinstance(value, float) and not isfinite(value):
        raise Wrong("JSON has no nan and no inf", *path)
    if value is not None and not isinstance(value, bool | str | int | float):
        raise Wrong("JSON has no dates and times; write a string", *path)
    return value


_EXACT = 2**53


class Config(Table):
    """[config]: a JSON object, merged at start with what a variable holds."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/config"
    choices: ClassVar[tuple[str, ...]] = ("defaults", "file")

    defaults: Annotated[
        Annotated[dict[str, Any], BeforeValidator(as_json)] | None,
        Field(examples=[{"greeting": "Hello", "web": {"port": 8080}}]),
    ] = None
    """The defaults; at start the object in the variable is merged into them, deeply."""
    file: Annotated[OwnFile | None, Field(examples=["conf/defaults.json"])] = None
    """A JSON file of yours with the defaults."""
    env: VariableName = "CFG"
    """The variable whose JSON is merged into the defaults; or NAME_FILE, the file that has it."""
    schema_: Annotated[OwnFile | None, Field(examples=["conf/schema.json"])] = None
    """A JSON Schema of yours, which the defaults must satisfy."""
