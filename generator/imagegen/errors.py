"""Everything that can go wrong for a user, and the exit code of each.

    ImagegenError      1   what was asked for did not succeed
    ├── UsageError     2   an option or argument has a value that makes no sense
    ├── BlueprintError 3   the blueprint is wrong; carries every problem at once
    ├── OutOfDate      4   what is on the disk is not what the blueprint says
    ├── EngineError    5   no engine, no buildx, or the engine refused
    └── BuildFailed    6   a variant did not build

Typer ends with 2, too, where it sees wrong usage by itself. Any other exception is a bug of ours
and shows its traceback.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar

_SHOWN = 60
_WIDE = 100
_LEAD = 30
_MOST_A_PLACE = 3
MOST_PROBLEMS = 300
"""Problems that are told of one blueprint; the others are counted."""


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
            return f"{visible(self.file)}: {self.message}"
        head = f"{visible(self.file)}:{self.line}:{self.column}: {self.message}"
        return f"{head}\n{self._excerpt()}" if self.text else head

    def _excerpt(self) -> str:
        """Show the line with a mark below; of a long line, the part around the mark."""
        start = self.column - 1
        is_short = len(self.text) <= _WIDE and _columns(self.text) <= _WIDE
        first = 0 if is_short else max(0, start - _LEAD)
        before = ("…" if first else "") + _shown(self.text[first:start])
        rest = _cut(_shown(self.text[start : start + _WIDE + 1]), _WIDE - _columns(before))
        marked = _shown(self.text[start : start + min(self.width, _WIDE)])
        carets = "^" * max(1, min(_columns(marked), _columns(rest)))
        blank = "".join("\t" if c == "\t" else " " * _columns(c) for c in before)
        return f"    {before}{rest}\n    {blank}{carets}"


def visible(text: str) -> str:
    """Escape what a terminal would obey or hide: control, format and other invisible characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(text: str) -> str:
    """Quote a value so that it can stand in a message: visible, and not long."""
    return f'"{visible(shortened(text))}"'


def shortened(text: str, room: int = _SHOWN) -> str:
    """As much of a text as there is room for, in characters."""
    return text if len(text) <= room else text[: room - 1] + "…"


def _shown(text: str) -> str:
    """The same with tabs kept, so that what is below a line stands where it should."""
    return "\t".join(map(visible, text.split("\t")))


def _columns(text: str) -> int:
    """Columns of a terminal that the text takes; a tab counts as one."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, room: int) -> str:
    """As much of the text as there is room for."""
    if _columns(text) <= room:
        return text
    taken = 0
    for end, character in enumerate(text):
        taken += _width(character)
        if taken >= room:
            return text[:end] + "…"
    return text


class ImagegenError(Exception):
    """A mistake or a failure that the user can mend; any other exception is a bug of ours."""

    exit_code: ClassVar[int] = 1


class UsageError(ImagegenError):
    """An option or argument has a value that makes no sense."""

    exit_code = 2


class BlueprintError(ImagegenError):
    """The blueprint was not found, or is wrong."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the first problems in reading order, each once, and of many at one place the first.

        `more` is how many are left out: nobody reads thousands.
        """
        every = [*_few(sorted(set(problems), key=lambda p: (*_place(p), p.message)))]
        self.problems = every[:MOST_PROBLEMS]
        self.more = len(every) - len(self.problems)
        super().__init__("\n".join(map(str, self.problems)))


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _few(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Shorten what a thousand variants say about one place."""
    for (_, line, _), here in groupby(problems, _place):
        first: list[Problem] = []
        rest: list[Problem] = []
        for problem in here:
            (first if not line or len(first) < _MOST_A_PLACE else rest).append(problem)
        if rest:
            message = f"{first[-1].message} (and {len(rest)} more like this)"
            first[-1] = replace(first[-1], message=message)
        yield from first


class SettingsError(BlueprintError):
    """The user's settings are wrong, which no blueprint can help."""

    exit_code = 2


class OutOfDate(ImagegenError):  # noqa: N818 -- a state to report, not an error of anybody
    """What lies on the disk differs from what the blueprint says."""

    exit_code = 4


class EngineError(ImagegenError):
    """The container engine is missing, too old, or refused."""

    exit_code = 5


class BuildFailed(ImagegenError):  # noqa: N818 -- the field's words
    """At least one variant did not build; the message holds the end of its own log."""

    exit_code = 6
