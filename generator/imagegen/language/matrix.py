"""What the variants differ in."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from imagegen.language.scalars import Filled, Key, Kind, Line, Many
from imagegen.language.table import GoesTo, Table, Wrong


def _globs(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Check globs: pydantic would report a wrong value once per alternative."""
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("must not be empty")
        if wrong := [n for n, glob in enumerate(value) if not isinstance(glob, str)]:
            raise Wrong("must be a string, in quotes", wrong[0])
    elif not isinstance(value, str):
        raise ValueError("must be a glob or a list of globs, as strings")  # noqa: TRY004
    return value


Globs = Annotated[
    Annotated[str, Kind("glob", example="3.*")]
    | Annotated[Many[Annotated[str, Kind("glob")]], Field(min_length=1)],
    BeforeValidator(_globs),
]


class Matrix(Table):
    """[matrix]: what the variants differ in."""

    goes_to: ClassVar[str] = "variants"

    axes: Annotated[
        dict[Key, Annotated[Many[Annotated[Filled, Field(max_length=100)]], Field(min_length=1)]],
        Field(examples=[{"python": ["3.11", "3.12"]}]),
    ] = {}
    """Each axis is a list of strings; axes multiply."""
    exclude: Annotated[
        Many[Annotated[dict[Key, Globs], Field(min_length=1)]],
        Field(examples=[[{"python": "3.11", "os": ["trixie*", "sid"]}]]),
    ] = ()
    """Combinations that are left out: of each axis named, a glob or a list of globs."""
    include: Annotated[
        Many[Annotated[dict[Key, Annotated[Filled, Field(max_length=100)]], Field(min_length=1)]],
        Field(examples=[[{"python": "3.13", "os": "trixie"}]]),
    ] = ()
    """Whole combinations that are added, after `exclude`; their values need not be listed."""
    suffix: Annotated[Line, Field(examples=["-py{{ python }}"]), GoesTo("tags")] = ""
    """Appended to every tag, as in "-java{{ java }}"."""
    default: Annotated[dict[Key, Filled], Field(examples=[{"python": "3.12"}]), GoesTo("tags")] = {}
    """This variant is tagged without the suffix too."""
