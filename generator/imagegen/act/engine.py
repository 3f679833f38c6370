"""What imagegen needs of a container engine, as a protocol small enough to fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from imagegen.language.families import System
from imagegen.plan.recipe import Recipe
from imagegen.render.bake import Target

KEY_LABEL = "io.imagegen.context"
"""The key of a build: the digest of its context and of its base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image that the engine has. `size` is in bytes, `key` empty unless imagegen built it."""

    id: str
    references: frozenset[str]
    key: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container that was started."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a container ended: its exit code, and the end of its log."""

    code: int
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """How the build of one target went. `failure` is what the engine said, `log` its own output."""

    name: str
    seconds: float
    failure: str | None = None
    log: tuple[str, ...] = ()


class Progress(Protocol):
    """Takes news of a running build: a step of a target begins, or `ended` says how it ended."""

    def __call__(self, target: str, step: str, ended: str = "") -> None: ...


class Engine(Protocol):
    """The door to a container engine."""

    def images(self) -> Sequence[StoredImage]:
        """List all images, with one request."""

    def system(self, reference: str) -> System | None:
        """Look into an image, which is not pulled and not started; None if it is not here."""

    def bake(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        """Build all targets, bases before what is on them, in one solve if the engine can.

        Raises EngineError if the build can't even begin.
        """

    def layers(self, image: str) -> Sequence[str]:
        """List the layers of an image by their digests, lowest first."""

    def in_use(self) -> frozenset[str]:
        """List the ids of images that containers were made from, also of those that ended."""

    def remove(self, image: StoredImage) -> None:
        """Remove an image with all its names. Raises EngineError if something holds it."""

    def tag(self, image: str, reference: str) -> None:
        """Give the image a name; a name that another image had moves."""

    def push(self, reference: str) -> str:
        """Push a name to its registry and give the digest. Raises EngineError if it refuses."""

    def run(self, recipe: Recipe) -> Container:
        """Start a container. Raises EngineError, also if the name is taken."""
