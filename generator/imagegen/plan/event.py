"""What happened in git: the one thing outside the blueprint that tags depend on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["branch", "tag", "pull-request", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A state of git, or an event of a CI system.

    `name` is the branch, the tag or the number of the pull request; of a local state, why it is
    nobody's release. `sha` is the full id of the commit, `time` its time in seconds since 1970,
    `describe` what git calls it. `tags` are the tags of the repository: they decide whether a
    moving tag may move, if they `is_complete`.
    """

    kind: Kind
    name: str
    sha: str = ""
    tags: tuple[str, ...] = ()
    time: int | None = None
    describe: str = ""
    is_complete: bool = True

    def __str__(self) -> str:
        return self.name if self.kind == "local" else f"{self.kind.replace('-', ' ')} {self.name}"

    def of(self, tag: str) -> "Event":
        """The same for another tag, as far as its name tells."""
        return replace(self, name=tag)


LOCAL = Event(kind="local", name="no event")
_ODD = Event(kind="local", name="the CI event is of no branch, tag or pull request")


def from_ci(environment: Mapping[str, str]) -> Event | None:
    """Read the event off the environment of GitHub Actions, GitLab CI or Travis; else None."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    if environment.get("TRAVIS") == "true":
        return _travis(environment)
    return None


def _github(environment: Mapping[str, str]) -> Event:
    """Read GITHUB_REF, refs/heads/main or refs/tags/v1 or refs/pull/7/merge.

    With pull_request_target it is the branch that is asked to pull, and a merge queue has
    branches of its own: neither is that branch's push.
    """
    ref, kind = environment.get("GITHUB_REF", ""), environment.get("GITHUB_EVENT_NAME", "")
    _, what, name = [*ref.split("/", 2), "", ""][:3]
    if kind.startswith("pull_request") or kind == "merge_group" or what == "pull":
        asked = name.partition("/")[0] if what == "pull" else environment.get("GITHUB_HEAD_REF", "")
        return _event("pull-request", asked or name, environment.get("GITHUB_SHA", ""))
    known: dict[str, Kind] = {"tags": "tag", "heads": "branch"}
    return _event(known.get(what, "local"), name, environment.get("GITHUB_SHA", ""))


def _gitlab(environment: Mapping[str, str]) -> Event:
    sha = environment.get("CI_COMMIT_SHA", "")
    for variable in ("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"):
        if number := environment.get(variable):
            return _event("pull-request", number, sha)
    if tag := environment.get("CI_COMMIT_TAG"):
        return _event("tag", tag, sha)
    return _event("branch", environment.get("CI_COMMIT_BRANCH", ""), sha)


def _travis(environment: Mapping[str, str]) -> Event:
    sha = environment.get("TRAVIS_COMMIT", "")
    if (number := environment.get("TRAVIS_PULL_REQUEST") or "false") != "false":
        return _event("pull-request", number, sha)
    if tag := environment.get("TRAVIS_TAG"):
        return _event("tag", tag, sha)
    return _event("branch", environment.get("TRAVIS_BRANCH", ""), sha)


def _event(kind: Kind, name: str, sha: str) -> Event:
    return Event(kind=kind, name=name, sha=sha) if name and kind != "local" else _ODD


_SEMVER = re.compile(
    r"v?(?P<major>0|[1-9][0-9]*)\.(?P<minor>0|[1-9][0-9]*)\.(?P<patch>0|[1-9][0-9]*)"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
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


def prerelease(tag: str) -> str | None:
    """Read the version off the git tag of a pre-release, such as v1.2.3-rc.1."""
    found = _SEMVER.fullmatch(tag)
    if not found or not found["pre"]:
        return None
    return f"{found['major']}.{found['minor']}.{found['patch']}-{found['pre']}"
