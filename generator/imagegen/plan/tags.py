"""Which tags an event of git gives a variant."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from imagegen.language.image import Tags
from imagegen.plan.event import Event, Version, release

LOCAL_TAG = "local"
LEGAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

_GIT = re.compile(r"\{\{[ \t]*git\.([a-z.]+)[ \t]*\}\}")
_RELEASE = ("{{ git.version }}", "{{ git.version.major }}.{{ git.version.minor }}", "latest")
_FIXED = ("git.version }}", "git.tag }}", "git.sha }}")


class UnknownFact(Exception):  # noqa: N818 -- turned into a problem with a place by the caller
    """A tag names something of git that the event does not have."""


def event_tags(tags: Tags, event: Event) -> tuple[str, ...]:
    """Compute the tags of an event, before the variant's suffix; none if no rule fits.

    Raises UnknownFact.
    """
    version = release(event.tag) if event.tag else None
    if event.tag and version:
        return tuple(
            _filled(tag, _facts(event))
            for tag in tags.release or _RELEASE
            if _may_move(tag, version, event)
        )
    if event.tag is None and event.branch:
        return tuple(_filled(tag, _facts(event)) for tag in _branch_tags(tags, event.branch))
    return ()


def _branch_tags(tags: Tags, branch: str) -> Sequence[str]:
    if tags.branch is None:
        return ["{{ git.branch }}"]
    fitting = [names for glob, names in tags.branch.items() if fnmatchcase(branch, glob)]
    return list(dict.fromkeys(name for names in fitting for name in names))


def _may_move(tag: str, version: Version, event: Event) -> bool:
    """A fixed tag is always made; one that moves, only by the highest release that gives it."""
    if any(mark in tag for mark in _FIXED):
        return True
    mine = _filled(tag, _facts(event))
    for other in event.tags:
        higher = release(other)
        if higher and higher > version and mine == _filled(tag, _facts(Event(tag=other))):
            return False
    return True


def _facts(event: Event) -> Mapping[str, str]:
    facts = {}
    if event.tag:
        facts["tag"] = event.tag.replace("/", "-")
        if version := release(event.tag):
            facts["version"] = f"{version.major}.{version.minor}.{version.patch}"
            facts["version.major"] = str(version.major)
            facts["version.minor"] = str(version.minor)
            facts["version.patch"] = str(version.patch)
    if event.branch:
        facts["branch"] = event.branch.replace("/", "-")
    if event.sha:
        facts["sha"] = event.sha[:7]
    return facts


def _filled(tag: str, facts: Mapping[str, str]) -> str:
    def fact(match: re.Match[str]) -> str:
        if match[1] not in facts:
            raise UnknownFact(f"{match[0]} is not known for this event of git")
        return facts[match[1]]

    return _GIT.sub(fact, tag)
