"""Which tags an event of git gives."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Filled, Kind, Many
from imagegen.language.table import Table

Tag = Annotated[str, Field(min_length=1), Kind("tag", example="latest")]


class Tags(Table):
    """[tags]: which tags an event of git gives."""

    goes_to: ClassVar[str] = "tags"

    release: Annotated[Many[Tag] | None, Field(examples=[["{{ git.version }}", "latest"]])] = None
    """For a version tag; default the version, X.Y and latest."""
    branch: Annotated[dict[Filled, Many[Tag]] | None, Field(examples=[{"main": ["edge"]}])] = None
    """Branch globs and their tags; default the name of the branch."""
