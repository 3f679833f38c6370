"""Everything that can go wrong for a user, and the exit code of each.

    ImagegenError      1   what was asked for did not succeed
    ├── BlueprintError 3   the blueprint is wrong; carries every problem at once
    ├── OutOfDate      4   what is on the disk is not what the blueprint says
    ├── EngineError    5   no engine, no buildx, or the engine refused
    └── BuildFailed    6   a variant did not build

Exit code 2 is Typer's, for wrong usage. Any other exception is a bug of ours and shows its
traceback.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint about a blueprint, with its place where it has one.

    `line` and `column` count from 1; both are 0 when the complaint is about a whole file.
    `width` is the number of characters to underline.
    """

    file: str
    line: int
    column: int
    message: str
    text: str = ""
    width: int = 1

    def __str__(self) -> str:
        if not self.line:
            return f"{self.file}: {self.message}"
        head = f"{self.file}:{self.line}:{self.column}: {self.message}"
        before, marked = self.text[: self.column - 1], self.text[self.column - 1 :][: self.width]
        carets = "^" * max(1, sum(map(_columns, marked)))
        return f"{head}\n    {self.text}\n    {_blank(before)}{carets}"


def _columns(character: str) -> int:
    """Columns of a terminal that the character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _blank(text: str) -> str:
    """As much empty room as the text takes; tabs stay tabs, so that carets stand right."""
    return "".join("\t" if c == "\t" else " " * _columns(c) for c in text)


class ImagegenError(Exception):
    """A mistake or a failure that the user can mend; any other exception is a bug of ours."""

    exit_code: ClassVar[int] = 1


class BlueprintError(ImagegenError):
    """The blueprint was not found, or is wrong."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in reading order, each once."""
        self.problems = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.message))
        super().__init__("\n".join(map(str, self.problems)))


class OutOfDate(ImagegenError):  # noqa: N818 -- a state to report, not an error of anybody
    """What lies on the disk differs from what the blueprint says."""

    exit_code = 4


class EngineError(ImagegenError):
    """The container engine is missing, too old, or refused."""

    exit_code = 5


class BuildFailed(ImagegenError):  # noqa: N818 -- the field's words
    """At least one variant did not build; the message holds the end of its own log."""

    exit_code = 6
