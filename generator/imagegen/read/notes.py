"""What is right, and worth knowing all the same: `imagegen check` lists it."""

from collections.abc import Iterable, Iterator, Mapping

from imagegen.errors import Problem
from imagegen.read.document import Node, plain
from imagegen.read.near import listing
from imagegen.read.normal import LOWER
from imagegen.read.overrides import entries_that_fit
from imagegen.read.read import Variant
from imagegen.read.removal import removed_paths


def notes(variants: Iterable[Variant]) -> tuple[Problem, ...]:
    """List notes in reading order, each once, of own bases too."""
    found = {note for variant in variants for note in _notes(variant)}
    return tuple(sorted(found, key=lambda note: (note.file, note.line, note.column)))


def _notes(variant: Variant) -> Iterator[Problem]:
    if variant.base:
        yield from _notes(variant.base)
    yield from _replaced_packages(variant)
    yield from _without_effect(variant.document)
    for number, step in enumerate(variant.blueprint.steps):
        if step.dockerfile is not None:
            message = "lines of a Dockerfile go in as they are; what does the language lack?"
            yield variant.document.nearest(("steps", number, "dockerfile")).problem(message)


def _replaced_packages(variant: Variant) -> Iterator[Problem]:
    """Find lists of packages that drop what lies below: a list replaces, and nobody sees it."""
    overrides = (entry for _, entry in entries_that_fit(variant.layers.whole, variant.axes))
    lower: dict[str, list[str]] = {}
    for layer in (*variant.layers.documents, *overrides):
        if any(path[0] == "packages" for _, path in removed_paths(layer)):
            lower = {}  # it was meant
        for manager, node in _packages(layer):
            below, items = lower.get(manager, []), plain(node)
            if LOWER not in items and (lost := [name for name in below if name not in items]):
                yield node.problem(f'drops what lies below ({listing(lost)}); "{LOWER}" keeps it')
                below = []
            lower[manager] = [*below, *(name for name in items if name not in (LOWER, *below))]


def _packages(layer: Node) -> Iterator[tuple[str, Node]]:
    packages = layer.get("packages")
    for manager, node in packages.items() if packages else ():
        if install := node.get("install"):
            yield manager, install


PLANNED: Mapping[tuple[str, ...], object] = {
    ("container", "init"): "runit",
    ("container", "syslog"): False,
    ("logs", "*", "forward"): False,
    ("logs", "*", "keep"): None,
    ("logs", "*", "rotate-at"): None,
    ("services", "*", "log"): {"to": "stdout"},
    ("services", "*", "restart"): "always",
    ("stack",): None,
    ("tests",): None,
}
"""Keys that are checked and planned, and that no command and no container acts on yet.

Each with the value that needs no acting on: it is how things are.
"""


def _without_effect(document: Node) -> Iterator[Problem]:
    for path, usual in PLANNED.items():
        for node in _at(document, path):
            if plain(node) != usual:
                message = "is checked and planned, but nothing acts on it yet"
                yield node.problem(message, key=True)


def _at(node: Node, path: tuple[str, ...]) -> Iterator[Node]:
    """Go over what stands at a path; a star stands for any name."""
    if not path:
        yield node
        return
    name, *rest = path
    for key, item in node.items():
        if name in ("*", key):
            yield from _at(item, tuple(rest))
