"""Strings with a meaning: durations, modes, paths, names. Each refuses what it can't mean."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, Strict

from imagegen.errors import quoted
from imagegen.language.paths import key_path
from imagegen.language.references import VARIABLE

T = TypeVar("T")

# Strict mode would refuse TOML's list for a tuple; the items stay strict.
Many: TypeAlias = Annotated[tuple[T, ...], Strict(strict=False)]


@dataclass(frozen=True)
class Kind:
    """What sort of string this is: for people in words, for editors as a pattern.

    The pattern refuses only what is surely wrong; the validator beside it says the rest, better.
    """

    words: str
    pattern: str = ""
    example: str = ""
    hint: str = ""


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 366 * 86400


def seconds(duration: str) -> int:
    """Whole seconds of a duration such as "90s", "5m" or "1h30m"."""
    return sum(
        int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([smhd])", duration)
    )


def _duration(value: str) -> str:
    if not re.fullmatch(r"(?:[0-9]{1,9}[smhd])+", value):
        raise ValueError(
            f"{quoted(value)} is no duration; write a number and a unit: s, m, h or d, as in "
            '"30s", "5m" or "7d"'
        )
    if seconds(value) > _LONGEST:
        raise ValueError(f"{quoted(value)} is longer than a year")
    return value


def _positive(value: str) -> str:
    if not seconds(_duration(value)):
        raise ValueError("must be at least 1s")
    return value


def _mode(value: str) -> str:
    if not re.fullmatch(r"[0-7]{3,4}", value):
        raise ValueError(f'{quoted(value)} is no file mode; write octal digits, as in "0644"')
    return value


def _size(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}(?:B|[KMG]iB)", value):
        raise ValueError(
            f"{quoted(value)} is no size; write a number and a unit: B, KiB, MiB or GiB, as in "
            '"64MiB"'
        )
    return value


def size_in_bytes(size: str) -> int:
    """Whole bytes of a size such as "64MiB"."""
    number, unit = re.fullmatch(r"([0-9]+)([A-Za-z]+)", size).groups()  # type: ignore[union-attr]
    return int(number) * {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]


def in_the_image(value: str) -> str:
    """Refuse what is no path in the image."""
    if not value.startswith("/"):
        raise ValueError(
            f"{quoted(value)} is no path in the image; these are absolute: they begin with /"
        )
    if ".." in value.split("/"):
        raise ValueError(f"{quoted(value)} must not contain ..")
    if "//" in value or "/./" in value:
        raise ValueError(f"{quoted(value)} must not contain // or /./: each place has one path")
    return _printable(value)


def _cache(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._+@/-]+", value):
        raise ValueError(
            f"{quoted(value)} can't be a cache; give a folder below / with letters, digits and "
            "._+@- in its name"
        )
    return value.rstrip("/")


def _own(value: str) -> str:
    if not value:
        raise ValueError("the name of a file is missing")
    if value.startswith("/"):
        raise ValueError(
            f"{quoted(value)} is absolute; your files are named relative to the blueprint"
        )
    return _printable(value)


def is_file_of_a_part(value: str) -> bool:
    """Tell a path from a ready-made name in `extends`."""
    return "/" in value or value.endswith(".toml")


def _part(value: str) -> str:
    if is_file_of_a_part(value):
        return _own(value)
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", value):
        raise ValueError(
            f"{quoted(value)} is no part; write the name of a ready-made one, or a path with / or "
            '.toml, as in "parts/java.toml"'
        )
    return value


def _removed(value: str) -> str:
    if key_path(value) is None:
        raise ValueError(
            f"{quoted(value)} is no path of keys; write it as TOML does, as in "
            "services.web.health, or files.\"/etc/x\" with quotes inside '…'"
        )
    return value


def _printable(value: str) -> str:
    """Refuse control characters: no Dockerfile, crontab or environment can carry them safely."""
    bad = next((c for c in value if not c.isprintable()), None)
    if bad is not None:
        if bad in "\r\n":
            raise ValueError("must be one line")
        name = unicodedata.name(bad, "a control character")
        raise ValueError(f"must not contain U+{ord(bad):04X} ({name.lower()})")
    return value


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain the NUL character")
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


CRON_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
"""What cron's words mean, for those who take fields only."""


