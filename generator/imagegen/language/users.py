"""Users of the image."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import ImagePath, Many, UserName
from imagegen.language.table import Table

Id = Annotated[int, Field(ge=0, le=2**32 - 2)]


class User(Table):
    """[users.NAME]: made before the packages, so that ids are the same in every build."""

    goes_to: ClassVar[str] = "Dockerfile: useradd"

    uid: Annotated[Id, Field(examples=[1000])]
    """Number of the user; fixed, so that volumes fit every image."""
    gid: Annotated[Id | None, Field(examples=[1000])] = None
    """Number of the user's own group; default `uid`."""
    groups: Annotated[Many[UserName], Field(examples=[["adm", "tty"]])] = ()
    """Further groups, which exist in the base or are made as needed."""
    home: Annotated[ImagePath | None, Field(examples=["/srv/app"])] = None
    """Default /home/NAME."""
    shell: Annotated[ImagePath, Field(examples=["/bin/bash"])] = "/usr/sbin/nologin"
    """Login shell."""
