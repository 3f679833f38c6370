"""Values in a Dockerfile: each instruction reads its words in a way of its own."""

import json
import re
import shlex
from collections.abc import Sequence

from imagegen.errors import ImagegenError
from imagegen.language import references

_PLAIN = re.compile(r"[A-Za-z0-9_./+@:,-]+")


def on_one_line(value: str) -> str:
    """Let through what can stand in a Dockerfile, where a line break would end the instruction."""
    if not value.isprintable():
        raise ImagegenError(f"{value!r}: a Dockerfile can't hold control characters")
    return value


def quote(value: str) -> str:
    """Quote a word for the shell of a RUN."""
    return shlex.quote(on_one_line(value))


def word(value: str) -> str:
    """Quote a value that Docker must take as it is."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", on_one_line(value)) + '"'


def expanded(value: str) -> str:
    """Quote a value in which ${NAME} means another variable, and $${ a plain ${."""
    quoted = (
        part if name else re.sub(r'([\\"$])', r"\\\1", part)
        for part, name in references.parts(on_one_line(value))
    )
    return '"' + "".join(quoted) + '"'


def path(value: str) -> str:
    """Write a path for WORKDIR."""
    return value if _PLAIN.fullmatch(value) else word(value)


def paths(*values: str) -> str:
    """Write the paths of COPY, in JSON form if need be."""
    return " ".join(values) if all(map(_PLAIN.fullmatch, values)) else listed(values)


def listed(values: Sequence[str]) -> str:
    """Write paths in JSON form; Docker unquotes and expands them once more after parsing."""
    escaped = [re.sub(r"([\\\"'$])", r"\\\1", on_one_line(value)) for value in values]
    return json.dumps(escaped, ensure_ascii=False)
