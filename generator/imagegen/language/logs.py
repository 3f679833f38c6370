"""What becomes of old log files."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Duration, Schedule, Size, UserName
from imagegen.language.table import Table, Wrong

Keep = Annotated[int, Field(ge=1, le=1000)]


class Log(Table):
    """[logs."/GLOB"]: what becomes of old log files; only what is said is done."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/logs"

    compress_after: Duration | None = None
    """Older files are compressed."""
    delete_after: Duration | None = None
    """Older files are deleted, compressed or not."""
    rotate_at: Annotated[Size | None, Field(examples=["10MiB"])] = None
    """A larger file is renamed, and begun anew."""
    keep: Annotated[Keep | None, Field(examples=[5])] = None
    """So many renamed files are kept; default 5."""
    forward: bool = False
    """New lines go to the container's log too."""
    schedule: Schedule = "1 1 * * *"
    """When the files are looked at."""
    user: UserName | None = None
    """As whom; default `container.user`."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.keep is not None and self.rotate_at is None:
            raise Wrong("goes with `rotate-at`", "keep")
        cleans = (self.compress_after, self.delete_after, self.rotate_at)
        if not self.forward and all(one is None for one in cleans):
            raise ValueError("needs `compress-after`, `delete-after`, `rotate-at` or `forward`")
        return self
