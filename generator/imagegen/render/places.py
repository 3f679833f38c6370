"""COPY lines, and the folders and links around them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from imagegen.plan.model import Placed, Plan
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP
from imagegen.render.users import ids, user_named
from imagegen.tree import Tree


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY line of its own. `source` is a name in the context or stage, `to` one in the image."""

    source: str
    to: str
    chown: str | None
    chmod: str | None
    stage: str | None = None


def copy_of(placed: Placed, source: str, plan: Plan) -> Copy:
    return Copy(source, placed.path, ids(placed.owner, plan), placed.mode)


def in_context(name: str | PurePosixPath) -> str:
    """Name something in the context; what COPY would read as a pattern is written as %XX."""
    return re.sub(r"[%*?\[\]\\]", lambda c: f"%{ord(c[0]):02X}", str(name).strip("/"))


def opened(copied: Iterable[Copy], tree: Tree) -> Iterator[str]:
    """Write the lines that open folders again: COPY gives them the mode meant for the files."""
    for copy in copied:
        mode = int(copy.chmod or "755", 8)
        search = mode | (mode & 0o444) >> 2
        if search == mode or copy.stage or not copy.source.endswith("/"):
            continue
        below = [file.relative_to(copy.source) for file in tree if file.is_relative_to(copy.source)]
        folders = {parent for file in below for parent in file.parents} - {PurePosixPath()}
        if folders:
            names = (quote(str(PurePosixPath(copy.to) / name)) for name in sorted(folders))
            yield WRAP.join([f"chmod {search:04o}", *names])


def folder_lines(plan: Plan) -> Iterator[str]:
    """Write the lines that make folders and links.

    They come before the files: COPY would give a folder that is not there the file's owner.
    """
    if plan.has_runtime:
        yield "install -d -m 1777 /run/imagegen"
    yield from (f"mkdir -p {quote(parent)}" for parent in _parents(plan))
    for placed in plan.laid_in_image:
        if placed.link is not None:
            end = " --" if placed.link.startswith("-") else ""
            yield f"ln -sfT{end} {quote(placed.link)} {quote(placed.path)}"
        elif placed.path.endswith("/") and placed.file is None:
            yield _folder(placed.path, placed.owner, placed.mode, plan)
    for name, enabled in plan.base_services.items():
        yield _switched(name, enabled=enabled)
    for volume in plan.new_volumes:
        yield _folder(volume.path, volume.owner, None, plan)


def _switched(name: str, *, enabled: bool) -> str:
    """Switch a service of the base on or off, as its runit knows it."""
    folder = f"/etc/service/{name}"
    missing = f"imagegen: the base has no service {name}"
    switch = f"rm -f {folder}/down" if enabled else f"touch {folder}/down"
    return f"if [ ! -d {folder} ]; then{WRAP}echo '{missing}' >&2;{WRAP}exit 1; fi; {switch}"


def _parents(plan: Plan) -> list[str]:
    """List the folders that links and files with an owner need, without those above others."""
    needed = {
        PurePosixPath(placed.path).parent
        for placed in plan.laid_in_image
        if placed.link is not None or (ids(placed.owner, plan) and _is_copied(placed))
    }
    above = {PurePosixPath("/")}.union(*(folder.parents for folder in needed))
    return [str(folder) for folder in sorted(needed - above)]


def _is_copied(placed: Placed) -> bool:
    return placed.text is not None or placed.file is not None


def _folder(place: str, owner: str, mode: str | None, plan: Plan) -> str:
    user = user_named(owner, plan)
    ids = f" -o {user.uid} -g {user.gid}" if user else ""
    bits = f" -m {mode}" if mode else ""
    return f"install -d{ids}{bits} {quote(place.rstrip('/'))}"
