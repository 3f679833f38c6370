"""Writing trees into folders: whole or not at all, and never over somebody else's files."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from imagegen.errors import ImagegenError
from imagegen.tree import MANIFEST, Entry, File, Link, Tree

EPOCH = 315532800
"""All files are of 1980-01-01, so that equal trees make equal layers; zip knows no earlier day.

The fraction of that second comes from the content. BuildKit takes a file whose path, size, mode and
time are those of the last build for the same, and builds with the old one (measured: Docker 26.1).
"""


class NotOurs(ImagegenError):  # noqa: N818 -- says what the folder is
    """The folder holds what imagegen did not write, or what was changed since."""


def write(tree: Tree, folder: Path, *, source: Path, overwrite: bool = False) -> bool:
    """Make the folder hold exactly the tree; False if it did already.

    The new folder is written beside the old one and takes its place when it is complete, so a
    failure leaves the old one as it was. `source` is the folder of the blueprint, which must not
    be lost whatever `overwrite` says. Raises NotOurs.
    """
    try:
        if folder.is_symlink():
            raise NotOurs(f"{folder}: is a link; give --output the folder that it leads to")
        if folder.exists() and not folder.is_dir():
            raise NotOurs(f"{folder}: is no folder; choose another --output")
        _refuse_loss(folder, source)
        manifest = manifest_of(tree)
        found = dict(files_in(folder)) if folder.is_dir() else {}
        written = written_in(folder)
        if not overwrite:
            _refuse_strangers(folder, found, written)
        if found and found == written == manifest:
            return False
        _replace(folder, tree, manifest)
    except OSError as error:
        raise _unwritten(folder, error) from None
    return True


def lay(tree: Tree, folder: Path) -> None:
    """Write a tree into a new folder; modes and times do not depend on umask and clock.

    Raises ImagegenError if the disk, or a file of the user, does not let it.
    """
    try:
        _lay(tree, folder)
    except OSError as error:
        raise _unwritten(folder, error) from None


def _lay(tree: Tree, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    for path, entry in tree.items():
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{path} would lead out of the folder")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, Link):
            target.symlink_to(entry.target)
        elif isinstance(entry.content, bytes):
            _lay_file(target, entry.content, entry.mode)
        else:
            shutil.copyfile(entry.content, target)
            target.chmod(entry.mode)
    for here, folders, names in os.walk(folder, topdown=False):
        for name in folders:
            os.utime(Path(here) / name, (EPOCH, EPOCH), follow_symlinks=False)
        for name in names:
            moment = _moment(Path(here) / name)
            os.utime(Path(here) / name, ns=(moment, moment), follow_symlinks=False)
        Path(here).chmod(0o755)
    os.utime(folder, (EPOCH, EPOCH))


def _moment(path: Path) -> int:
    if path.is_symlink():
        return EPOCH * 10**9
    digest = hashlib.sha256(path.read_bytes()).digest()
    return EPOCH * 10**9 + int.from_bytes(digest[:8]) % 10**9


def laid(folder: Path) -> Tree:
    """Read back what lies in a folder, as a tree of files that stay where they are."""
    tree: dict[PurePosixPath, Entry] = {}
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in [*names, *links]:
            path = Path(here) / name
            relative = PurePosixPath(path.relative_to(folder).as_posix())
            if path.is_symlink():
                tree[relative] = Link(str(path.readlink()))
            else:
                tree[relative] = File(path, executable=bool(path.stat().st_mode & 0o100))
    return tree


def _lay_file(path: Path, content: bytes, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def _replace(folder: Path, tree: Tree, manifest: Mapping[str, str]) -> None:
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=_beside(folder), dir=parent))
    try:
        fresh = temporary / "new"
        _lay(tree, fresh)
        _lay_file(fresh / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n", 0o644)
        _exchange(folder, fresh, temporary / "old")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(folder: Path) -> str:
    """How the name of a folder beside it begins; names may have 255 bytes."""
    return f".{folder.name[:50]}."


def _exchange(folder: Path, fresh: Path, old: Path) -> None:
    """Put the fresh folder in the place of the old; if that fails, the old one comes back."""
    try:
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except BaseException:  # an interrupt too must not lose the old one
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise


def _refuse_loss(folder: Path, source: Path) -> None:
    """Replacing the folder must take away neither the blueprint nor the ground under our feet."""
    whole = folder.resolve()
    kept = {source.resolve(): "the blueprint lies in it", Path.cwd(): "you are in it"}
    for place, why in kept.items():
        if place.is_relative_to(whole):
            raise NotOurs(f"{folder}: {why}, so it can't be replaced; choose another --output")


def _refuse_strangers(folder: Path, found: Mapping[str, str], written: Mapping[str, str]) -> None:
    strangers = sorted(name for name in found if name not in written)
    changed = sorted(name for name in written if found.get(name, written[name]) != written[name])
    for names, what in ((strangers, "not written by imagegen"), (changed, "changed since")):
        if names:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            listed = ", ".join(names[:_LISTED])
            raise NotOurs(
                f"{folder}: holds files {what}: {listed}{more}\n"
                "    choose another --output, or replace the whole folder with --overwrite"
            )


_LISTED = 3


def _unwritten(folder: Path, error: OSError) -> ImagegenError:
    """Say what the disk said, and of which file if it is the user's."""
    name = str(error.filename or folder)
    of_ours = f"/{_beside(folder)}" in name or Path(name).is_relative_to(folder)
    where = "" if of_ours else f"{name}: "
    return ImagegenError(f"{_short(folder)}: can't be written: {where}{error.strerror or error}")


