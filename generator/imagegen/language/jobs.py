"""Commands with a name."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Schedule, Text
from imagegen.language.shapes import Command
from imagegen.language.table import Wrong


class Job(Command):
    """[jobs.NAME]: a command with a name; runs by the clock or when called, once at a time."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/jobs/NAME"

    schedule: Annotated[Schedule | None, Field(examples=["@daily"])] = None
    """Five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly; without it, when called."""
    description: Annotated[Text | None, Field(examples=["Sends the report"])] = None
    """What it is for."""
    interactive: bool = False
    """It talks with a person: whoever calls it has a terminal."""

    @model_validator(mode="after")
    def _has_somebody_to_talk_to(self) -> Self:
        if self.interactive and self.schedule is not None:
            raise Wrong("does not go with `schedule`: by the clock, nobody is there", "interactive")
        return self
