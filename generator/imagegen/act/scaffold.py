"""`imagegen new`: a folder with a blueprint and an app that stands for yours, by cookiecutter."""

import tempfile
from collections.abc import Iterable, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.generate import generate_context, generate_files
from cookiecutter.prompt import prompt_for_config
from pydantic import TypeAdapter, ValidationError

from imagegen.act.bases import look
from imagegen.errors import BlueprintError, ImagegenError, UsageError, quoted
from imagegen.language.scalars import ImageName
from imagegen.read import read
from imagegen.read.near import hint

TEMPLATES = ("daemon",)


def scaffold(template: str, answers: Iterable[str], parent: Path, *, ask: bool) -> Path:
    """Make a new folder below the parent and give its path.

    It is made beside its place and moved there when its blueprint is right, so that a wrong
    answer or an interrupt leaves nothing behind. `answers` are KEY=VALUE; they are not asked for.
    Raises ImagegenError, and UsageError for answers that can't be.
    """
    if template not in TEMPLATES:
        raise UsageError(
            f"there is no template {quoted(template)}; there is: {', '.join(TEMPLATES)}"
        )
    try:
        with as_file(files("imagegen") / "scaffold" / template) as source:
            values = _answered(source, answers, ask=ask)
            target = parent / _named(values["name"])
            if target.exists() or target.is_symlink():
                raise ImagegenError(f"{target} is there already; choose another name")
            return _made(source, values, target)
    except CookiecutterException as error:
        raise ImagegenError(f"new: {error}") from None
    except EOFError:
        raise ImagegenError("new: nobody answers; give --no-input, and --set KEY=VALUE") from None
    except OSError as error:
        raise ImagegenError(f"{error.filename or parent}: {error.strerror or error}") from None


def _answered(source: Path, given: Iterable[str], *, ask: bool) -> dict[str, Any]:
    """Ask for what is not given. What is given is taken as it is: no template may stand in it."""
    context: dict[str, Any] = generate_context(str(source / "cookiecutter.json"))["cookiecutter"]
    known = [key for key in context if not key.startswith("_")]
    answers = _pairs(given, known)
    asked = {"cookiecutter": {k: v for k, v in context.items() if k not in answers}}
    return {**prompt_for_config(asked, no_input=not ask), **answers}


def _pairs(answers: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for answer in answers:
        key, equals, value = answer.partition("=")
        if not equals:
            raise UsageError(f"--set {quoted(answer)}: write KEY=VALUE")
        if key not in known:
            raise UsageError(f"--set {quoted(answer)}: there is no such key{hint(key, known)}")
        pairs[key] = value
    return pairs


def _named(name: str) -> str:
    """The name of the image is that of the folder: it must not lead anywhere else."""
    try:
        return TypeAdapter(ImageName).validate_python(name)
    except ValidationError as error:
        raise UsageError(f"name: {error.errors()[0]['ctx']['error']}") from None


def _made(source: Path, values: Mapping[str, Any], target: Path) -> Path:
    ground = next(folder for folder in target.absolute().parents if folder.exists())
    with tempfile.TemporaryDirectory(prefix=".imagegen-new-", dir=ground) as temporary:
        context = {"cookiecutter": dict(values)}
        made = Path(generate_files(str(source), context, output_dir=temporary, accept_hooks=False))
        try:
            read(made, look)
        except BlueprintError as error:
            said = "\n".join(str(problem).replace(f"{made}/", "") for problem in error.problems)
            raise UsageError(f"new: the answers make no blueprint:\n{said}") from None
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)
    return target
