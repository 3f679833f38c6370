"""The event that a build stands for: from the CI system, or from the state of the work tree."""

import os
import subprocess
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from imagegen.errors import ImagegenError
from imagegen.plan.event import Event, from_ci, version
from imagegen.read import Variant


def event(variants: Iterable[Variant]) -> Event:
    """Tell what a build of the blueprint, and of its own bases, stands for.

    Outside CI, a changed tree and a folder outside git are nobody's release: local. Raises
    ImagegenError if git refuses to look.
    """
    variants = list(variants)
    folders = list(dict.fromkeys(_folders(variants)))
    folder = folders[0]
    versioning = variants[0].blueprint.image.versioning
    if told := from_ci(os.environ):
        return _with_git(replace(told, versioning=versioning), folder)
    committed = _git(folder, "rev-parse", "--quiet", "--verify", "HEAD")
    if not committed:
        return Event(kind="local", name="no commit of git holds the blueprint")
    if any(_git(place, "status", "--porcelain", "--", ".") for place in folders):
        return Event(kind="local", name="the work tree has changes that are not committed")
    return _state(folder, committed, versioning)


def _folders(variants: Iterable[Variant]) -> Iterable[Path]:
    for variant in variants:
        yield variant.folder
        parts = (layer.source for layer in variant.layers.documents)
        yield from (source.folder for source in parts if source.kind == "part")
        yield from _folders([variant.base] if variant.base else ())


def _with_git(told: Event, folder: Path) -> Event:
    """Add what only git knows."""
    if told.kind == "local":
        return told
    tags = _words(folder, "tag", "--list")
    return replace(
        told,
        tags=tags,
        time=_time(folder),
        describe=_describe(folder),
        is_complete=told.kind != "tag" or _is_complete(folder, tags, told.name),
    )


def _state(folder: Path, sha: str, versioning: str) -> Event:
    """Tell what a clean work tree stands for: a version, a branch, another tag, or nothing."""
    here = _words(folder, "tag", "--points-at", "HEAD")
    found = Event(
        kind="local",
        name="HEAD is on no branch and no release",
        sha=sha,
        tags=_words(folder, "tag", "--list"),
        time=_time(folder),
        describe=_describe(folder),
        versioning=versioning,
    )
    versions = sorted((known, tag) for tag in here if (known := version(tag, versioning)))
    if versions:
        known, tag = max(versions, key=lambda one: (one[0].is_final, one))
        if known.is_final and not _is_complete(folder, found.tags, tag):
            return replace(
                found,
                name=f"{tag} is in a shallow clone, which may lack other releases; "
                "run git fetch --tags --unshallow",
            )
        return replace(found, kind="tag", name=tag)
    if ref := _git(folder, "symbolic-ref", "--quiet", "HEAD"):
        return replace(found, kind="branch", name=ref.removeprefix("refs/heads/"))
    if here:
        return replace(found, kind="tag", name=here[0])
    return found


def _is_complete(folder: Path, tags: Collection[str], tag: str) -> bool:
    """Tell whether all tags are here: a shallow clone brings some, or only the one."""
    return tag in tags and _git(folder, "rev-parse", "--is-shallow-repository") != "true"


def _time(folder: Path) -> int | None:
    time = _git(folder, "log", "-1", "--format=%ct")
    return int(time) if time else None


def _describe(folder: Path) -> str:
    return _git(folder, "describe", "--tags", "--always") or ""


def _words(folder: Path, *arguments: str) -> tuple[str, ...]:
    return tuple((_git(folder, *arguments) or "").split())


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git; None where there is no git, no work tree or no answer."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except OSError:
        return None
    if "dubious ownership" in done.stderr:
        raise ImagegenError(
            f"git does not trust {folder}, which is another user's\n"
            f"    run git config --global --add safe.directory {root_of(folder)}"
        )
    return done.stdout.strip() if done.returncode == 0 else None


def root_of(folder: Path) -> Path:
    """Find the folder above (or this one) that holds .git; else this one."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def root(folder: Path) -> Path | None:
    """Find the top of the work tree; None outside git."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else None
