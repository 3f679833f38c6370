"""Which tags an event of git gives a variant."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from imagegen.errors import ImagegenError
from imagegen.language.tags import Tags
from imagegen.plan.event import Event, Version, prerelease, release

LOCAL_TAG = "local"
LEGAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

_GIT = re.compile(r"\{\{[ \t]*git\.([a-z.]+)[ \t]*\}\}")
DEFAULT = Tags(
    release=("{{ git.version }}", "{{ git.version.major }}.{{ git.version.minor }}", "latest"),
    branch={"*": ("{{ git.branch }}",)},
)
"""The rules of a blueprint without [tags]. Whoever writes some rules writes all."""

_PRERELEASE = ("{{ git.version }}",)
"""What a pre-release gives by those rules."""

_FIXING = frozenset({"version", "tag", "sha", "describe", "date"})
_COMMIT = {"sha": "0123abc", "describe": "1.2.3-4-g0123abc", "date": "20200102", "time": "0304"}
_EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "release": {
        "version": "1.2.3",
        "version.major": "1",
        "version.minor": "2",
        "version.patch": "3",
        "tag": "v1.2.3",
        **_COMMIT,
    },
    "branch": {"branch": "x", **_COMMIT},
}
"""What each rule of [tags] may name, with values to try it."""


class UnknownFact(Exception):  # noqa: N818 -- turned into a problem with a place by the caller
    """A tag names something of git that the event does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A tag of some future event. `path` is where it is written, `lacks` what it can't know."""

    path: tuple[str | int, ...]
    occasion: str
    example: str
    lacks: str | None


def event_tags(tags: Tags, event: Event, fixed: Collection[str] = ()) -> tuple[str, ...]:
    """Compute the tags of an event, before the variant's suffix; none if no rule fits.

    Those that never move come first. `fixed` are rules known to give such tags. Raises
    UnknownFact, and ImagegenError where it can't be known whether a tag may move.
    """
    rules = DEFAULT if tags == Tags() else tags
    if event.kind == "tag" and (version := release(event.name)):
        names = rules.release or ()
        stay = [name for name in names if name in fixed or _is_fixed(name)]
        move = [name for name in names if name not in stay]
        if move and not event.is_complete:
            raise ImagegenError(_INCOMPLETE.format(tag=_filled(move[0], event), event=event))
        found = [*stay, *(name for name in move if _may_move(name, version, event))]
    elif event.kind == "tag" and prerelease(event.name):
        found = list(_PRERELEASE if rules is DEFAULT else ())
    elif event.kind == "branch":
        found = list(_branch_names(rules, event.name))
    else:
        return ()
    return tuple(dict.fromkeys(_filled(name, event) for name in found))


_INCOMPLETE = (
    'whether the tag "{tag}" may move for {event} depends on the other releases, and this clone '
    "does not have all tags of git\n"
    "    GitHub: fetch-depth: 0 for actions/checkout; GitLab: GIT_DEPTH: 0; Travis: git.depth: "
    "false; elsewhere: git fetch --tags --unshallow"
)


def foreseen(tags: Tags) -> Iterator[Foreseen]:
    """Try every rule: what is wrong with it must not wait for the release to be seen."""
    rules = DEFAULT if tags == Tags() else tags
    for number, name in enumerate(rules.release or ()):
        yield _tried("release", name, ("tags", "release", number), "a release")
    for glob, names in (rules.branch or {}).items():
        for number, name in enumerate(names):
            yield _tried("branch", name, ("tags", "branch", glob, number), f"the branch {glob}")


def _tried(kind: str, name: str, path: tuple[str | int, ...], occasion: str) -> Foreseen:
    known = _EXAMPLES[kind]
    unknown = next((fact for fact in _GIT.findall(name) if fact not in known), None)
    if unknown:
        listed = ", ".join(f"git.{fact}" for fact in known if fact.count(".") == 0)
        lacks = f"{{{{ git.{unknown} }}}} is not known for a {kind}; known: {listed}"
        return Foreseen(path=path, occasion=occasion, example="", lacks=lacks)
    example = _GIT.sub(lambda fact: known[fact[1]], name)
    return Foreseen(path=path, occasion=occasion, example=example, lacks=None)


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


def _is_fixed(name: str) -> bool:
    return any(fact in _FIXING for fact in _GIT.findall(name))


def _may_move(name: str, version: Version, event: Event) -> bool:
    """Only the highest of the releases that give a tag may move it."""
    mine = _filled(name, event)
    rivals = (other for other in event.tags if (found := release(other)) and found > version)
    return all(mine != _filled(name, event.of(other)) for other in rivals)


def _facts(event: Event) -> Mapping[str, str]:
    """What `git.*` means for the event."""
    facts = {"sha": event.sha[:7], "describe": _legal(event.describe)}
    if event.kind == "tag":
        facts["tag"] = _legal(event.name)
        if version := release(event.name):
            facts["version"] = str(version)
            for part in ("major", "minor", "patch"):
                facts[f"version.{part}"] = str(getattr(version, part))
        elif pre := prerelease(event.name):
            facts["version"] = pre
    if event.kind == "branch":
        facts["branch"] = _legal(event.name)
    if event.kind == "pull-request":
        facts["pr"] = _legal(event.name)
    if event.time is not None:
        committed = datetime.fromtimestamp(event.time, UTC)
        facts |= {"date": f"{committed:%Y%m%d}", "time": f"{committed:%H%M}"}
    return {name: fact for name, fact in facts.items() if fact}


def _legal(name: str) -> str:
    """Write a name of git, which may hold slashes and much else, as it can stand in a tag."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".-")


def _filled(name: str, event: Event) -> str:
    facts = _facts(event)

    def fact(match: re.Match[str]) -> str:
        if match[1] not in facts:
            raise UnknownFact(f"{match[0]} is not known for {event}")
        return facts[match[1]]

    return _GIT.sub(fact, name)
