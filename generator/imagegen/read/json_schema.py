"""JSON Schema of the user's own, by the library that knows all its drafts."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from imagegen.errors import shortened, visible

_DRAFTS = "draft 3, 4, 6, 7, 2019-09 or 2020-12"
_LONGEST = 120


def checker(schema: object) -> Validator:
    """Make a checker of a schema; nothing is ever downloaded. Raises ValueError for a wrong one."""
    if not isinstance(schema, bool | dict):
        raise ValueError("must hold a JSON Schema: { … }")  # noqa: TRY004 -- of its content
    dialect = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(dialect, str | None):
        raise ValueError(f"must name its kind in a string: its $schema must be {_DRAFTS}")  # noqa: TRY004
    kind = jsonschema.validators.validator_for(schema, default=_unknown(dialect))
    if kind is None:
        raise ValueError(f"is of an unknown kind: its $schema must be {_DRAFTS}")
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"is no valid JSON Schema: {_said(error)}") from None
    except RecursionError:
        raise ValueError("is no valid JSON Schema: it is nested too deeply") from None
    made: Validator = kind(schema, registry=EMPTY_REGISTRY)
    return made


def _unknown(dialect: object) -> Any:  # noqa: ANN401 -- classes that the library makes
    return jsonschema.Draft202012Validator if dialect is None else None


def complaints(
    checker: Validator, value: Mapping[str, Any], most: int
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Say what of a value does not fit: its place in the value, and why."""
    try:
        for error in islice(checker.iter_errors(value), most):
            best = best_match([error]) or error
            message = f"does not satisfy config.schema: {visible(_short(best.message))}"
            yield tuple(best.absolute_path), message
    except Unresolvable as error:
        yield (), f"config.schema refers to {shortened(str(error.ref))}, which is not in the file"
    except RecursionError:
        yield (), "config.schema refers to itself without an end, or is nested too deeply"
    except Exception as error:  # noqa: BLE001 -- a $ref may lead to anything, which nobody has checked
        why = visible(_short(str(error)))
        yield (), f"config.schema can't be used, perhaps because of a $ref: {why}"


def _said(error: ValidationError) -> str:
    place = "/".join(map(str, error.absolute_path))
    return visible(_short(f"{place}: {error.message}" if place else error.message))


def _short(message: str) -> str:
    return shortened(" ".join(message.split()), _LONGEST)
