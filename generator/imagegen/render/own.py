"""The user's own files and folders on their way into a tree."""

import fnmatch
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from imagegen.errors import ImagegenError
from imagegen.tree import MANIFEST, Entry, File, Link

NEVER = ".git"


def own_files(
    source: Path, exclude: Sequence[str] = (), secret: Collection[Path] = ()
) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Go over a file or the content of a folder, sorted, with paths relative to it.

    Globs in `exclude` are relative to the folder; `**` stands for any number of folders. Links
    stay links. A file's path is its name. What imagegen wrote itself below the folder is no own
    file, nor are git's files, sockets and pipes, nor the files in `secret`. Raises ImagegenError
    for what can't be read.
    """
    if source.is_file():
        yield PurePosixPath(source.name), _file(source)
        return
    hidden = {path.name for path in secret}
    left_out = [_Glob(glob) for glob in exclude]
    for folder, folders, names in os.walk(source, onerror=_unreadable):
        here = Path(folder)
        if MANIFEST in names and here != source:
            folders.clear()
            continue
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(set(folders) - {NEVER} - set(links))
        for name in sorted({*names, *links} - {NEVER}):
            if name in hidden and (here / name).resolve() in secret:
                continue
            path = PurePosixPath((here / name).relative_to(source).as_posix())
            if _is_content(here / name) and not any(glob.covers(path) for glob in left_out):
                entry = _entry(here / name)
                _refuse_bytes(here / name, str(path), getattr(entry, "target", ""))
                yield path, entry


def _is_content(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _entry(path: Path) -> Entry:
    return Link(str(path.readlink())) if path.is_symlink() else _file(path)


def _file(path: Path) -> File:
    if not os.access(path, os.R_OK):
        raise ImagegenError(f"{path}: may not be read")
    return File(path, executable=bool(path.stat().st_mode & 0o100))


def _refuse_bytes(place: Path, *said: str) -> None:
    """Python's stand-ins for bytes that are no UTF-8 could not be written down again."""
    if any("\udc80" <= c <= "\udcff" for text in said for c in text):
        raise ImagegenError(f"{os.fsencode(place)!r}: names and links must be UTF-8")


def _unreadable(error: OSError) -> None:
    raise ImagegenError(f"{error.filename}: can't be read: {error.strerror}")


class _Glob:
    """A glob over paths. It goes name by name, at all its places at once: none is tried twice."""

    def __init__(self, glob: str) -> None:
        parts = glob.strip("/").split("/")
        self._parts = [None if part == "**" else _name(part) for part in parts]

    def covers(self, path: PurePosixPath) -> bool:
        """Tell whether it matches the path, or a folder that the path lies in."""
        end = len(self._parts)
        places = self._spread({0})
        for name in path.parts:
            places = self._spread({n for place in places for n in self._after(place, name)})
            if end in places:
                return True
        return False

    def _after(self, place: int, name: str) -> Iterator[int]:
        part = self._parts[place]
        last = place == len(self._parts) - 1
        if part is None:
            yield place + 1 if last else place
        elif part.fullmatch(name):
            yield place + 1

    def _spread(self, places: set[int]) -> set[int]:
        """Go past each `**`, which may stand for no folder; the last part stands for something."""
        found = set(places)
        for place in range(len(self._parts) - 1):
            if place in found and self._parts[place] is None:
                found.add(place + 1)
        return found


def _name(glob: str) -> re.Pattern[str]:
    """Translate the glob of one name, in which brackets mean themselves."""
    return re.compile(fnmatch.translate(glob.replace("[", "[[]")))
