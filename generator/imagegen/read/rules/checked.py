"""What a rule looks at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagegen.errors import Problem
from imagegen.language import Blueprint
from imagegen.language.families import Family
from imagegen.language.shapes import Command
from imagegen.read.commands import commands
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.read.project import project
from imagegen.read.source import Source
from imagegen.read.stack import Neighbour


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands beside a variant: its point and all the others, and the images of its stack."""

    axes: Mapping[str, str]
    points: Sequence[Mapping[str, str]]
    images: Mapping[str, Sequence[Neighbour]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A valid blueprint with its document: what a rule looks at.

    Both may lack what is wrong by itself; `whole` is the document with that. `family` is that of
    a foreign base, None where it can't be known.
    """

    blueprint: Blueprint
    root: Node
    whole: Node
    folder: Path
    family: Family | None
    scene: Scene

    @property
    def is_home(self) -> bool:
        """Tell whether the variant stands for the image: it is the default one, or the first."""
        default = dict(self.blueprint.matrix.default)
        home = default if default in [dict(p) for p in self.scene.points] else self.scene.points[0]
        return dict(self.scene.axes) == dict(home)

    def wrong(self, path: KeyPath, message: str, *, key: bool = False) -> Problem | None:
        """Complain about the value at the path, or the nearest above it that the file has."""
        node = self.root.nearest(path)
        return None if node.holds_doubt() else node.problem(message, key=key)

    def source(self, path: KeyPath) -> Source:
        """Give the text in which the value is written."""
        return self.root.nearest(path).source

    def project(self, path: KeyPath) -> Path:
        """Give the folder in which own files may lie that the value at the path names."""
        return project(self.source(path).folder)

    def declared(self, table: str) -> set[str]:
        """Give the names in a table, also those of entries that are wrong."""
        node = self.whole.get(table)
        return {name for name, _ in node.items()} if node else set()

    def commands(self) -> Iterator[tuple[KeyPath, Command]]:
        """Go over every command, wherever it stands."""
        return commands(self.blueprint)
