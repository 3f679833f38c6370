"""What the variants differ in."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Filled, Key, Line, Many
from imagegen.language.table import GoesTo, Table


class Matrix(Table):
    """[matrix]: what the variants differ in."""

    goes_to: ClassVar[str] = "variants"

    axes: Annotated[
        dict[Key, Annotated[Many[Annotated[Filled, Field(max_length=100)]], Field(min_length=1)]],
        Field(examples=[{"python": ["3.11", "3.12"]}]),
    ] = {}
    """Each axis is a list of strings; axes multiply."""
    suffix: Annotated[Line, Field(examples=["-py{{ python }}"]), GoesTo("tags")] = ""
    """Appended to every tag, as in "-java{{ java }}"."""
    default: Annotated[dict[Key, Filled], Field(examples=[{"python": "3.12"}]), GoesTo("tags")] = {}
    """This variant is tagged without the suffix too."""
