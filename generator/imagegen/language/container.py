"""How containers of the image run."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Kind, Size, UserName, matching
from imagegen.language.shapes import Limit
from imagegen.language.table import GoesTo, Table

LimitName = Annotated[
    str,
    matching(
        "core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|"
        "sigpending|stack",
        "limit; the common ones are nofile, nproc, memlock, core and stack",
    ),
    Kind("name of a limit", example="nofile"),
]


class Container(Table):
    """[container]: how containers of the image run."""

    goes_to: ClassVar[str] = "run recipe"

    user: Annotated[UserName | None, GoesTo("rootfs, Dockerfile: USER")] = None
    """Who runs services and jobs; default: the only one of [users]."""
    shm_size: Size | None = None
    """Size of /dev/shm, where 64 MB are too little."""
    ulimits: Annotated[dict[LimitName, Limit], Field(examples=[{"nofile": 4096}])] = {}
    """Limits of the kernel for its processes, as in nofile = 4096: a number, or "soft:hard"."""