def _schedule(value: str) -> str:
    if value in CRON_WORDS:
        return value
    fields = value.split()
    if len(fields) != len(_CRON):
        raise ValueError(
            f"{quoted(value)} is no schedule; write five cron fields (minute hour day month "
            f"weekday) or {', '.join(CRON_WORDS)}"
        )
    for field, (name, low, high, names) in zip(fields, _CRON, strict=True):
        if not all(_cron_part(part, low, high, names) for part in field.split(",")):
            also = f", or one of {' '.join(names)}" if names else ""
            raise ValueError(
                f"{quoted(field)} is no {name} of a cron schedule: {low} to {high}, as in "
                f'"*", "*/2", "{low}", "{low}-{high}" or "{low},{high}"{also}'
            )
    return " ".join(fields)  # a line break between two fields would cut the crontab's line


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _DAYS),
)


def _cron_part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    """One part of a cron list: a number, a name, or * or a range with an optional step."""
    found = re.fullmatch(r"(?:\*|([0-9]{1,2})-([0-9]{1,2}))(?:/([0-9]{1,2}))?|([0-9]{1,2})", part)
    if not found:
        return part.lower() in names
    first, last, step, only = found.groups()
    if step is not None and not int(step):
        return False
    start = int(only or first or low)
    return low <= start <= int(only or last or high) <= high


_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
_TIME = 'a number and a unit: s, m, h or d, as in "30s", "5m", "1h30m" or "7d"'

