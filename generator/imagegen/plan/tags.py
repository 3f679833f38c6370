"""Which tags an event of git gives a variant."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from imagegen.language.image import Tags
from imagegen.plan.event import Event, Version, release

LOCAL_TAG = "local"
LEGAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

_GIT = re.compile(r"\{\{[ \t]*git\.([a-z.]+)[ \t]*\}\}")
DEFAULT = Tags(
    release=("{{ git.version }}", "{{ git.version.major }}.{{ git.version.minor }}", "latest"),
    branch={"*": ("{{ git.branch }}",)},
)
"""The rules of a blueprint without [tags]. Whoever writes some rules writes all."""

_FIXING = frozenset({"version", "tag", "sha"})


class UnknownFact(Exception):  # noqa: N818 -- turned into a problem with a place by the caller
    """A tag names something of git that the event does not have."""


def event_tags(tags: Tags, event: Event) -> tuple[str, ...]:
    """Compute the tags of an event, before the variant's suffix; none if no rule fits.

    Raises UnknownFact.
    """
    tags = DEFAULT if tags == Tags() else tags
    if event.kind == "tag" and (version := release(event.name)):
        names = tags.release or ()
        found = (_filled(name, event) for name in names if _may_move(name, version, event))
    elif event.kind == "branch":
        found = (_filled(name, event) for name in _branch_names(tags, event.name))
    else:
        return ()
    return tuple(dict.fromkeys(found))


def settled(text: str, event: Event) -> str | None:
    """Fill in what git says; None if the event does not know it."""
    try:
        return _filled(text, event)
    except UnknownFact:
        return None


def names_git(text: str) -> bool:
    return _GIT.search(text) is not None


def _branch_names(tags: Tags, branch: str) -> Iterator[str]:
    """Every glob that fits the branch adds its tags; `*` crosses slashes."""
    for glob, names in (tags.branch or {}).items():
        if fnmatchcase(branch, glob):
            yield from names


def _may_move(name: str, version: Version, event: Event) -> bool:
    """A fixed tag is always made; one that moves, only by the highest release that gives it."""
    if any(fact in _FIXING for fact in _GIT.findall(name)):
        return True
    mine = _filled(name, event)
    rivals = (other for other in event.tags if (found := release(other)) and found > version)
    return all(mine != _filled(name, Event(kind="tag", name=other)) for other in rivals)


def _facts(event: Event) -> Mapping[str, str]:
    """What `git.*` means for the event. A slash is not legal in a tag."""
    facts = {}
    if event.kind == "tag":
        facts["tag"] = event.name.replace("/", "-")
        if version := release(event.name):
            facts["version"] = str(version)
            for part in ("major", "minor", "patch"):
                facts[f"version.{part}"] = str(getattr(version, part))
    if event.kind == "branch":
        facts["branch"] = event.name.replace("/", "-")
    if event.sha:
        facts["sha"] = event.sha[:7]
    return facts


def _filled(name: str, event: Event) -> str:
    facts = _facts(event)

    def fact(match: re.Match[str]) -> str:
        if match[1] not in facts:
            raise UnknownFact(f"{match[0]} is not known for {event}")
        return facts[match[1]]

    return _GIT.sub(fact, name)
