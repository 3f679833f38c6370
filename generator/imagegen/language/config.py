"""The app's JSON configuration."""

from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from imagegen.language.table import Table, Wrong


def _json(value: Any, *path: str | int) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Refuse what JSON can't carry, and integers that jq would round."""
    if isinstance(value, list):
        return [_json(item, *path, number) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _json(item, *path, key) for key, item in value.items()}
    if isinstance(value, int) and abs(value) > _EXACT:
        raise Wrong("JSON tools round integers above 2^53; write a string", *path)
    if isinstance(value, float) and not isfinite(value):
        raise Wrong("JSON has no nan and no inf", *path)
    if not isinstance(value, bool | str | int | float):
        raise Wrong("JSON has no dates and times; write a string", *path)
    return value


_EXACT = 2**53


class Config(Table):
    """[config]: a JSON object, merged at start with the variable CFG."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/config"

    defaults: Annotated[
        Annotated[dict[str, Any], BeforeValidator(_json)] | None,
        Field(examples=[{"greeting": "Hello", "web": {"port": 8080}}]),
    ] = None
    """The defaults; at start the object in the variable is merged into them, deeply."""
