"""The configuration: own JSON files, and whether the defaults satisfy their schema."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.config import defaults_of, json_faults, json_path, own_json, own_object
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.files import unusable

_MOST = 5
"""Complaints of a schema that are told; the first cures most of the others."""


def json_values(c: Checked) -> Iterator[Problem | None]:
    for place, message in json_faults(c.blueprint.config.defaults):
        yield c.wrong(("config", "defaults", *place), message)


def own_defaults(c: Checked) -> Iterator[Problem | None]:
    declared = c.blueprint.config.file
    place = ("config", "file")
    if declared is not None and not unusable(c, place, declared, "file"):
        try:
            own_object(c.folder / declared)
        except ValueError as error:
            yield c.wrong(place, f"{quoted(declared)} {error}")


def schema(c: Checked) -> Iterator[Problem | None]:
    config = c.blueprint.config
    place = ("config", "schema")
    if config.schema_ is None or unusable(c, place, config.schema_, "file"):
        return
    from imagegen.read import json_schema  # noqa: PLC0415 -- its library takes a while to load

    try:
        checker = json_schema.checker(own_json(c.folder / config.schema_))
    except ValueError as error:
        yield c.wrong(place, f"{quoted(config.schema_)} {error}")
        return
    if config.file is not None and unusable(c, ("config", "file"), config.file, "file"):
        return
    try:
        defaults = defaults_of(config, c.folder)
    except ValueError:
        return  # it is said above
    for path, message in json_schema.complaints(checker, defaults, _MOST):
        if config.file is None:
            yield c.wrong(("config", "defaults", *path), message)
        else:
            said = f"{json_path(path)}: {message}" if path else message
            yield c.wrong(("config", "file"), f"{quoted(config.file)}: {said}")
