"""What git says of a working tree: the event that a build on this machine stands for."""

import subprocess
from pathlib import Path

from imagegen.plan.event import LOCAL, Event, release


def event(folder: Path) -> Event:
    """Read the state of the work tree that holds the folder.

    A changed tree, a folder outside git and a machine without git all give LOCAL: such a build
    is nobody's release.
    """
    if _git(folder, "status", "--porcelain", "--", ".") != "":
        return LOCAL
    sha = _git(folder, "rev-parse", "--verify", "HEAD")
    if not sha:
        return LOCAL
    here = (_git(folder, "tag", "--points-at", "HEAD") or "").split()
    releases = sorted((version, tag) for tag in here if (version := release(tag)))
    return Event(
        branch=_git(folder, "symbolic-ref", "--short", "--quiet", "HEAD") or None,
        tag=releases[-1][1] if releases else None,
        sha=sha,
        tags=tuple((_git(folder, "tag", "--list") or "").split()),
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git; None where there is no git, no work tree or no answer."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
