"""Contexts of plans and of the own bases below them, each once, bases first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from imagegen.plan import Plan
from imagegen.render.context import context
from imagegen.tree import Tree, digest

SHORT = 16


@dataclass(frozen=True, slots=True)
class Rendered:
    """A plan with its context. `digest` identifies the context and, through FROM, its bases."""

    plan: Plan
    tree: Tree
    digest: str
    base: "Rendered | None"

    @property
    def reference(self) -> str:
        """Name the image by its content: what a context on it says in FROM."""
        return f"{self.plan.image}:{self.digest[:SHORT]}"


def rendered(plans: Sequence[Plan]) -> tuple[Rendered, ...]:
    """Render the plans and all their own bases; each base comes before what is built on it."""
    done: dict[int, Rendered] = {}
    for plan in plans:
        _render(plan, done)
    return tuple(done.values())


def _render(plan: Plan, done: dict[int, Rendered]) -> Rendered:
    if id(plan) not in done:
        base = _render(plan.parent, done) if plan.parent else None
        tree = context(plan, base.reference if base else plan.base)
        done[id(plan)] = Rendered(plan, tree, digest(tree), base)
    return done[id(plan)]


def by_folder(plans: Sequence[Plan]) -> Mapping[PurePosixPath, Rendered]:
    """Render into folders: one named by each variant, the own bases below `bases`."""
    top = {id(plan) for plan in plans}
    return {
        PurePosixPath(one.plan.variant)
        if id(one.plan) in top
        else PurePosixPath("bases", one.plan.image, one.plan.variant): one
        for one in rendered(plans)
    }
