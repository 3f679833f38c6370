"""Where each key and value of a TOML text stands, so that a complaint can point at it.

tomli hands out values without their places. This walks over the same text again, after tomli has
accepted it, so it checks no grammar: it only has to tell keys, values and brackets apart. It goes
through the text once and keeps open brackets on a list of its own, so depth costs no recursion.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import tomli

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys of tables and indexes of arrays that lead to a value, outermost first."""


@dataclass(frozen=True, slots=True)
class Span:
    """The characters of a text from `start` up to, but without, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key and its value stand.

    An item of an array has no key: both spans are its value. A table without a value of its own
    has instead the header or the dotted key that makes it, `[x.y]` or `x.y`.
    """

    key: Span
    value: Span


def locate(text: str) -> Mapping[KeyPath, Place]:
    """Find the place of everything in the text, which must be one that tomli accepts."""
    walker = _Walker(text)
    walker.walk()
    return walker.places


def repeated(text: str) -> tuple[Place, Place, bool]:
    """Find the key that the text ends with, and where it, or else a key above it, stood first.

    The text is what tomli read until it refused a key as given twice. The third value tells
    whether the first place is that of the very key.
    """
    walker = _Walker(text)
    walker.walk()
    *before, (path, again) = walker.found
    path = path[:-1] if isinstance(path[-1], int) else path
    for length in range(len(path), 0, -1):
        for there, place in before:
            if there == path[:length] and place.key != again.key:
                return again, place, length == len(path)
    return again, again, True


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Count lines and columns from 1, columns in characters."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


# None of these can read a valid text in two ways, so none goes back over what it has read.
# Before the three quotes that end a long string may stand one or two that belong to it.
_STRING = r"""
    "{3} [^"\\]* (?: (?: \\. | "{1,2}(?!") ) [^"\\]* )* "{3,5}
  | '{3} .*? '{3,5}
  | "    [^"\\]* (?: \\. [^"\\]* )* "
  | '    [^']* '
"""
# In a bare value a blank stands only between a date and its time.
_BARE = r"[^ \t\r\n,\]}\#]+ (?: [ ][0-9] [^ \t\r\n,\]}\#]* )?"

_FLAGS = re.VERBOSE | re.DOTALL
_SPACE = re.compile(r"(?: [ \t\r\n]+ | \# [^\n]* )*", _FLAGS)
_BLANK = re.compile(r"[ \t]*")
_KEY_PART = re.compile(rf"{_STRING} | [A-Za-z0-9_-]+", _FLAGS)
_SCALAR = re.compile(rf"{_STRING} | {_BARE}", _FLAGS)


@dataclass(slots=True)
class _Bracket:
    """An array or inline table that has begun and not ended."""

    path: KeyPath
    key: Span | None
    start: int
    is_array: bool
    size: int = 0


class _Walker:
    def __init__(self, text: str) -> None:
        self.places: dict[KeyPath, Place] = {}
        self.found: list[tuple[KeyPath, Place]] = []  # in the order of reading
        self._text = text
        self._offset = 0
        self._table: KeyPath = ()  # the one whose header was read last
        self._open: list[_Bracket] = []
        self._sizes: dict[KeyPath, int] = {}  # of the arrays made by [[headers]]

    def walk(self) -> None:
        while char := self._next():
            if char == "[" and not self._open:
                self._read_header()
            elif char == ",":
                self._offset += 1
            elif char in "]}":
                self._close_bracket()
            elif self._open and self._open[-1].is_array:
                self._read_item(self._open[-1])
            else:
                self._read_pair(self._open[-1].path if self._open else self._table)

    def _next(self) -> str:
        """Skip to the next character that means something; there is none at the end."""
        self._take(_SPACE)
        return self._text[self._offset : self._offset + 1]

    def _take(self, pattern: re.Pattern[str]) -> Span:
        match = pattern.match(self._text, self._offset)
        if match is None:
            raise ValueError(f"not valid TOML at offset {self._offset}")
        self._offset = match.end()
        return Span(*match.span())

    def _read_header(self) -> None:
        start = self._offset
        is_array = self._text.startswith("[[", start)
        brackets = 2 if is_array else 1
        self._offset += brackets
        parts = self._read_key()
        self._offset += brackets
        header = Span(start, self._offset)
        path = self._path((), parts, maker=header)
        place = Place(parts[-1], header)
        if not is_array or path not in self.places:
            self._put(path, place)  # better than the place of a header below it
        if is_array:
            size = self._sizes.get(path, 0)
            self._sizes[path] = size + 1
            path = (*path, size)
            self._put(path, Place(header, header))
        self._table = path

    def _read_pair(self, table: KeyPath) -> None:
        parts = self._read_key()
        dotted = Span(parts[0].start, parts[-1].end)
        path = self._path(table, parts, maker=dotted)
        self._offset += 1  # the equals sign
        self._take(_BLANK)
        self._read_value(path, parts[-1])

    def _read_item(self, array: _Bracket) -> None:
        path = (*array.path, array.size)
        array.size += 1
        self._read_value(path, None)

    def _read_value(self, path: KeyPath, key: Span | None) -> None:
        """Read a whole scalar, but no more of an array or inline table than its bracket."""
        char = self._text[self._offset]
        if char in "[{":
            self._open.append(_Bracket(path, key, self._offset, is_array=char == "["))
            self._offset += 1
        else:
            value = self._take(_SCALAR)
            self._put(path, Place(key or value, value))

    def _close_bracket(self) -> None:
        self._offset += 1
        bracket = self._open.pop()
        value = Span(bracket.start, self._offset)
        self._put(bracket.path, Place(bracket.key or value, value))

    def _read_key(self) -> list[Span]:
        """Read a key with all its dots, and the blanks around each of its parts."""
        parts = []
        while True:
            self._take(_BLANK)
            parts.append(self._take(_KEY_PART))
            self._take(_BLANK)
            if not self._text.startswith(".", self._offset):
                return parts
            self._offset += 1

    def _path(self, table: KeyPath, parts: list[Span], *, maker: Span) -> KeyPath:
        """Follow a key from a table, and give a place to the tables that it makes on the way."""
        path = table
        for part in parts[:-1]:
            path = (*path, self._name(part))
            if path not in self.places:
                self._put(path, Place(part, maker))
            if path in self._sizes:  # an array of tables stands for its last table
                path = (*path, self._sizes[path] - 1)
        return (*path, self._name(parts[-1]))

    def _put(self, path: KeyPath, place: Place) -> None:
        self.places[path] = place
        self.found.append((path, place))

    def _name(self, part: Span) -> str:
        key = self._text[part.start : part.end]
        if key[0] not in "\"'":
            return key
        name: str = tomli.loads(f"name = {key}")["name"]
        return name
