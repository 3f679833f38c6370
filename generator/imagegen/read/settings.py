"""The settings of the user, read as carefully as a blueprint; passwords in them are not shown."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from imagegen.errors import BlueprintError, Problem, SettingsError
from imagegen.language.settings import Settings
from imagegen.read.complaints import complaints
from imagegen.read.document import document, plain
from imagegen.read.source import open_source

FILE_NAME = "settings.toml"

_TELLS = re.compile("proxy|@", re.IGNORECASE)
_VALUE = re.compile("(?<==).*")
_QUOTED = re.compile('"[^"]*"')


def settings_path(environ: Mapping[str, str]) -> Path:
    """Find where the settings lie, by the rules of the XDG base directories."""
    said = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(said) if said.startswith("/") else Path.home() / ".config"
    return folder / "imagegen" / FILE_NAME


def read_settings(path: Path) -> Settings:
    """Read the settings; a file that is not there says nothing.

    Raises SettingsError with every problem.
    """
    if not path.exists():
        return Settings()
    try:
        source = open_source(path)
        root = document(source.parse(), source)
        try:
            return Settings.model_validate(plain(root))
        except ValidationError as error:
            problems = [*complaints(error.errors(include_url=False), root, Settings)]
    except BlueprintError as error:
        problems = error.problems
    raise SettingsError(map(_discreet, problems)) from None


def _discreet(problem: Problem) -> Problem:
    """Cover what may be a password; a proxy that is written wrongly could have it anywhere."""
    if not _TELLS.search(problem.text):
        return problem
    covered = _VALUE.sub(_stars, problem.text, count=1)
    return replace(
        problem,
        text=covered if covered != problem.text else "",
        message=_QUOTED.sub('"…"', problem.message),
    )


def _stars(found: re.Match[str]) -> str:
    return re.sub(r"[^\s\"']", "*", found[0])
