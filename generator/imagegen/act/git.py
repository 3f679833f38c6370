"""The event that a build stands for: from the CI system, or from the state of the work tree."""

import os
import subprocess
from pathlib import Path

from imagegen.plan.event import Event, from_ci, release


def event(folder: Path) -> Event:
    """Tell what a build of the blueprint in this folder stands for.

    Outside CI, a changed tree and a folder outside git are nobody's release: local.
    """
    tags = tuple((_git(folder, "tag", "--list") or "").split())
    return from_ci(os.environ, tags) or _state(folder, tags)


def _state(folder: Path, tags: tuple[str, ...]) -> Event:
    changes = _git(folder, "status", "--porcelain", "--", ".")
    sha = _git(folder, "rev-parse", "--quiet", "--verify", "HEAD")
    if changes is None or not sha:
        return Event(kind="local", name="no commit of git holds the blueprint")
    if changes:
        return Event(kind="local", name="the work tree has changes that are not committed")
    here = (_git(folder, "tag", "--points-at", "HEAD") or "").split()
    releases = sorted((version, tag) for tag in here if (version := release(tag)))
    if releases:
        return Event(kind="tag", name=releases[-1][1], sha=sha, tags=tags)
    branch = _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    if branch:
        return Event(kind="branch", name=branch, sha=sha, tags=tags)
    return Event(kind="local", name="HEAD is on no branch and no release", sha=sha)


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git; None where there is no git, no work tree or no answer."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def root(folder: Path) -> Path | None:
    """Find the top of the work tree; None outside git."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else None
