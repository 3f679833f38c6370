"""What is right, and worth knowing all the same: `imagegen check` lists it."""

from collections.abc import Iterable, Iterator

from imagegen.errors import Problem
from imagegen.read.read import Variant


def notes(variants: Iterable[Variant]) -> tuple[Problem, ...]:
    """List notes in reading order, each once, of own bases too."""
    found = {note for variant in variants for note in _notes(variant)}
    return tuple(sorted(found, key=lambda note: (note.file, note.line, note.column)))


def _notes(variant: Variant) -> Iterator[Problem]:
    if variant.base:
        yield from _notes(variant.base)
    for number, step in enumerate(variant.blueprint.steps):
        if step.dockerfile is not None:
            message = "lines of a Dockerfile go in as they are; what does the language lack?"
            yield variant.document.nearest(("steps", number, "dockerfile")).problem(message)