def _short(path: Path) -> str:
    """Name a path; of one that is too long for a disk, what can still be read."""
    name = str(path)
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


_LONGEST = 200


def written_in(folder: Path) -> dict[str, str]:
    """Read what imagegen wrote here the last time; nothing if that can't be known."""
    manifest = folder / MANIFEST
    if not stat.S_ISREG(manifest.lstat().st_mode if os.path.lexists(manifest) else 0):
        return {}  # nor would a pipe ever end
    try:
        content = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    is_ours = isinstance(content, dict) and all(isinstance(m, str) for m in content.values())
    return content if is_ours else {}


def manifest_of(tree: Tree) -> dict[str, str]:
    return {str(path): _mark(path, tree) for path in sorted(tree)}


def _mark(path: PurePosixPath, tree: Tree) -> str:
    entry = tree[path]
    if isinstance(entry, File):
        return f"{entry.mode:o} {entry.digest()}"
    return f"link {entry.target}"


def files_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Go over the files that lie in a folder, in the manifest's terms."""
    for here, folders, names in os.walk(folder, onerror=_raise):
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in [*names, *links]:
            path = Path(here) / name
            relative = path.relative_to(folder).as_posix()
            if relative == MANIFEST:
                continue
            if path.is_symlink():
                yield relative, f"link {path.readlink()}"
            elif path.is_file():
                with path.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
                yield relative, f"{stat.S_IMODE(path.stat().st_mode):o} {content}"
            else:
                yield relative, "neither file nor link"


def _raise(error: OSError) -> None:
    raise error


def write_file(path: Path, content: str) -> bool:
    """Make the file hold exactly the text; False if it did already. Raises ImagegenError."""
    try:
        if path.is_file() and path.read_bytes() == content.encode():
            return False
        if path.is_dir():
            raise ImagegenError(f"{path}: is a folder; give a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as temporary:
            fresh = Path(temporary) / "new"
            fresh.write_bytes(content.encode())
            fresh.chmod(0o644)
            fresh.replace(path)
    except OSError as error:
        raise ImagegenError(f"{_short(path)}: can't be written: {error.strerror}") from None
    return True
