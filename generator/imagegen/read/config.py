"""The configuration's defaults, from the blueprint or from a JSON file of one's own."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from imagegen.language.config import Config
from imagegen.language.table import Wrong
from imagegen.read.document import DEEPEST
from imagegen.read.locate import KeyPath


def defaults_of(config: Config, folder: Path) -> Mapping[str, Any]:
    """Give the object that is merged into. Raises ValueError for a file that holds none."""
    if config.file is None:
        return config.defaults or {}
    return own_object(folder / config.file)


def own_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises ValueError with line and column, or with the place in the object.
    """
    value = own_json(path)
    if not isinstance(value, dict):
        raise ValueError("must hold a JSON object: { … }")  # noqa: TRY004 -- of its content
    for place, message in json_faults(value):
        raise ValueError(f"can't be used: {json_path(place)}: {message}")
    return value


def json_faults(value: object, *place: str | int) -> Iterator[tuple[KeyPath, str]]:
    """Find what JSON can't carry, and integers that jq would round; each with its place."""
    if len(place) > DEEPEST:
        yield place[:1], "is nested too deeply"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from json_faults(item, *place, number)
    elif isinstance(value, dict):
        for key, item in value.items():
            if _is_half(key):
                yield place, _HALF
            yield from json_faults(item, *place, key)
    elif message := _fault(value):
        yield place, message


def _fault(value: object) -> str | None:
    if isinstance(value, str):
        return _HALF if _is_half(value) else None
    if isinstance(value, int) and abs(value) > _EXACT:
        return "JSON tools round integers above 2^53; write a string"
    if isinstance(value, float) and not isfinite(value):
        return "JSON has no nan and no inf"
    if value is not None and not isinstance(value, bool | int | float):
        return "JSON has no dates and times; write a string"
    return None


def _is_half(text: str) -> bool:
    """Tell whether it holds a surrogate without its other half, which UTF-8 can't write."""
    return any("\ud800" <= c <= "\udfff" for c in text)


_EXACT = 2**53
_HALF = "holds half a character, a surrogate without its other half"


def own_json(path: Path) -> object:
    """Read a JSON file. Raises ValueError with line and column."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refused)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: see byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:]
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"is not valid JSON: {place}: {said}") from None
    except Wrong as wrong:
        raise ValueError(f"is not valid JSON: {wrong}") from None
    except (ValueError, RecursionError):
        raise ValueError("holds a number that is too long, or is nested too deeply") from None


def _refused(name: str) -> float:
    raise Wrong(f"it has no {name}")


def json_path(path: Iterable[str | int]) -> str:
    """Write the place of a value as imagegen-cfg takes it."""
    return ".".join(
        str(part) if isinstance(part, int) or _PLAIN.fullmatch(part) else json.dumps(part)
        for part in path
    )


_PLAIN = re.compile(r'[^."\s]+')
_SEGMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')


def at(value: object, path: str) -> object:
    """Look a value up by its path, as imagegen-cfg does. Raises KeyError."""
    for key in segments(path):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise KeyError(key)
    return value


def segments(path: str) -> list[str]:
    """Take a path apart into its keys. Raises KeyError."""
    found: list[str] = _SEGMENT.findall(path)
    if ".".join(found) != path or not found:
        raise KeyError(path)
    return [json.loads(segment) if segment.startswith('"') else segment for segment in found]


def paths(value: object, above: tuple[str | int, ...] = ()) -> Iterator[str]:
    """List the paths of all that is no object."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from paths(item, (*above, key))
    elif above:
        yield json_path(above)
