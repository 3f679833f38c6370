"""`extends`: the parts below a blueprint, each read once, in the order in which they are laid."""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from imagegen.errors import BlueprintError, Problem, quoted
from imagegen.language import Blueprint
from imagegen.language.image import Base
from imagegen.language.paths import key_path
from imagegen.language.scalars import Many, PartName, is_file_of_a_part
from imagegen.library import library
from imagegen.read.complaints import complaints_of
from imagegen.read.document import Node, document
from imagegen.read.keys import LISTS_OF_THE_TOP, OF_THE_TOP, keys_of
from imagegen.read.near import hint, listing
from imagegen.read.normal import SCALAR, Shape, normal
from imagegen.read.source import FILE_NAME, Kind, Source, beside, is_there, open_source

_MOST_LEVELS = 40
_PARTS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Many[PartName], config=ConfigDict(strict=True))


def with_parts(source: Source, shape: Shape) -> list[Node]:
    """Read a blueprint and the parts below it: their documents, the lowest first.

    All are in normal form, and name own files as seen from the folder of the blueprint. A part
    that is reached twice lies where it was reached first. Raises BlueprintError.
    """
    parts = _Parts(source.folder, shape)
    parts.read(source, ())
    if parts.problems:
        raise BlueprintError(parts.problems)
    return parts.documents


def ready_made() -> list[str]:
    """List the names of the parts that come with imagegen."""
    files = library("blueprints").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


class _Parts:
    def __init__(self, folder: Path, shape: Shape) -> None:
        self.documents: list[Node] = []
        self.problems: list[Problem] = []
        self._folder = folder
        self._shape = shape
        self._done: set[Path] = set()

    def read(self, source: Source, above: tuple[Path, ...]) -> None:
        """Read one text after what it extends; `above` are those that extend it."""
        real = source.path.resolve()
        self._done.add(real)
        written = document(source.parse(), source)
        self.problems += _fallen(written, self._shape)
        root = normal(written, self._shape)
        for item in self._named(root):
            try:
                self._below(item, (*above, real))
            except BlueprintError as error:
                self.problems += error.problems
        if source.is_part:
            self.problems += _wrong_language(root)
        self.documents.append(_moved(root, self._shape, self._folder))

    def _named(self, root: Node) -> Iterator[Node]:
        """Go over the items of `extends`, if they are what they must be."""
        problems = [*complaints_of(_PARTS, root, "extends")]
        self.problems += problems
        extends = root.get("extends")
        if extends and not problems:
            yield from extends.listed()

    def _below(self, item: Node, above: tuple[Path, ...]) -> None:
        path, kind = _found(item)
        real = path.resolve()
        if real in above:
            circle = (*above[above.index(real) :], real)
            names = [os.path.relpath(place, self._folder) for place in circle]
            raise _wrong(item, f"parts extend each other in a circle: {listing(names, ' → ')}")
        if len(above) > _MOST_LEVELS:
            raise _wrong(item, f"parts extend parts, more than {_MOST_LEVELS} times over")
        if real not in self._done:
            name = f"imagegen/blueprints/{path.name}" if kind == "ready-made" else None
            self.read(open_source(path, kind, name), above)


def _found(item: Node) -> tuple[Path, Kind]:
    """Find the file of a part."""
    name = str(item.value)
    if not is_file_of_a_part(name):
        known = ready_made()
        if name not in known:
            raise _wrong(item, f"there is no ready-made part {quoted(name)}{_instead(item, known)}")
        return Path(str(library("blueprints") / f"{name}.toml")), "ready-made"
    path = beside(item.source, name)
    if not is_there(path):
        there = _toml_files(path)
        message = f"there is no {quoted(name)} beside the file"
        if "{{" in name:
            message += "; names are not filled in here"
        elif there:
            folder = name.rpartition("/")[0]
            message += hint(name, [f"{folder}/{one}" if folder else one for one in there], quoted)
        raise _wrong(item, message)
    path = path / FILE_NAME if path.is_dir() else path
    return path, "ready-made" if item.source.kind == "ready-made" else "part"


def _instead(item: Node, known: list[str]) -> str:
    own = f"{item.value}.toml"
    if is_there(beside(item.source, own)):
        return f"; for the file beside this one write {quoted(own)}"
    return hint(str(item.value), known, quoted)


def _toml_files(path: Path) -> list[str]:
    """List what may have been meant instead of a file that is not there."""
    try:
        return sorted(one.name for one in path.parent.glob("*.toml"))
    except OSError:
        return []


def _fallen(node: Node, shape: Shape) -> Iterator[Problem]:
    """Find `extends` and `remove` that were written after a header, and fell into its table.

    In the app's own JSON they may be meant; there only what must be a mistake is one.
    """
    for key, item in node.items():
        is_fallen = node.path and key in LISTS_OF_THE_TOP and _holds_strings(item)
        if is_fallen and not (shape.table and shape.knows(key)):
            if node.path[0] != "config" or all(_is_meant(key, one) for one in item.listed()):
                yield item.problem(f"{OF_THE_TOP}; here it falls into the table", key=True)
        else:
            yield from _fallen(item, shape.key(key))
    for item in node.listed():
        yield from _fallen(item, shape.each or SCALAR)


def _holds_strings(node: Node) -> bool:
    items = [*node.listed()]
    return bool(items) and all(isinstance(item.value, str) for item in items)


def _is_meant(key: str, item: Node) -> bool:
    """Tell whether a text can only be one for `extends` or `remove`."""
    text = str(item.value)
    if key == "remove":
        path = key_path(text)
        return path is not None and path[0] in keys_of(Blueprint)
    is_file = text.endswith(".toml") and is_there(beside(item.source, text))
    return is_file or text in ready_made()


def _wrong_language(root: Node) -> Iterator[Problem]:
    """Look at the version, which the blueprint on top would hide."""
    version = root.get("blueprint")
    if version and (version.value != 1 or isinstance(version.value, bool)):
        yield version.problem("must be 1 (version of the language)")


def _moved(root: Node, shape: Shape, folder: Path) -> Node:
    """Name own files as seen from the folder, but bases: these are looked for at once."""
    home = root.source.folder
    if home == folder:
        return root
    # A folder's name may look like a name of ours.
    prefix = os.path.relpath(home, folder).replace("{{", "{{{{") + "/"
    return _prefixed(root, shape, prefix)


def _prefixed(node: Node, shape: Shape, prefix: str) -> Node:
    value = node.value
    if shape.table is Base:
        return node
    if shape.own and isinstance(value, str):
        is_odd = not value or value.startswith("/")  # the language refuses it, as it is
        return node if is_odd else node.with_value(prefix + value)
    if isinstance(value, dict):
        return node.with_value(
            {k: _prefixed(item, shape.key(k), prefix) for k, item in value.items()}
        )
    if isinstance(value, list) and shape.each is not None:
        each = shape.each
        return node.with_value([_prefixed(item, each, prefix) for item in value])
    return node


def _wrong(item: Node, message: str) -> BlueprintError:
    return BlueprintError([item.problem(message)])
