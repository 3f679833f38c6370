"""Commands with a name."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Schedule, Text
from imagegen.language.shapes import Command


class Job(Command):
    """[jobs.NAME]: a command that runs when its time has come, never twice at once."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/jobs/NAME"

    schedule: Annotated[Schedule, Field(examples=["@daily"])]
    """Five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly."""
    description: Annotated[Text | None, Field(examples=["Sends the report"])] = None
    """What it is for."""
