"""From a path to every variant of its blueprint, checked, everything filled in."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from imagegen.errors import BlueprintError, Problem
from imagegen.language import Blueprint
from imagegen.language.families import Family, System, family_in, family_of
from imagegen.read.bases import base_path, blueprint_at, inherited, matching, remade, with_axes
from imagegen.read.complaints import complaints, rest
from imagegen.read.document import Node, plain
from imagegen.read.layers import Layers
from imagegen.read.names import Names
from imagegen.read.near import listing
from imagegen.read.normal import shape_of
from imagegen.read.options import option
from imagegen.read.overrides import override_problems
from imagegen.read.parts import with_parts
from imagegen.read.points import Points, points_of
from imagegen.read.rules import broken_rules
from imagegen.read.rules.checked import Checked, Scene
from imagegen.read.source import FILE_NAME, Source, open_source
from imagegen.read.stack import extended
from imagegen.read.stack import filled as stack_filled

SHAPE = shape_of(Blueprint)


@dataclass(frozen=True, slots=True)
class Variant:
    """A blueprint at one point of its matrix: valid, everything filled in but `git.*` in tags.

    `axes` is the point, in the order of the axes' names. `document` knows where each value was
    written, `layers` what it was made of, and `folder` is what own files are relative to. `family`
    is that of a foreign base, `images` are those of other blueprints, by the service of the stack.
    """

    axes: Mapping[str, str]
    blueprint: Blueprint
    document: Node
    folder: Path
    layers: Layers
    family: Family | None = None
    base: "Variant | None" = None
    images: Mapping[str, "tuple[Variant, ...]"] = field(default_factory=dict)


Ask: TypeAlias = Callable[[str], System | None]
"""Looks into the image of that name; None where nobody has it."""


def read(
    path: Path, ask: Ask = lambda _: None, options: Sequence[str] | None = None
) -> tuple[Variant, ...]:
    """Read a blueprint: a file, or the blueprint.toml of a folder, and its own bases.

    `ask` is asked about bases whose name does not tell the family. `options` are KEY=VALUE, laid
    over the blueprint, but not over its own bases. Raises BlueprintError with every problem of
    every variant, each once, and UsageError for an option that is none.
    """
    return _Reader(ask, options or ()).read(path, ())


class _Reader:
    """Reads blueprints, each once: several may be built on one."""

    def __init__(self, ask: Ask, options: Sequence[str], *, stacks: bool = True) -> None:
        self._ask = ask
        self._options = options
        self._images = _Reader(ask, (), stacks=False) if stacks else None
        self._done: dict[Path, tuple[Variant, ...]] = {}

    def read(self, path: Path, above: tuple[Path, ...]) -> tuple[Variant, ...]:
        """Read one; `above` are those that are built on it."""
        source = open_source(path)
        real = source.path.resolve()
        if real not in self._done:
            self._done[real] = self._variants(source, (*above, real))
        return self._done[real]

    def _variants(self, source: Source, above: tuple[Path, ...]) -> tuple[Variant, ...]:
        given = () if above[:-1] else self._options
        options = tuple(option(text, source, SHAPE) for text in given)
        layers = Layers(with_parts(source, SHAPE), options, SHAPE)
        below = self._below(layers.whole, above)
        root = with_axes(layers.whole, below)
        layers = replace(layers, matrix=root.get("matrix"))
        matrix = points_of(root, below)
        problems = [
            *matrix.problems,
            *layers.problems,
            *override_problems(root, matrix.points if matrix.is_right else None),
        ]
        variants = []
        used: set[str] = set()
        for axes in matrix.points:
            try:
                variant, wrong = self._variant(layers, axes, above, used, matrix)
            except BlueprintError as error:
                variant, wrong = None, error.problems
            problems += wrong
            if variant:
                variants.append(variant)
        if problems := problems or [*layers.unused_args(used)]:
            raise BlueprintError(problems)
        return tuple(variants)

    def _below(self, root: Node, above: tuple[Path, ...]) -> tuple[Variant, ...]:
        """Read the blueprint that this one is built on; none if it is built on a foreign image."""
        found = base_path(root)
        if found is None:
            return ()
        path, node = found
        real = (path / FILE_NAME if path.is_dir() else path).resolve()
        if real in above:
            circle = (*above[above.index(real) :], real)
            names = [os.path.relpath(place, above[-1].parent) for place in circle]
            message = f"blueprints are built on each other in a circle: {listing(names, ' → ')}"
            raise BlueprintError([node.problem(message)])
        return self.read(path, above)

    def _variant(
        self,
        layers: Layers,
        axes: Mapping[str, str],
        above: tuple[Path, ...],
        used: set[str],
        matrix: Points,
    ) -> tuple[Variant | None, list[Problem]]:
        """Lay the layers over each other, fill in the names, and check.

        Where the matrix is not right, any variant of the base does, for the sake of the rest. The
        names that are used are added to `used`.
        """
        folder = above[-1].parent
        merged, wrong = layers.laid(axes)
        below = self._below(merged, above)
        base = matching(merged, axes, below) or (
            None if matrix.is_right else next(iter(below), None)
        )
        fixed: Mapping[str, str] = {}
        if below and not base:
            place = merged.get("image", "base") or merged
            return None, [place.problem("the base has no variant that fits this one")]
        if base:
            merged, wrong = layers.laid(axes, inherited(base, folder, SHAPE))
            fixed = base.axes
        merged, images, more = self._with_stack(merged)
        names = Names(merged, {**fixed, **axes})
        filled = _filled(merged, names, images)
        used |= names.used
        wrong = [*names.problems, *wrong, *more, *(remade(filled, base) if base else ())]
        scene = Scene(axes, matrix.points, images)
        blueprint, family, problems = self._checked(filled, folder, wrong, scene)
        if problems or not blueprint:
            return None, problems
        return Variant(axes, blueprint, filled, folder, layers, family, base, images), []

    def _with_stack(
        self, merged: Node
    ) -> tuple[Node, Mapping[str, tuple[Variant, ...]], list[Problem]]:
        """Lay services over those that they extend, and read the blueprints of their images."""
        if self._images is None and isinstance(merged.value, dict):
            alone = {key: node for key, node in merged.value.items() if key != "stack"}
            return merged.with_value(alone), {}, []
        merged, problems = extended(merged)
        images: dict[str, tuple[Variant, ...]] = {}
        services = merged.get("stack", "services")
        for name, service in services.items() if services else ():
            if self._images and (node := service.get("blueprint")):
                try:
                    if found := blueprint_at(node):
                        images[name] = self._images.read(found[0], ())
                except BlueprintError as error:
                    problems += error.problems
        return merged, images, problems

    def _checked(
        self, filled: Node, folder: Path, problems: list[Problem], scene: Scene
    ) -> tuple[Blueprint | None, Family | None, list[Problem]]:
        try:
            blueprint = Blueprint.model_validate(plain(filled))
        except ValidationError as error:
            errors = error.errors(include_url=False)
            problems = [*problems, *complaints(errors, filled)]
            if left := rest(filled, errors):
                remains, valid = left
                family = self._family(valid)
                problems += broken_rules(Checked(valid, remains, filled, folder, family, scene))
            return None, None, problems
        family = self._family(blueprint)
        found = [
            *problems,
            *broken_rules(Checked(blueprint, filled, filled, folder, family, scene)),
        ]
        return blueprint, family, found

    def _family(self, blueprint: Blueprint) -> Family | None:
        """Tell the family of a foreign base: as declared, from its name, or from what is in it."""
        base = blueprint.image.base
        if base.image is None:
            return None
        if told := base.family or family_of(base.image):
            return Family(name=told)
        system = self._ask(base.image)
        return family_in(system) if system else None


_OF_AXES = ("axes", "default", "exclude", "include")
"""Keys of [matrix] whose strings are values of axes, in which no names are filled in."""


def _filled(root: Node, names: Names, images: Mapping[str, Sequence[Variant]]) -> Node:
    """Fill in all but the axes, which the names come from; keys only where they are paths."""
    shape = shape_of(Blueprint)
    tables = {}
    for key, node in root.items():
        if key == "matrix":
            kept = {k: n if k in _OF_AXES else names.fill(n) for k, n in node.items()}
            tables[key] = node.with_value(kept) if kept else node
        elif key == "stack":
            tables[key] = stack_filled(node, names, images)
        elif shape.knows(key):
            keyed = names.fill_keys(node) if key in ("files", "logs") else node
            tables[key] = names.fill(keyed, shape.key(key))
        else:
            tables[key] = node
    return root.with_value(tables)
