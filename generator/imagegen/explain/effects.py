"""What a value became: the lines that change when the value does.

The blueprint is read once more with another value laid over it, as --set would, planned and
rendered; what differs comes from the value. So it is true by construction, wherever the value
goes, and needs no table of which key makes which file.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from imagegen.errors import ImagegenError
from imagegen.explain.key import Asked
from imagegen.language.about import Either, ListOf, MapOf, Scalar, Type, example_of, keys
from imagegen.plan import Plan
from imagegen.plan.recipe import recipe
from imagegen.read.document import toml_key
from imagegen.render import rendered
from imagegen.render.recipes import docker_run
from imagegen.render.reference import toml
from imagegen.tree import Entry, File

Replan = Callable[[str], Plan | None]
"""Plans the same variant with one more option; None where it is gone then."""

_LARGEST = 2**20
_BY_WORDS = {
    "duration": ("31s", "7m"),
    "size": ("65MiB", "2GiB"),
    "file mode": ("0711", "0700"),
    "user name": ("root",),
}


@dataclass(frozen=True, slots=True)
class Became:
    """A place that shows the value: a line of a file of the context, or beside it.

    `line` is 0 for a whole file.
    """

    place: str
    line: int
    text: str


def became(plan: Plan, asked: Asked, value: object, replan: Replan) -> tuple[Became, ...]:
    """Find what of a plan changes with a value, given as it is written.

    The first other value that may stand decides.
    """
    now = _shown(plan)
    for other in _others(asked, value):
        with suppress(ImagegenError):
            changed = replan(other)
            if changed and (found := tuple(_changed(now, _shown(changed)))):
                return found
    return tuple(_lines_of_step(plan, asked)) if value is not None else ()


def _lines_of_step(plan: Plan, asked: Asked) -> Iterator[Became]:
    """Find the part of the Dockerfile that a step makes.

    One without a name can't be changed from outside, nor can one do without its own files.
    """
    names = [step.name for step in plan.steps]
    match asked.path:
        case ("steps", name, *_) if name in names:
            comment = f"# Step {name}."
        case ("steps", number, *_) if number.isdecimal() and int(number) < len(names):
            comment = f"# Step {names[int(number)]}."
        case _:
            return
    place = str(PurePosixPath(plan.variant, "Dockerfile"))
    lines = _shown(plan)[place]
    if isinstance(lines, tuple) and comment in lines:
        first = lines.index(comment)
        length = (*lines, "")[first:].index("")
        for line in range(first, first + length):
            yield Became(place, line + 1, lines[line].strip())


def _shown(plan: Plan) -> Mapping[str, tuple[str, ...] | bytes]:
    """List everything that shows what was planned, by its name, as lines."""
    tree = next(one.tree for one in rendered([plan]) if one.plan is plan)
    shown: dict[str, tuple[str, ...] | bytes] = {
        str(PurePosixPath(plan.variant, path)): _lines(entry) for path, entry in tree.items()
    }
    shown["tags"] = plan.references
    lines = docker_run(recipe(plan)).removesuffix("\n").split(" \\\n")
    shown["run recipe"] = tuple(line.strip() for line in lines)
    return shown


def _lines(entry: Entry) -> tuple[str, ...] | bytes:
    if not isinstance(entry, File):
        return (f"-> {entry.target}",)
    content = entry.read()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    return tuple(text.splitlines()) if len(content) < _LARGEST else content


def _changed(
    now: Mapping[str, tuple[str, ...] | bytes], other: Mapping[str, tuple[str, ...] | bytes]
) -> Iterator[Became]:
    for place, lines in now.items():
        others = other.get(place)
        if others == lines:
            continue
        if isinstance(lines, bytes) or isinstance(others, bytes) or others is None:
            yield Became(place, 0, _first(lines))
            continue
        matcher = difflib.SequenceMatcher(None, lines, others, autojunk=False)
        for kind, start, end, _, _ in matcher.get_opcodes():
            if kind in ("replace", "delete"):
                yield from (
                    Became(place, n + 1, lines[n].strip()) for n in range(start, end) if lines[n]
                )


def _first(lines: tuple[str, ...] | bytes) -> str:
    return lines[0].strip() if isinstance(lines, tuple) and len(lines) == 1 else ""


def _others(asked: Asked, value: object) -> Iterator[str]:
    """Go over options that would change it: other values, an alternative, or none at all."""
    name = ".".join(map(toml_key, asked.path))
    for other in _values(asked.kind, value):
        if other != value:
            yield f"{name}={toml(other)}"
    yield f"remove={toml([name])}"
    above = ".".join(map(toml_key, asked.path[:-1]))
    for key in _alternatives(asked):
        yield f"{above}.{key}={toml('true')}"


def _alternatives(asked: Asked) -> Sequence[str]:
    own = asked.path[-1]
    table = asked.owner
    choices = table.choices if table else ()
    return [key for key in choices if key != own] if own in choices else []


def _values(kind: Type, value: object) -> Iterator[object]:
    """Think of other values of a type."""
    match kind:
        case Either():
            for one in kind.types:
                if isinstance(one, ListOf) == isinstance(value, list | tuple):
                    yield from _values(one, value)
        case ListOf():
            item = example_of(kind.item)
            yield [item if isinstance(item, str) else "imagegen"]
            if isinstance(value, list | tuple):
                yield from (list(value[:n]) for n in range(len(value)))
        case MapOf():
            yield {}
        case Scalar():
            yield from _scalars(kind, value)
        case _:
            bare = next((key for key in keys(kind) if key.name == kind.bare), None)
            if bare:
                yield from _values(bare.type, value)


def _scalars(kind: Scalar, value: object) -> Iterator[object]:
    if isinstance(value, bool) or kind.types == ("boolean",):
        yield not value
    elif isinstance(value, int) or kind.types == ("integer",):
        number = value if isinstance(value, int) else kind.least or 1
        yield from (number + 1, number - 1)
    elif kind.values:
        yield from kind.values
    else:
        yield from _BY_WORDS.get(kind.words, ())
        if isinstance(value, str):
            yield from (f"{value}x", f"x{value}")
        if kind.example is not None:
            yield kind.example
        yield from ("imagegen", "/imagegen")
