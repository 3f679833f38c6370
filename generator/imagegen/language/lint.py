"""What `imagegen lint` shall not complain about, and why."""

import difflib
import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from imagegen.errors import quoted
from imagegen.language.scalars import Filled
from imagegen.language.table import Table

IDS = (
    *("IG001",),
    *("IG101", "IG102"),
    *("IG201", "IG202", "IG203", "IG204"),
    *("IG301", "IG302", "IG303", "IG304", "IG305"),
    *("IG401", "IG402", "IG403", "IG404"),
    *("IG501", "IG502"),
    *("IG601", "IG602", "IG603", "IG604"),
    *("IG701", "IG702"),
    *("IG801",),
)
"""Our own rules, which imagegen.lint explains; all others are hadolint's and shellcheck's."""


def _known(value: str) -> str:
    if value in IDS or re.fullmatch(r"(?:DL|SC)[0-9]{4}", value):
        return value
    near = difflib.get_close_matches(value.upper(), IDS, n=1)
    hint = (
        f"did you mean {near[0]}?"
        if near
        else "they are named as in IG101, DL3008 and SC2086; `imagegen lint --rules` lists them"
    )
    raise ValueError(f"{quoted(value)} is no rule; {hint}")


RuleId = Annotated[str, AfterValidator(_known)]


class Lint(Table):
    """[lint]: what `imagegen lint` looks away from."""

    goes_to: ClassVar[str] = "`imagegen lint`"

    ignore: Annotated[dict[RuleId, Filled], Field(examples=[{"IG304": "behind a firewall"}])] = {}
    """Rules that do not count here, each with the reason, as in IG304 = "behind a firewall"."""
