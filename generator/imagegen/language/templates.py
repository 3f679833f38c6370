"""Files that are filled in when a container starts: where in them each value stands.

A value must be written so that it means itself there. That is found out here, once, from the text;
the runtime then only writes each value in the way that is said of its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, TypeAlias

NAME = re.compile(r"(?P<escape>\$\$\{)|\$\{(?P<name>[^}\n]*)(?P<end>\}?)")
"""What is filled in, and $${, which stands for a plain ${."""

FORMATS = {
    ".ini": "ini",
    ".json": "json",
    ".sh": "sh",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def format_of(path: str) -> str:
    """Tell by its extension how a file is written."""
    return FORMATS.get(PurePosixPath(path).suffix, "text")


@dataclass(frozen=True, slots=True)
class Blank:
    """A place for a value; `way` is how it is written there, `indent` that of a block's lines.

    Where the value can't be written at all, `wrong` says why.
    """

    name: str
    way: str
    start: int
    indent: str = ""
    wrong: str | None = None


Piece: TypeAlias = str | Blank


def pieces(text: str, written: str) -> Iterator[Piece]:
    """Take a file apart into what stands as it is, and places for values."""
    reader = _READERS[written]()
    done = 0
    for found in NAME.finditer(text):
        before = text[done : found.start()] + ("${" if found["escape"] else "")
        if before:
            reader.feed(before)
            yield before
        done = found.end()
        if not found["escape"]:
            way, indent, wrong = reader.place(text[done:])
            yield Blank(found["name"], way, found.start(), indent, wrong)
            reader.feed(_VALUE)
    if text[done:]:
        yield text[done:]


_VALUE = "\x00"
"""What a reader sees in place of a value."""

Place: TypeAlias = tuple[str, str, str | None]


class _Text:
    """A reader of one format: it is fed with the text, and knows what the next place is like."""

    way: ClassVar[str] = "text"

    def feed(self, text: str) -> None:
        """Read on."""

    def place(self, _after: str) -> Place:
        """Tell way, indent and what is wrong, for a value that comes now."""
        return self.way, "", None


class _Ini(_Text):
    def __init__(self) -> None:
        self.line = ""

    def feed(self, text: str) -> None:
        self.line = (self.line + text).rpartition("\n")[2]

    def place(self, _after: str) -> Place:
        return "comment" if self.line.lstrip()[:1] in (";", "#") else "ini", "", None


_QUOTE = "stands without quotes beside other text; put all of the value in double quotes"


class _Json(_Text):
    def __init__(self) -> None:
        self.quoted = self.escaped = False
        self.last = ""

    def feed(self, text: str) -> None:
        for c in text:
            if self.escaped:
                self.escaped = False
            elif self.quoted:
                self.escaped = c == "\\"
                self.quoted = c != '"'
            else:
                self.quoted = c == '"'
            self.last = c if not c.isspace() else self.last

    def place(self, after: str) -> Place:
        if self.quoted:
            return "quoted", "", None
        alone = self.last in ("", ":", "[", ",", "{") and after.lstrip()[:1] in ("", *",]}:")
        return "value", "", None if alone else _QUOTE


class _Xml(_Text):
    # By what is open: what opens and closes in it, longest first.
    _MOVES: ClassVar = {
        "text": (("<![CDATA[", "cdata"), ("<!--", "comment"), ("<?", "pi"), ("<", "tag")),
        "cdata": (("]]>", "text"),),
        "comment": (("-->", "text"),),
        "pi": (("?>", "text"),),
        "tag": (('"', "double"), ("'", "single"), (">", "text")),
        "double": (('"', "tag"),),
        "single": (("'", "tag"),),
    }

    def __init__(self) -> None:
        self.state = "text"

    def feed(self, text: str) -> None:
        n = 0
        while n < len(text):
            for sign, state in self._MOVES[self.state]:
                if text.startswith(sign, n):
                    self.state, n = state, n + len(sign)
                    break
            else:
                n += 1

    def place(self, _after: str) -> Place:
        if self.state in ("tag", "pi"):
            return "xml", "", "stands in a tag without quotes; put the value in quotes"
        ways = {"cdata": "cdata", "comment": "xml-comment"}
        return ways.get(self.state, "xml"), "", None


class _Sh(_Text):
    def __init__(self) -> None:
        self.open = ["bare"]
        self.here = False
        self.last = "\n"

    def feed(self, text: str) -> None:
        n = 0
        while n < len(text):
            n += self._read(text, n)
            self.last = text[n - 1 : n]

    def _read(self, text: str, n: int) -> int:
        """Read one sign, and tell how long it is."""
        c, state = text[n], self.open[-1]
        if state == "comment":
            if c == "\n":
                self.open.pop()
        elif state == "single":
            if c == "'":
                self.open.pop()
        elif c == "\\":
            return 2
        elif c == "`":
            self._toggle("ticks", state)
        elif c == '"':
            self._toggle("double", state)
        elif text.startswith("$(", n):
            self.open.append("bare")
            return 2
        elif state != "double":
            self._read_bare(text, n)
        return 1

    def _toggle(self, what: str, state: str) -> None:
        if state == what:
            self.open.pop()
        else:
            self.open.append(what)

    def _read_bare(self, text: str, n: int) -> None:
        c = text[n]
        if c == "'":
            self.open.append("single")
        elif c == "#" and self.last in " \t\n;&|(":
            self.open.append("comment")
        elif c == "(":
            self.open.append("bare")
        elif c == ")" and len(self.open) > 1 and self.open[-1] == "bare":
            self.open.pop()
        elif text.startswith("<<", n) and not text.startswith("<<<", n) and self.last != "<":
            self.here = True

    def place(self, _after: str) -> Place:
        wrong = None
        if self.here:
            wrong = "comes after a here-document, where no value is safe; use printf"
        elif "ticks" in self.open:
            wrong = "stands in backticks, where no value is safe; use $(…)"
        ways = {"double": "sh-double", "single": "sh-single", "comment": "comment"}
        return ways.get(self.open[-1], "sh"), "", wrong


_BEGINS = re.compile(r"(?:^\s*|(?:(?:^|\s)[-?]|:)\s+)(?:[!&]\S*\s+)*$")
"""What stands before a scalar on its line, outside of brackets."""
_BEGINS_IN_FLOW = re.compile(r"(?:^\s*|[\[{,]\s*|:\s+|[\"']\s*:\s*)$")
_HEADER = re.compile(r"(?:^\s*|(?:(?:^|\s)[-?]|:)\s+)(?:[!&]\S*\s+)*[|>][-+0-9]{0,2}\s*(?:\s#.*)?$")
_ENDS = re.compile(r"[ \t]*(?:\r?\n|$|[ \t]#|:(?:\s|$))")
_ENDS_IN_FLOW = re.compile(r"\s*(?:[,\]}]|:\s|$)")


class _Yaml(_Text):
    def __init__(self) -> None:
        self.state = "plain"
        self.line = ""
        self.depth = 0
        self.block: int | None = None

    def feed(self, text: str) -> None:
        n = 0
        while n < len(text):
            n += self._read(text, n)

    def _read(self, text: str, n: int) -> int:
        c, length = text[n], 1
        if c == "\n" and self.state in ("plain", "comment"):
            self._end_line()
            return 1
        if self.block is not None and not c.isspace() and not self.line.strip():
            self.block = self.block if len(self.line) > self.block else None
        if self.block is not None:
            pass
        elif self.state == "double":
            length = 2 if c == "\\" else 1
            self.state = "plain" if c == '"' else "double"
        elif self.state == "single":
            length = 2 if text.startswith("''", n) else 1
            self.state = "plain" if c == "'" and length == 1 else "single"
        elif self.state == "plain":
            self._read_plain(c)
        self.line += text[n : n + length]
        return length

    def _read_plain(self, c: str) -> None:
        if c in "\"'" and self._begins():
            self.state = "double" if c == '"' else "single"
        elif c == "#" and (not self.line or self.line[-1].isspace()):
            self.state = "comment"
        elif c in "[{" and (self.depth or self._begins()):
            self.depth += 1
        elif c in "]}" and self.depth:
            self.depth -= 1

    def _begins(self) -> bool:
        begins = _BEGINS_IN_FLOW if self.depth else _BEGINS
        return bool(begins.search(self.line))

    def _end_line(self) -> None:
        if self.block is None and not self.depth and _HEADER.search(self.line):
            lead = re.match(r"\s*(?:-\s+)*", self.line)
            head = lead[0] if lead else ""
            item = self.line[len(head) :][:1] in ("|", ">")
            self.block = len(head.rstrip()) - 1 if item else len(head)
        self.state, self.line = "plain", ""

    def place(self, after: str) -> Place:
        if self.block is not None and (self.line.strip() or len(self.line) > self.block):
            indent = self.line[: len(self.line) - len(self.line.lstrip())]
            return "block", indent, None
        if self.state == "plain":
            ends = _ENDS_IN_FLOW if self.depth else _ENDS
            alone = self._begins() and ends.match(after)
            return "value", "", None if alone else _QUOTE
        return {"double": "quoted", "single": "yaml-single"}.get(self.state, "comment"), "", None


_READERS: dict[str, type[_Text]] = {
    "text": _Text,
    "ini": _Ini,
    "json": _Json,
    "xml": _Xml,
    "sh": _Sh,
    "yaml": _Yaml,
}
