"""Extended regular expressions, as grep and awk in a container read them.

Python's are near enough once brackets are written its way; what only Python knows is refused.
"""

import re
import warnings
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from imagegen.language.scalars import Filled, Kind

_CLASSES = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_BRACKET = re.compile(r"\[(?P<no>\^?)(?P<set>\]?(?:\[:[a-z]+:\]|[^\]])*)\]")
_ESCAPED = re.compile(r"\\.|\(\?")
_LONGEST = 2000
_PYTHONS = (r"\d", r"\D", "(?")


def compiled(expression: str) -> re.Pattern[str]:
    """Compile one for Python. Raises ValueError for what is none."""
    if len(expression) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    foreign = next((f[0] for f in _ESCAPED.finditer(expression) if f[0] in _PYTHONS), None)
    if foreign:
        raise ValueError(f"extended regular expressions have no {foreign}; a digit is [0-9]")
    try:
        with warnings.catch_warnings(action="ignore"):  # Python has plans of its own for [a||b]
            return re.compile(_in_python(expression))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None


def fits(expression: str, value: str) -> bool:
    """Tell whether the whole value matches; True also where Python could need years to tell.

    Python goes back and tries again; grep, which looks once more when a container starts, does not.
    """
    if _steps(expression, len(value)) > _MOST_STEPS:
        return True
    return compiled(expression).fullmatch(value) is not None


_MOST_STEPS = 10**7


def _steps(expression: str, length: int) -> int:
    """Bound what Python may try for a value of a length: repeated repetitions are the worst."""
    plain = _BRACKET.sub("x", re.sub(r"\\.", "x", expression))
    repeats = len(re.findall(r"[*+]|\{[0-9]*,\}", plain))
    group, inner = "", plain
    while inner != group:  # from the inside out, a group that holds no repetition is as a letter
        group, inner = inner, re.sub(r"\([^()*+{|]*\)", "x", inner)
    is_nested = re.search(r"\)[*+{]", inner) is not None
    return int(2 ** min(length, 64) if is_nested else max(length, 1) ** max(repeats, 1))


def _in_python(expression: str) -> str:
    """Write brackets as Python has them: there a backslash is a character like any other."""
    parts: list[str] = []
    place = 0
    while place < len(expression):
        if expression[place] == "\\":
            parts.append(expression[place : place + 2])
            place += 2
        elif found := _BRACKET.match(expression, place):
            parts.append(f"[{found['no']}{_set(found['set'])}]")
            place = found.end()
        else:
            parts.append(expression[place])
            place += 1
    return "".join(parts)


def _set(characters: str) -> str:
    tokens = re.split(r"(\[:[a-z]+:\])", characters)
    return "".join(
        _class(token) if number % 2 else re.sub(r"[\\\[\]&|~^]", r"\\\g<0>", token)
        for number, token in enumerate(tokens)
    )


def _class(token: str) -> str:
    name = token[2:-2]
    if name not in _CLASSES:
        raise ValueError(f"is no regular expression: there is no class {token}")
    return _CLASSES[name]


def _checked(value: str) -> str:
    compiled(value)
    return value


Expression: TypeAlias = Annotated[
    Filled,
    AfterValidator(_checked),
    Kind("regular expression", r"\S", "[a-z]+", 'an extended one, as grep -E has it: "[a-z]+"'),
]
