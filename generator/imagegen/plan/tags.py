"""Which tags an event of git gives a variant."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from imagegen.errors import ImagegenError
from imagegen.language.tags import KINDS, Tags
from imagegen.plan.event import Event

LOCAL_TAG = "local"
LEGAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

_GIT = re.compile(r"\{\{[ \t]*git\.([a-z.]+)[ \t]*\}\}")
DEFAULT = Tags(
    release=("{{ git.version }}", "{{ git.version.major }}.{{ git.version.minor }}", "latest"),
    prerelease=("{{ git.version }}",),
    branch=("{{ git.branch }}",),
)
"""The rules of a blueprint without [tags]. Whoever writes some rules writes all."""

_FIXING = frozenset({"version", "tag", "sha", "describe", "date"})
_COMMIT = {"sha": "0123abc", "describe": "1.2.3-4-g0123abc", "date": "20200102", "time": "0304"}
_PARTS = {"version.major": "1", "version.minor": "2", "version.patch": "3"}
_EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "release": {"version": "1.2.3", **_PARTS, "tag": "v1.2.3", **_COMMIT},
    "prerelease": {"version": "1.2.3-rc.1", **_PARTS, "tag": "v1.2.3-rc.1", **_COMMIT},
    "tag": {"tag": "x", **_COMMIT},
    "branch": {"branch": "x", **_COMMIT},
    "schedule": {"branch": "x", **_COMMIT},
    "pull-request": {"pr": "7", **_COMMIT},
}
"""What each rule of [tags] may name, with values to try it."""

_OCCASIONS = {
    "release": "a release",
    "prerelease": "a pre-release",
    "tag": "a tag",
    "branch": "a branch",
    "schedule": "a schedule",
    "pull-request": "a pull request",
}


class UnknownFact(Exception):  # noqa: N818 -- turned into a problem with a place by the caller
    """A tag names something of git that the event does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A tag of some rule, before the event is known. `path` is where it is written."""

    kind: str
    glob: str | None
    name: str
    path: tuple[str | int, ...]

    @property
    def occasion(self) -> str:
        """Say when it is given, as in "a release", "the branch main", "a tag like x-*"."""
        if self.glob is None:
            return _OCCASIONS[self.kind]
        if self.kind == "branch":
            return f"the branch {self.glob}"
        return f"{_OCCASIONS[self.kind]} like {self.glob}"

    def fits(self, event: Event) -> bool:
        """Tell whether an event of its kind is meant; `*` crosses slashes."""
        return self.glob is None or fnmatchcase(event.name, self.glob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A tag of some future event. `lacks` is what it names and can't know."""

    named: Named
    example: str
    lacks: str | None


def named(tags: Tags, *kinds: str) -> Iterator[Named]:
    """List the tags that the rules name, in the order in which they are written."""
    rules = DEFAULT if tags == Tags() else tags
    for kind in kinds or KINDS:
        for glob, names in rules.rule(kind):
            above = ("tags", kind) if glob is None else ("tags", kind, glob)
            for number, name in enumerate(names):
                yield Named(kind=kind, glob=glob, name=name, path=(*above, number))


def event_tags(tags: Tags, event: Event, fixed: Collection[str] = ()) -> tuple[str, ...]:
    """Compute the tags of an event, before the variant's suffix; none if no rule fits.

    Those that never move come first. `fixed` are rules known to give such tags. Raises
    UnknownFact, and ImagegenError where it can't be known whether a tag may move.
    """
    if not event.rule:
        return ()
    names = _names(tags, event)
    if event.rule == "release":
        stay = [name for name in names if is_fixed(name, fixed)]
        move = [name for name in names if name not in stay]
        if move and not event.is_complete:
            raise ImagegenError(_INCOMPLETE.format(tag=_filled(move[0], event), event=event))
        names = [*stay, *(name for name in move if _may_move(tags, name, event))]
    return tuple(dict.fromkeys(_filled(name, event) for name in names))


def _names(tags: Tags, event: Event) -> list[str]:
    return [one.name for one in named(tags, event.rule) if one.fits(event)]


_INCOMPLETE = (
    'whether the tag "{tag}" may move for {event} depends on the other releases, and this clone '
    "does not have all tags of git\n"
    "    GitHub: fetch-depth: 0 for actions/checkout; GitLab: GIT_DEPTH: 0; Travis: git.depth: "
    "false; elsewhere: git fetch --tags --unshallow"
)


def foreseen(tags: Tags) -> Iterator[Foreseen]:
    """Try every rule: what is wrong with it must not wait for the release to be seen."""
    for one in named(tags):
        known = _EXAMPLES[one.kind]
        unknown = next((fact for fact in _GIT.findall(one.name) if fact not in known), None)
        if unknown:
            listed = ", ".join(f"git.{fact}" for fact in known if fact.count(".") == 0)
            what = _OCCASIONS[one.kind]
            lacks = f"{{{{ git.{unknown} }}}} is not known for {what}; known: {listed}"
            yield Foreseen(named=one, example="", lacks=lacks)
        else:
            example = _GIT.sub(lambda fact, known=known: known[fact[1]], one.name)  # type: ignore[misc]
            yield Foreseen(named=one, example=example, lacks=None)


def rivals(tags: Tags, fixed: Collection[str] = ()) -> Iterator[tuple[Named, Named]]:
    """Find tags that two events move, so that who comes last has it: the later, the earlier."""
    first: dict[str, Named] = {}
    for one in named(tags):
        if is_fixed(one.name, fixed):
            continue
        other = first.setdefault(one.name, one)
        if one.kind != other.kind:
            yield one, other


def settled(text: str, event: Event) -> str | None:
    """Fill in what git says; None if the event does not know it."""
    try:
        return _filled(text, event)
    except UnknownFact:
        return None


def names_git(text: str) -> bool:
    return _GIT.search(text) is not None


def is_fixed(name: str, fixed: Collection[str] = ()) -> bool:
    """Tell whether a tag is of one commit or version alone, and so never moves."""
    return name in fixed or any(fact in _FIXING for fact in _GIT.findall(name))


def _may_move(tags: Tags, name: str, event: Event) -> bool:
    """Only the highest of the releases that give a tag may move it."""
    mine = _filled(name, event)
    higher = (other for tag in event.tags if _is_higher(other := event.of(tag), event))
    return not any(mine == _filled(n, other) for other in higher for n in _names(tags, other))


def _is_higher(other: Event, event: Event) -> bool:
    here, there = event.version, other.version
    return here is not None and there is not None and there.is_final and there > here


def _facts(event: Event) -> Mapping[str, str]:
    """What `git.*` means for the event."""
    facts = {"sha": event.sha[:7], "describe": _legal(event.describe)}
    if event.kind == "tag":
        facts["tag"] = _legal(event.name)
    if version := event.version:
        facts["version"] = str(version)
        for part in ("major", "minor", "patch"):
            facts[f"version.{part}"] = str(getattr(version, part))
    if event.kind in ("branch", "schedule"):
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
