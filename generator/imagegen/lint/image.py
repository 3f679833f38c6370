"""Rules about what the image is built on, and the modes of what lies in it."""

import re
from collections.abc import Iterator

from imagegen.errors import quoted
from imagegen.lint.finding import Found
from imagegen.lint.subject import Subject
from imagegen.read.locate import KeyPath

_MOVING = frozenset(
    {
        *("latest", "edge", "nightly", "rolling", "devel", "dev", "main", "master", "current"),
        *("stable", "oldstable", "testing", "unstable", "sid"),
    }
)
_STICKY, _SETGID, _SETUID = 0o1000, 0o2000, 0o4000
_EVERYBODY = 0o002

_NUMBER = r"(?P<number>[0-7]{3,4})\b"
_CHMOD = re.compile(
    rf"\bchmod[ \t]+(?:-\S+[ \t]+)*(?:{_NUMBER}"
    r"|(?P<letters>[ugoa]{0,9}[-+=][-+=,ugoarwxXst]{0,30}))"
)
_MAKE = re.compile(rf"\b(?:install|mkdir)\b[^;&|\n]{{0,500}}?[ \t](?:-m[ \t]*|--mode[= ]){_NUMBER}")
_OPENS = re.compile(r"(?:^|,)[ug]*[oa][ugoa]*(?:-[rwxXst]*)*[+=][rxXst]*w")
_RAISES = re.compile(r"(?:^|,)[ugoa]*[+=][rwxX]*s")


def _base(s: Subject) -> Iterator[Found]:
    reference = s.blueprint.image.base.image
    if reference is None or "@" in reference:
        return
    place = ("image", "base", "image")
    _, _, tag = reference.rpartition("/")[2].partition(":")
    if not tag:
        message = f"{quoted(reference)} has no tag, which means latest: another image one day"
        yield s.found("IG101", place, message)
    elif tag.partition("-")[0] in _MOVING:
        message = f"the tag {quoted(tag)} becomes another release one day"
        yield s.found("IG101", place, message)
    else:
        yield s.found("IG102", place, "has no digest: a tag is moved with every update")


def _modes(s: Subject) -> Iterator[Found]:
    declared: list[tuple[KeyPath, str | None, bool]] = [
        *(
            (("files", path, "mode"), c.mode, path.endswith("/"))
            for path, c in s.blueprint.files.items()
        ),
        *((("steps", n, "mode"), step.mode, False) for n, step in enumerate(s.blueprint.steps)),
    ]
    for place, mode, is_folder in declared:
        bits = int(mode or "0", 8)
        if bits & _EVERYBODY and not (is_folder and bits & _STICKY):
            yield s.found("IG501", place, f"everybody may write there with the mode {mode}")
        if bits & _SETUID or (bits & _SETGID and not is_folder):
            yield s.found("IG502", place, f"the mode {mode} lets a file run as somebody else")


def _commands(s: Subject) -> Iterator[Found]:
    """Look at what steps do to modes; a setgid folder is fine, and chmod does not tell."""
    for place, text in s.step_shell:
        for match in (*_CHMOD.finditer(text), *_MAKE.finditer(text)):
            groups = match.groupdict()
            bits, letters = int(groups["number"] or "0", 8), groups.get("letters") or ""
            said = " ".join(match[0].split())
            if (bits & _EVERYBODY and not bits & _STICKY) or _OPENS.search(letters):
                message = f"{quoted(said)} lets everybody write"
                yield s.found("IG501", place, message, within=match[0])
            if bits & _SETUID or _RAISES.search(letters):
                message = f"{quoted(said)} lets a file run as somebody else"
                yield s.found("IG502", place, message, within=match[0])


CHECKS = (_base, _modes, _commands)
