"""What the rules look at: a variant with its plan, its document and its build context."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imagegen.errors import visible
from imagegen.language import Blueprint
from imagegen.language.shapes import Command
from imagegen.lint.catalogue import RULES
from imagegen.lint.finding import Found
from imagegen.plan import Plan
from imagegen.read import Variant
from imagegen.read.commands import commands
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.render import rendered
from imagegen.tree import Tree

_LARGEST_SCRIPT = 2**20


@dataclass(frozen=True)
class Subject:
    """One variant, of the blueprint itself or of an own base below it."""

    variant: Variant
    plan: Plan
    tree: Tree
    label: str

    @property
    def blueprint(self) -> Blueprint:
        return self.variant.blueprint

    @property
    def root(self) -> Node:
        return self.variant.document

    def found(
        self, rule: str, path: KeyPath, message: str, *, key: bool = False, within: str = ""
    ) -> Found:
        """Complain about the value at the path, or the nearest above it that the file has."""
        known = RULES[rule]
        return Found(
            id=rule,
            severity=known.severity,
            title=known.title,
            cure=known.cure,
            docs=known.docs,
            problem=self.root.nearest(path).problem(message, key=key, within=within),
        )

    def reason(self, found: Found) -> str | None:
        """Say why it does not count: the blueprint ignores it, or the base that it stands in."""
        variant: Variant | None = self.variant
        while variant:
            here = variant is self.variant or variant.document.source.name == found.problem.file
            if here and found.id in variant.blueprint.lint.ignore:
                return variant.blueprint.lint.ignore[found.id]
            variant = variant.base
        return None

    def shown(self, own: Path) -> str:
        """Name an own file as the user would, who named the blueprint."""
        folder = os.path.dirname(self.root.source.name)  # noqa: PTH120 -- "" for here
        return os.path.join(folder, os.path.relpath(own, self.variant.folder))  # noqa: PTH118

    @cached_property
    def commands(self) -> Sequence[tuple[KeyPath, Command]]:
        """List every command, wherever it stands."""
        return tuple(commands(self.blueprint))

    @cached_property
    def step_shell(self) -> Sequence[tuple[KeyPath, str]]:
        """List what the steps run, as shell without comments; also what scripts of steps hold."""
        return tuple(self._step_shell())

    def _step_shell(self) -> Iterator[tuple[KeyPath, str]]:
        for number, step in enumerate(self.plan.steps):
            command = step.command
            if command is None:
                continue
            if command.script:
                yield ("steps", number, "file"), _code(_script(command.script))
            else:
                text = command.text if command.text is not None else " ".join(command.words)
                yield ("steps", number, "run"), _code(text)


def subjects(variants: Sequence[Variant], plans: Sequence[Plan]) -> tuple[Subject, ...]:
    """Pair variants with their plans and contexts, own bases first, each once."""
    several = any(plan.parent for plan in plans)
    pairs: dict[int, tuple[Variant, Plan]] = {}
    for variant, plan in zip(variants, plans, strict=True):
        pairs |= {id(p): (v, p) for v, p in reversed([*_down(variant, plan)]) if id(p) not in pairs}
    return tuple(
        Subject(
            *pairs[id(one.plan)],
            one.tree,
            visible(f"{one.plan.image} {one.plan.variant}" if several else one.plan.variant),
        )
        for one in rendered(plans)
    )


def _down(variant: Variant | None, plan: Plan | None) -> Iterator[tuple[Variant, Plan]]:
    while variant and plan:
        yield variant, plan
        variant, plan = variant.base, plan.parent


def _script(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_LARGEST_SCRIPT).decode(errors="replace")


def _code(text: str) -> str:
    """Blank out lines that are comments, and join what a backslash continues."""
    lines = ("" if line.lstrip().startswith("#") else line for line in text.split("\n"))
    return "\n".join(lines).replace("\\\n", "  ")
