"""The user's own files and folders on their way into a tree."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from imagegen.tree import Entry, File, Link

NEVER = ".git"


def own_files(source: Path, exclude: Sequence[str] = ()) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Go over a file or the content of a folder, sorted, with paths relative to it.

    Globs in `exclude` are relative to the folder; `**` crosses slashes. Links stay links. A
    file's path is its name.
    """
    if source.is_file():
        yield PurePosixPath(source.name), _file(source)
        return
    left_out = [_pattern(glob) for glob in exclude]
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(set(folders) - {NEVER} - set(links))
        for name in sorted([*names, *links]):
            path = PurePosixPath((here / name).relative_to(source).as_posix())
            if not any(pattern.match(str(path)) for pattern in left_out):
                yield path, _entry(here / name)


def _entry(path: Path) -> Entry:
    return Link(str(path.readlink())) if path.is_symlink() else _file(path)


def _file(path: Path) -> File:
    return File(path, executable=bool(path.stat().st_mode & 0o100))


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob: a match covers the path, or a folder that it lies in."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", glob.strip("/"))
    return re.compile("".join(parts.get(t, re.escape(t)) for t in tokens) + r"(?:/|\Z)", re.DOTALL)
