"""What happened in git: the one thing outside the blueprint that tags depend on."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A state of git. With neither a branch nor a tag it is nobody's release: `local`.

    `tag` is the tag that is built; `tags` are all tags of the repository, which decide whether
    a moving tag may move. `sha` is the full commit id.
    """

    branch: str | None = None
    tag: str | None = None
    sha: str | None = None
    tags: tuple[str, ...] = ()


LOCAL = Event()

_SEMVER = re.compile(
    r"v?(?P<major>0|[1-9][0-9]*)\.(?P<minor>0|[1-9][0-9]*)\.(?P<patch>0|[1-9][0-9]*)"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version without pre-release, comparable."""

    major: int
    minor: int
    patch: int


def release(tag: str) -> Version | None:
    """Read a release off a git tag: v1.2.3 or 1.2.3; a pre-release or anything else is None."""
    found = _SEMVER.fullmatch(tag)
    if not found or found["pre"]:
        return None
    return Version(int(found["major"]), int(found["minor"]), int(found["patch"]))
