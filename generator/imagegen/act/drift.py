"""What lies in a folder, against what would be written there."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagegen.act.folder import files_in, manifest_of, written_in
from imagegen.errors import ImagegenError
from imagegen.read.source import is_there
from imagegen.tree import MANIFEST, Entry, File, Link, Tree


@dataclass(frozen=True, slots=True)
class Drift:
    """Names of files that are not there, that are other, and that should not be there."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.extra)


def drift(tree: Tree, folder: Path) -> Drift:
    """Compare a folder with what `write` would make of it; writes nothing.

    The manifest counts as a file. Raises ImagegenError if the folder can't be read.
    """
    wanted = manifest_of(tree)
    if not is_there(folder):
        return Drift((*sorted(wanted), MANIFEST), (), ())
    there = _there(folder)
    listed = written_in(folder)
    missing = [name for name in wanted if name not in there]
    changed = [name for name, mark in wanted.items() if there.get(name, mark) != mark]
    if listed != wanted:
        (changed if (folder / MANIFEST).exists() else missing).append(MANIFEST)
    extra = [name for name in there if name not in wanted]
    return Drift(*(tuple(sorted(names)) for names in (missing, changed, extra)))


def lying(folder: Path) -> Tree:
    """Read a folder as a tree. Raises ImagegenError if there is none, or it can't be read."""
    if not is_there(folder) or not folder.is_dir():
        raise ImagegenError(f"{folder}: nothing is rendered there; imagegen render writes it")
    tree: dict[PurePosixPath, Entry] = {}
    for name, mark in _there(folder).items():
        path = folder / name
        if mark.startswith("link "):
            tree[PurePosixPath(name)] = Link(mark.removeprefix("link "))
        elif path.is_file():
            executable = bool(path.stat().st_mode & stat.S_IXUSR)
            tree[PurePosixPath(name)] = File(path, executable=executable)
    return tree


def _there(folder: Path) -> Mapping[str, str]:
    if not folder.is_dir():
        return {}
    try:
        return dict(files_in(folder))
    except OSError as error:
        raise ImagegenError(f"{error.filename or folder}: {error.strerror}") from None
