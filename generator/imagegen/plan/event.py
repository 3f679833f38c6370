"""What happened in git: the one thing outside the blueprint that tags depend on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["branch", "tag", "schedule", "pull-request", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A state of git, or an event of a CI system.

    `name` is the branch (also of a schedule), the tag or the number of the pull request; of a local
    state, why it is nobody's release. `sha` is the full id of the commit, `time` its time in
    seconds since 1970, `describe` what git calls it. `tags` are the tags of the repository: they
    decide whether a moving tag may move, if they `is_complete`. `versioning` is how they are read.
    """

    kind: Kind
    name: str
    sha: str = ""
    tags: tuple[str, ...] = ()
    time: int | None = None
    describe: str = ""
    is_complete: bool = True
    versioning: str = "semver"

    @property
    def version(self) -> "Version | None":
        """The version that the tag names, final or not; None if there is no tag, or no version."""
        return version(self.name, self.versioning) if self.kind == "tag" else None

    @property
    def rule(self) -> str:
        """Which rule of [tags] the event is for; empty for a local state."""
        if self.kind == "local":
            return ""
        if self.kind != "tag":
            return self.kind
        return "tag" if not self.version else "release" if self.version.is_final else "prerelease"

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
    known: dict[str, Kind] = {
        "tags": "tag",
        "heads": "schedule" if kind == "schedule" else "branch",
    }
    return _event(known.get(what, "local"), name, environment.get("GITHUB_SHA", ""))


def _gitlab(environment: Mapping[str, str]) -> Event:
    sha = environment.get("CI_COMMIT_SHA", "")
    for variable in ("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"):
        if number := environment.get(variable):
            return _event("pull-request", number, sha)
    if tag := environment.get("CI_COMMIT_TAG"):
        return _event("tag", tag, sha)
    clock = environment.get("CI_PIPELINE_SOURCE") == "schedule"
    branch = environment.get("CI_COMMIT_BRANCH", "")
    return _event("schedule" if clock else "branch", branch, sha)


def _travis(environment: Mapping[str, str]) -> Event:
    sha = environment.get("TRAVIS_COMMIT", "")
    if (number := environment.get("TRAVIS_PULL_REQUEST") or "false") != "false":
        return _event("pull-request", number, sha)
    if tag := environment.get("TRAVIS_TAG"):
        return _event("tag", tag, sha)
    clock = environment.get("TRAVIS_EVENT_TYPE") == "cron"
    return _event("schedule" if clock else "branch", environment.get("TRAVIS_BRANCH", ""), sha)


def _event(kind: Kind, name: str, sha: str) -> Event:
    return Event(kind=kind, name=name, sha=sha) if name and kind != "local" else _ODD


_SEMVER = re.compile(
    r"v?(?P<major>0|[1-9][0-9]*)\.(?P<minor>0|[1-9][0-9]*)\.(?P<patch>0|[1-9][0-9]*)"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version that a git tag names, compared by its rank among those of its kind."""

    rank: Any
    text: str = field(compare=False)
    major: int = field(compare=False)
    minor: int = field(compare=False)
    patch: int = field(compare=False)
    is_final: bool = field(compare=False)

    def __str__(self) -> str:
        return self.text


def version(tag: str, versioning: str = "semver") -> Version | None:
    """Read a version off a git tag, with or without a v before it."""
    return _pep440(tag) if versioning == "pep440" else _semver(tag)


def release(tag: str, versioning: str = "semver") -> Version | None:
    """Read a release off a git tag: v1.2.3 or 1.2.3; a pre-release or anything else is None."""
    found = version(tag, versioning)
    return found if found and found.is_final else None


def _semver(tag: str) -> Version | None:
    found = _SEMVER.fullmatch(tag)
    if not found:
        return None
    major, minor, patch = (int(found[part]) for part in ("major", "minor", "patch"))
    pre = found["pre"]
    # Before the release; numbers as numbers and before words (semver.org, 11.4).
    words = tuple((0, int(w), "") if w.isdigit() else (1, 0, w) for w in (pre or "").split("."))
    return Version(
        rank=(major, minor, patch, not pre, words),
        text=f"{major}.{minor}.{patch}{f'-{pre}' if pre else ''}",
        major=major,
        minor=minor,
        patch=patch,
        is_final=not pre,
    )


def _pep440(tag: str) -> Version | None:
    from packaging.version import InvalidVersion  # noqa: PLC0415 -- most versions are semver
    from packaging.version import Version as Pep440  # noqa: PLC0415

    try:
        found = Pep440(tag)
    except InvalidVersion:
        return None
    return Version(
        rank=found,
        text=found.public.replace("!", "-"),
        major=found.major,
        minor=found.minor,
        patch=found.micro,
        is_final=not found.is_prerelease,
    )
