"""What happened in git: the one thing outside the blueprint that tags depend on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["branch", "tag", "pull-request", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A state of git, or an event of a CI system.

    `name` is the branch, the tag or the number of the pull request; of a local state, why it is
    nobody's release. `sha` is the full commit id. `tags` are all tags of the repository: they
    decide whether a moving tag may move.
    """

    kind: Kind
    name: str
    sha: str = ""
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name if self.kind == "local" else f"{self.kind.replace('-', ' ')} {self.name}"


LOCAL = Event(kind="local", name="no event")


def from_ci(environment: Mapping[str, str], tags: tuple[str, ...]) -> Event | None:
    """Read the event off the environment of GitHub Actions, GitLab CI or Travis; else None."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment, tags)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment, tags)
    if environment.get("TRAVIS") == "true":
        return _travis(environment, tags)
    return None


def _github(environment: Mapping[str, str], tags: tuple[str, ...]) -> Event:
    sha = environment.get("GITHUB_SHA", "")
    _, what, name = [*environment.get("GITHUB_REF", "").split("/", 2), "", ""][:3]
    if what == "pull" or environment.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        return Event(kind="pull-request", name=name.partition("/")[0], sha=sha, tags=tags)
    if what == "tags":
        return Event(kind="tag", name=name, sha=sha, tags=tags)
    return Event(kind="branch", name=name, sha=sha, tags=tags)


def _gitlab(environment: Mapping[str, str], tags: tuple[str, ...]) -> Event:
    sha = environment.get("CI_COMMIT_SHA", "")
    if number := environment.get("CI_MERGE_REQUEST_IID"):
        return Event(kind="pull-request", name=number, sha=sha, tags=tags)
    if tag := environment.get("CI_COMMIT_TAG"):
        return Event(kind="tag", name=tag, sha=sha, tags=tags)
    return Event(kind="branch", name=environment.get("CI_COMMIT_BRANCH", ""), sha=sha, tags=tags)


def _travis(environment: Mapping[str, str], tags: tuple[str, ...]) -> Event:
    sha = environment.get("TRAVIS_COMMIT", "")
    if (number := environment.get("TRAVIS_PULL_REQUEST", "false")) != "false":
        return Event(kind="pull-request", name=number, sha=sha, tags=tags)
    if tag := environment.get("TRAVIS_TAG"):
        return Event(kind="tag", name=tag, sha=sha, tags=tags)
    return Event(kind="branch", name=environment.get("TRAVIS_BRANCH", ""), sha=sha, tags=tags)


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

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def release(tag: str) -> Version | None:
    """Read a release off a git tag: v1.2.3 or 1.2.3; a pre-release or anything else is None."""
    found = _SEMVER.fullmatch(tag)
    if not found or found["pre"]:
        return None
    return Version(int(found["major"]), int(found["minor"]), int(found["patch"]))