Text: TypeAlias = Annotated[str, AfterValidator(_text), Kind("text", r"^[^\x00]*$")]
Line: TypeAlias = Annotated[str, AfterValidator(_printable), Kind("one line", _NO_CONTROL)]
Filled: TypeAlias = Annotated[
    Line, AfterValidator(_filled), Kind("one line", r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
Duration: TypeAlias = Annotated[
    str,
    AfterValidator(_duration),
    Kind("duration", "^(?:[0-9]{1,9}[smhd])+$", "7d", _TIME),
]
Positive: TypeAlias = Annotated[
    str,
    AfterValidator(_positive),
    Kind("duration", "^(?:0+[smhd])*0*[1-9][0-9]*[smhd](?:[0-9]+[smhd])*$", "30s", _TIME),
]
Mode: TypeAlias = Annotated[
    str,
    AfterValidator(_mode),
    Kind("file mode", "^[0-7]{3,4}$", "0640", 'octal digits in quotes, as in "0644"'),
]
ImagePath: TypeAlias = Annotated[
    str,
    AfterValidator(in_the_image),
    Kind("path in the image", "^/", "/opt/app", "absolute: it begins with /"),
]
OwnFile: TypeAlias = Annotated[
    str,
    AfterValidator(_own),
    Kind("file of yours", "^[^/]", "app/start", "relative to the blueprint that names it"),
]
PartName: TypeAlias = Annotated[
    str,
    AfterValidator(_part),
    Kind(
        "part",
        "^[^/]",
        "parts/java.toml",
        'a path relative to this file, with / or .toml; or the name of a ready-made part: "nginx"',
    ),
]
RemovedKey: TypeAlias = Annotated[
    str,
    AfterValidator(_removed),
    Kind(
        "key path",
        r"\S",
        "services.web.health",
        "keys as TOML writes them, with dots between; a step by its name: steps.app",
    ),
]
HostFile: TypeAlias = Annotated[
    Filled,
    Kind("file of the machine that builds", example="secrets/token"),
]
CacheFolder: TypeAlias = Annotated[
    ImagePath,
    AfterValidator(_cache),
    Kind("folder in the image", r"^/[A-Za-z0-9._+@/-]+$", "/root/.cache/pip"),
]
Size: TypeAlias = Annotated[
    str,
    AfterValidator(_size),
    Kind(
        "size",
        "^[0-9]{1,9}(?:B|[KMG]iB)$",
        "64MiB",
        'a number and a unit: B, KiB, MiB or GiB, as in "64MiB"',
    ),
]
Schedule: TypeAlias = Annotated[
    str,
    AfterValidator(_schedule),
    Kind(
        "schedule",
        rf"^(?:@(?:{'|'.join(word[1:] for word in CRON_WORDS)})|\s*[^\s@]+(?:\s+\S+){{4}}\s*)$",
        "*/15 8-18 * * 1-5",
        f"five cron fields (minute, hour, day, month, weekday), or {', '.join(CRON_WORDS)}",
    ),
]


@dataclass(frozen=True)
class Matching:
    """Refuses a string that does not match wholly."""

    pattern: str
    what: str

    def __call__(self, value: str) -> str:
        """Check the string."""
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"{quoted(value)} is no {self.what}")
        return value


def matching(pattern: str, what: str) -> AfterValidator:
    """Refuse a string that does not match wholly; `what` ends the sentence "X is no …"."""
    return AfterValidator(Matching(pattern, what))


ImageName: TypeAlias = Annotated[
    str,
    matching(
        r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*",
        "image name; use small letters, digits and single . _ or - between them",
    ),
]
Repository: TypeAlias = Annotated[
    str,
    matching(
        r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?)(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*",
        'registry; write host[:port][/path], as in "ghcr.io/acme"',
    ),
]
Reference: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?",
        'image reference; write name:tag or name@sha256:…, as in "debian:bookworm-slim"',
    ),
]
UserName: TypeAlias = Annotated[
    str,
    matching(
        r"[a-z_][a-z0-9_-]{0,31}",
        "user name; use small letters, digits, _ and -, 32 at most, a letter first",
    ),
    Kind("user name", example="app"),
]
# apt would take `curl-` for "remove curl".
_DEBIAN = r"[a-z0-9](?:[a-z0-9+.-]*[a-z0-9+.])?"
Package: TypeAlias = Annotated[
    str,
    matching(
        rf"{_DEBIAN}(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+:~*-]+)?",
        'name of a Debian package; write name or name=version, as in "curl" or "curl=8.5.*"',
    ),
]
ASCII = r"[\x21-\x7e]"
"""What an address holds as it is; all else is written as %XX."""
_PYPI = "[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PIN = r"(?:===?|~=|!=|[<>]=?) *[A-Za-z0-9.*+!_-]+"
_MARKER = r"[A-Za-z0-9_.<>=!~ '\"(),*+-]+"
# Of the version control systems git is at hand; a password would lie in the Dockerfile.
_ORIGIN = rf"(?:git\+)?https?://(?:(?![;\"'\\@/]){ASCII})+(?:/(?:(?![;\"'\\]){ASCII})*)?"
PythonPackage: TypeAlias = Annotated[
    str,
    matching(
        rf"{_PYPI}(?: *\[ *{_PYPI}(?: *, *{_PYPI})* *\])?"
        rf"(?: *@ *(?:{_ORIGIN})| *{_PIN}(?: *, *{_PIN})*)?(?: *;{_MARKER})?",
        "Python package; write name, name==version or name @ git+https://…, as in "
        '"flask==3.0.3"; options belong into a file of `requirements`',
    ),
]
_NODE = r"[a-z0-9~][a-z0-9._~-]*"
NpmPackage: TypeAlias = Annotated[
    str,
    matching(
        rf"(?:@{_NODE}/)?{_NODE}(?:@[A-Za-z0-9^~<>=*][A-Za-z0-9.^~<>=*+|-]*)?",
        'npm package; write name, name@version or @scope/name@version, as in "bower@1.8.8"',
    ),
]
VariableName: TypeAlias = Annotated[str, matching(VARIABLE, "name of an environment variable")]
Key: TypeAlias = Annotated[
    str,
    matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "name; use letters, digits, - and _, 63 at most"),
    Kind("name", example="web"),
]
