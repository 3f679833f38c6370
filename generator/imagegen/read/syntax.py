"""tomli's findings in our words, each at its place in the text."""

import re
from collections.abc import Callable

import tomli

from imagegen.errors import quoted, shortened, visible
from imagegen.read.locate import Span, line_column, repeated

_BARE_KEY = "a key with other characters than A-Z a-z 0-9 _ - stands in quotes"
_NO_NULL = "TOML has no null; leave the key out"
_MEANT = {
    "true": "write it in small letters: true",
    "false": "write it in small letters: false",
    "null": _NO_NULL,
    "none": _NO_NULL,
    "nil": _NO_NULL,
}
# By the beginning of tomli's message; what needs a look at the text is said further below.
_SAID = {
    "Expected '='": f"`=` is missing after the key; {_BARE_KEY}",
    "Expected ']' at": "`]` is missing at the end of the header",
    "Expected ']]' at": "`]]` is missing at the end of the header",
    "Invalid statement": f"neither a key nor a [table] begins like this; {_BARE_KEY}",
    "Invalid initial character": f"a key is missing here; {_BARE_KEY}",
    "Invalid date": "there is no such date or time; a string stands in quotes",
    "Invalid value": "no value begins like this; a string stands in quotes",
    "Unclosed array": "a comma or `]` is missing before this",
    "Unclosed inline table": "a comma or `}` is missing before this",
    "Expected newline": "the line should end before this; only a comment may follow",
    "Unescaped": "a backslash is written \\\\ in \"…\", or as it is in '…'",
    "Invalid hex": "an escape needs all its hexadecimal digits: \\x41, \\u0041, \\U00000041",
    "Escaped character": "there is no such character",
}
_WORD = re.compile(r"[\w.:/@%+-]+")
_WORDS = re.compile(r"[^\s\"'#,=\[\]{}]+(?: +[^\s\"'#,=\[\]{}]+)*")


def syntax_problem(error: tomli.TOMLDecodeError) -> tuple[Span, str]:
    """Say where and why a text is no TOML."""
    message, text, position = error.msg, error.doc, error.pos
    for beginnings, look in _LOOKS:
        if message.startswith(beginnings):
            return look(message, text, position)
    return Span(position, position + 1), _said(message)


def _said(message: str) -> str:
    ours = (words for beginning, words in _SAID.items() if message.startswith(beginning))
    return next(ours, visible(message[0].lower() + message[1:]))


def _twice(_: str, text: str, position: int) -> tuple[Span, str]:
    again, first, is_same = repeated(text[:position])
    line = line_column(text, first.key.start)[0]
    key = visible(shortened(text[first.key.start : first.key.end]))
    if is_same:
        return again.key, f"`{key}` is given already, in line {line}"
    return again.key, f"`{key}` is complete, in line {line}; nothing can be added to it"


def _illegal(_: str, text: str, position: int) -> tuple[Span, str]:
    spot = Span(position, position + 1)
    if text[position] == "\n":
        return spot, "the string is not closed on its line; for several lines use three quotes"
    code = f"{ord(text[position]):04X}"
    return spot, f"the control character U+{code} is not allowed; in a string write \\u{code}"


def _unclosed(message: str, text: str, _: int) -> tuple[Span, str]:
    """Find what opened the string: the last quotes of its kind in the text."""
    said = "the string that begins here is not closed"
    if message == 'Expected "\'"':
        start = text.rindex("'")
        return Span(start, start + 1), said
    start = max(text.rfind('"""'), text.rfind("'''"))
    if start < 0 or _is_toml(text[: text.rfind("\n") + 1]):
        return Span(len(text), len(text) + 1), "the string is not closed"
    return Span(start, start + 3), said


def _is_toml(text: str) -> bool:
    try:
        tomli.loads(text)
    except ValueError:
        return False
    return True


def _bad_escape(message: str, text: str, position: int) -> tuple[Span, str]:
    return Span(text.rindex("\\", 0, position), position), _said(message)


def _no_value(message: str, text: str, position: int) -> tuple[Span, str]:
    if not text[position:] and not text.rstrip(" \t").endswith("="):
        end = len(text.rstrip())
        return Span(end, end + 1), "the list is not closed: `]` is missing here"
    if not text[position : position + 1].strip("\n#,]}"):
        return Span(position, position + 1), "a value is missing here"
    words = _WORDS.match(text, position)
    if not words or words[0][0] in "+-." or "\\" in words[0]:
        return Span(position, position + 1), _said(message)
    said = _MEANT.get(words[0].lower(), f"a string stands in quotes: {quoted(words[0])}")
    return Span(*words.span()), said


def _goes_on(message: str, text: str, position: int) -> tuple[Span, str]:
    """After a number or date may follow what shows that a string was meant: 30s, 1.2.3, 0755."""
    words = _WORD.finditer(text, text.rfind("\n", 0, position) + 1)
    meant = next((word for word in words if word.start() < position < word.end()), None)
    if meant:
        return Span(*meant.span()), f"a string stands in quotes: {quoted(meant[0])}"
    if message.startswith("Expected newline") and text[position - 1] in "\"'":
        quote = text[position - 1]
        said = f"the string ends before this; one that holds a {quote} stands in "
        return Span(position, position + 1), said + ("'…'" if quote == '"' else '"…"')
    if not text[position:].strip():
        end = len(text.rstrip())
        return Span(end, end + 1), _said(message).replace("before this", "here")
    return Span(position, position + 1), _said(message)


_LOOKS: tuple[tuple[tuple[str, ...], Callable[[str, str, int], tuple[Span, str]]], ...] = (
    (("Cannot", "Duplicate"), _twice),
    (("Illegal character", "Found invalid character"), _illegal),
    (("Unterminated string", "Expected \"'"), _unclosed),
    (("Unescaped", "Invalid hex", "Escaped character"), _bad_escape),
    (("Invalid value",), _no_value),
    (("Unclosed", "Expected newline"), _goes_on),
)
