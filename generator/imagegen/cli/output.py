"""How results look: aligned columns for people, JSON for machines."""

import json
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import typer

from imagegen.errors import BlueprintError, ImagegenError, visible

_UNITS = ("B", "kB", "MB", "GB")
_STEP = 1000


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, each as wide as it must be; no trailing blanks."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    for number, row in enumerate([header, *rows]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(styled(line.rstrip(), bold=True) if number == 0 else line.rstrip())


def as_json(value: object) -> None:
    """Print a value; paths as strings, tuples as lists."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def complain(error: ImagegenError) -> None:
    """Print an error to stderr; the problems of a blueprint each with its place."""
    if not isinstance(error, BlueprintError):
        # It may repeat what a build printed or a file is called: no terminal shall obey that.
        shown = "\n".join(map(visible, str(error).split("\n")))
        typer.echo(f"{styled('imagegen:', fg='red', bold=True)} {shown}", err=True)
        return
    for problem in error.problems:
        head, *excerpt = str(problem).split("\n")
        typer.echo(styled(head, bold=True), err=True)
        for line in excerpt:
            marks = not line.strip(" \t^")
            typer.echo(styled(line, fg="red") if marks else line, err=True)
    if len(error.problems) > 1:
        shown = f", of which the first {len(error.problems)} are shown" if error.more else ""
        typer.echo(f"\n{count(len(error.problems) + error.more, 'problem')}{shown}", err=True)


def styled(text: str, **style: Any) -> str:  # noqa: ANN401 -- Typer's own
    """Colour the text; where it does not go to a terminal Typer takes the colours out again."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)


def size(count: int) -> str:
    """Write a number of bytes as Docker does."""
    amount = float(count)
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{amount:.3g} {unit}"


def short_id(identity: str) -> str:
    """Write the id of an image or container as Docker does."""
    return identity.removeprefix("sha256:")[:12]


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
