"""A blueprint's text: reading it safely, and saying where something in it stands."""

import os
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import tomli

from imagegen.errors import BlueprintError, Problem, visible
from imagegen.read.locate import KeyPath, Span, line_column, locate
from imagegen.read.syntax import syntax_problem

FILE_NAME = "blueprint.toml"
LARGEST = 1024 * 1024

_LONG_NUMBER = re.compile(r"[0-9][0-9_]{4000,}")


Kind: TypeAlias = Literal["file", "part", "ready-made", "option"]
"""What a text is: a blueprint, a part of yours or of ours that it extends, or what --set says."""


@dataclass(frozen=True)
class Source:
    """One TOML text of the user. `name` is the path as the user gave it, for messages.

    The `path` of an option is that of the blueprint which it changes.
    """

    path: Path
    name: str
    text: str
    kind: Kind = "file"

    @property
    def is_part(self) -> bool:
        return self.kind in ("part", "ready-made")

    @property
    def folder(self) -> Path:
        """Where the text lies: what it names is beside it."""
        return self.path.resolve().parent

    @cached_property
    def places(self) -> dict[KeyPath, tuple[Span, Span]]:
        """Key and value spans by path; made only when there is something to complain about."""
        return {path: (place.key, place.value) for path, place in locate(self.text).items()}

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def parse(self) -> dict[str, Any]:
        """Parse the TOML; a syntax error becomes a problem like any other."""
        try:
            return tomli.loads(self.text)
        except tomli.TOMLDecodeError as error:
            spot, message = syntax_problem(error)
            seen = replace(self, text=error.doc)  # tomli counts without carriage returns
            raise BlueprintError([seen.at(spot, f"TOML syntax: {message}")]) from None
        except RecursionError:
            raise _wrong(self.name, "TOML syntax: arrays or tables are nested too deeply") from None
        except ValueError:  # Python refuses to read an integer of thousands of digits
            found = _LONG_NUMBER.search(self.text)
            spot = Span(*found.span()) if found else Span(0, 1)
            raise BlueprintError([self.at(spot, "TOML syntax: the number is too long")]) from None

    def span(self, path: KeyPath, *, key: bool = False) -> Span:
        """Find the path, or as much of it as the file has: a missing key has no place."""
        for length in range(len(path), 0, -1):
            found = self.places.get(path[:length])
            if found:
                return found[0] if key or length < len(path) else found[1]
        return Span(0, 1)

    def at(self, span: Span, message: str) -> Problem:
        line = bisect_right(self._starts, span.start)
        column = span.start - self._starts[line - 1] + 1
        text = self.lines[line - 1].rstrip("\r")
        column = min(column, len(text) + 1)
        width = max(1, min(span.end - span.start, len(text) - column + 1))
        return Problem(self.name, line, column, visible(message), text, width)

    def whole(self, message: str) -> Problem:
        return Problem(self.name, 0, 0, visible(message))


def open_source(path: Path, kind: Kind = "file", name: str | None = None) -> Source:
    """Read a blueprint: a file, or the blueprint.toml of a folder.

    Raises BlueprintError if there is none, or if it is no UTF-8 text of a sane size.
    """
    file, name = path, name or os.fspath(path)
    try:
        if path.is_dir():
            file = path / FILE_NAME
            name = os.fspath(file)
        if not file.is_file():
            raise _wrong(name, _absent(path))
        with file.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(name, f"can't be read: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise _wrong(name, f"is larger than {LARGEST // 2**20} MiB; that is no blueprint")
    return Source(file, name, _decoded(raw, name), kind)


def beside(source: Source, name: str) -> Path:
    """Find what a text names: beside it, or, if a link leads to it, beside what that leads to."""
    path = Path(os.path.normpath(source.path.parent / name))
    real = source.folder / name
    return path if is_there(path) and is_there(real) and path.samefile(real) else real


def is_there(path: Path) -> bool:
    """Ask where `Path.exists` would raise: a name too long, a folder that is closed."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _wrong(name, "is UTF-16 text; TOML files are UTF-8: save it as such")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = line_column(before, len(before))
        shown = raw.split(b"\n", line)[line - 1].decode(errors="backslashreplace")
        message = f"byte 0x{raw[error.start]:02x} is no UTF-8; TOML files are UTF-8 text"
        raise BlueprintError(
            [Problem(name, line, column, message, shown.rstrip("\r"), width=4)]
        ) from None
    if text.startswith("\ufeff"):
        message = "begins with a byte order mark; save the file as UTF-8 without BOM"
        raise _wrong(name, message)
    return text


def _absent(path: Path) -> str:
    if path.is_dir():
        return f"the folder holds no {FILE_NAME}"
    if path.exists():
        return "is no regular file"
    return "no such file; give a blueprint, or a folder that holds blueprint.toml"


def _wrong(name: str, message: str) -> BlueprintError:
    return BlueprintError([Problem(name, 0, 0, message)])
