"""What becomes of old log files."""

from typing import ClassVar, Self

from pydantic import model_validator

from imagegen.language.scalars import Duration, Schedule, UserName
from imagegen.language.table import Table


class Log(Table):
    """[logs."/GLOB"]: what becomes of old log files; only what is said is done."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/logs"

    compress_after: Duration | None = None
    """Older files are compressed."""
    delete_after: Duration | None = None
    """Older files are deleted, compressed or not."""
    schedule: Schedule = "1 1 * * *"
    """When the files are looked at."""
    user: UserName | None = None
    """As whom; default `container.user`."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.compress_after is None and self.delete_after is None:
            raise ValueError("needs `compress-after` or `delete-after`")
        return self
