"""How results look: aligned columns for people, JSON for machines."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

_UNITS = ("B", "kB", "MB", "GB")
_STEP = 1000


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, each as wide as it must be; no trailing blanks."""
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    for number, row in enumerate([header, *rows]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(typer.style(line.rstrip(), bold=True) if number == 0 else line.rstrip())


def as_json(value: object) -> None:
    """Print a value; paths as strings, tuples as lists."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def size(count: int) -> str:
    """Write a number of bytes as Docker does."""
    amount = float(count)
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{amount:.3g} {unit}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
