"""`imagegen new`: a folder with a blueprint and an app that stands for yours, by cookiecutter."""

import tempfile
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.main import cookiecutter

from imagegen.errors import BlueprintError, ImagegenError
from imagegen.read import read

TEMPLATES = ("daemon",)


def scaffold(template: str, answers: Iterable[str], parent: Path, *, ask: bool) -> Path:
    """Make a new folder below the parent and give its path.

    It is made beside its place and moved there when its blueprint is right, so that a wrong
    answer or an interrupt leaves nothing behind. `answers` are KEY=VALUE. Raises ImagegenError.
    """
    if template not in TEMPLATES:
        raise ImagegenError(f"there is no template {template}; there is: {', '.join(TEMPLATES)}")
    parent.mkdir(parents=True, exist_ok=True)
    with (
        as_file(files("imagegen") / "scaffold" / template) as source,
        tempfile.TemporaryDirectory(prefix=".imagegen-new-", dir=parent) as temporary,
    ):
        try:
            made = Path(
                cookiecutter(
                    str(source),
                    no_input=not ask,
                    extra_context=_pairs(answers),
                    output_dir=temporary,
                    default_config=True,
                )
            )
        except CookiecutterException as error:
            raise ImagegenError(f"new: {error}") from None
        try:
            read(made)
        except BlueprintError as error:
            raise ImagegenError(f"new: the answers make no blueprint:\n{error}") from None
        target = parent / made.name
        if target.exists():
            raise ImagegenError(f"{target} is there already; choose another name")
        made.rename(target)
    return target


def _pairs(answers: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for answer in answers:
        key, equals, value = answer.partition("=")
        if not equals:
            raise ImagegenError(f"--set {answer}: write KEY=VALUE")
        pairs[key] = value
    return pairs
