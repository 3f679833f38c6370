"""Key paths, written as TOML writes them: services.web.health, files."/etc/x"."""

import re
from dataclasses import dataclass

import tomli

_PART = re.compile(
    r"""[A-Za-z0-9_-]+ | "(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f])*" | '[^'\x00-\x1f\x7f]*'""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Part:
    """A key of a path, and where in the text it stands."""

    key: str
    start: int
    end: int


def leading_path(text: str) -> tuple[tuple[Part, ...], int] | None:
    """Read the key path that a text begins with, and tell where it ends; None if there is none."""
    parts: list[Part] = []
    offset = 0
    while True:
        found = _PART.match(text, _skip(text, offset))
        key = _key(found[0]) if found else None
        if found is None or key is None:
            return None
        parts.append(Part(key, *found.span()))
        offset = _skip(text, found.end())
        if not text.startswith(".", offset):
            return tuple(parts), offset
        offset += 1


def key_path(text: str) -> tuple[str, ...] | None:
    """Read a text that is a key path and nothing else."""
    found = leading_path(text)
    if found is None or found[1] != len(text):
        return None
    return tuple(part.key for part in found[0])


def _skip(text: str, offset: int) -> int:
    blank = _BLANK.match(text, offset)
    return blank.end() if blank else offset


def _key(written: str) -> str | None:
    if written[0] not in "\"'":
        return written
    try:
        key: str = tomli.loads(f"x = {written}")["x"]
    except tomli.TOMLDecodeError:
        return None
    return key
