"""From a path to every variant of its blueprint, checked, everything filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from imagegen.errors import BlueprintError, Problem, shortened
from imagegen.language import Blueprint
from imagegen.language.image import Matrix
from imagegen.read.complaints import complaints, rest
from imagegen.read.document import Node, document, plain
from imagegen.read.matrix import MOST, combinations, matrix_problems
from imagegen.read.names import RESERVED, Names
from imagegen.read.normal import normal, shape_of
from imagegen.read.rules import broken_rules
from imagegen.read.source import open_source


@dataclass(frozen=True, slots=True)
class Variant:
    """A blueprint at one point of its matrix: valid, everything filled in but `git.*` in tags.

    `axes` is the point, in the order of the axes' names. `document` knows where each value was
    written, and `folder` is what own files are relative to.
    """

    axes: Mapping[str, str]
    blueprint: Blueprint
    document: Node
    folder: Path
    base: "Variant | None" = None


def read(path: Path) -> tuple[Variant, ...]:
    """Read a blueprint: a file, or the blueprint.toml of a folder.

    Raises BlueprintError with every problem of every variant, each once.
    """
    source = open_source(path)
    root = normal(document(source.parse(), source), shape_of(Blueprint))
    folder = source.path.resolve().parent
    problems, points = _points(root)
    variants = []
    for axes in points:
        variant, wrong = _variant(root, axes, folder)
        problems += wrong
        if variant:
            variants.append(variant)
    if problems:
        raise BlueprintError(problems)
    return tuple(variants)


def _points(root: Node) -> tuple[list[Problem], list[dict[str, str]]]:
    """Find the points of the matrix; a wrong matrix is looked at again as a key of the file."""
    node = root.get("matrix")
    problems = list(_reserved(root))
    if node is None:
        return problems, [{}]
    try:
        matrix = Matrix.model_validate(plain(node))
    except ValidationError:
        return problems, [_first(node)]
    wrong = matrix_problems(matrix, root)
    points = list(islice(combinations(matrix), MOST + 1))
    return problems + wrong, points[:1] if len(points) > MOST else points


def _first(matrix: Node) -> dict[str, str]:
    """Some value for each axis of a wrong matrix, so that its names are known elsewhere."""
    axes = {}
    declared = matrix.get("axes")
    for axis, node in declared.items() if declared else ():
        first = next(node.listed(), node)
        axes[axis] = shortened(first.value if isinstance(first.value, str) else first.raw())
    return axes


def _reserved(root: Node) -> Iterator[Problem]:
    args = root.get("args")
    for name, node in args.items() if args else ():
        if name in RESERVED:
            yield node.problem(f"no arg may be called {name}: the name is imagegen's", key=True)


def _variant(
    root: Node, axes: Mapping[str, str], folder: Path
) -> tuple[Variant | None, list[Problem]]:
    names = Names(root, axes)
    filled = _filled(root, names)
    try:
        blueprint = Blueprint.model_validate(plain(filled))
    except ValidationError as error:
        errors = error.errors(include_url=False)
        problems = [*names.problems, *complaints(errors, filled)]
        if left := rest(filled, errors):
            remains, valid = left
            problems += broken_rules(valid, remains, filled, folder)
        return None, problems
    problems = names.problems + list(broken_rules(blueprint, filled, filled, folder))
    return (None if problems else Variant(axes, blueprint, filled, folder)), problems


def _filled(root: Node, names: Names) -> Node:
    """Fill in all but the axes, which the names come from; keys only where they are paths."""
    shape = shape_of(Blueprint)
    tables = {}
    for key, node in root.items():
        if key == "matrix":
            kept = {k: n if k in ("axes", "default") else names.fill(n) for k, n in node.items()}
            tables[key] = node.with_value(kept) if kept else node
        elif shape.knows(key):
            keyed = names.fill_keys(node) if key in ("files", "logs") else node
            tables[key] = names.fill(keyed, shape.key(key))
        else:
            tables[key] = node
    return root.with_value(tables)
