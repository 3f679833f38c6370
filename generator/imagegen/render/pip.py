"""The RUN line that installs Python packages."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imagegen.errors import ImagegenError, quoted
from imagegen.plan.model import Plan, Python
from imagegen.render.network import ENTER
from imagegen.render.packages import APT_CLEAN, APT_MOUNTS, TAKE_BACK, brought, has, lent
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict
from imagegen.tree import Entry, File

FOLDER = PurePosixPath("packages/pip")
MOUNTED = "/mnt"

_NAMED = re.compile(r"^[ \t]*(?:-[rc]|--requirement|--constraint)[ \t=]*([^\s#]+)", re.MULTILINE)

SETTINGS = {
    # Without a virtual environment: an image has one owner, and what pip installs lies in
    # /usr/local, apart from Debian's own. Versions that don't know these variables need none.
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
    # Python's own files get no new bytecode; what pip compiles holds no time of the build.
    "PYTHONDONTWRITEBYTECODE": "1",
    "SOURCE_DATE_EPOCH": "315532800",
}
"""315532800 is 1980-01-01, before which a zip archive, such as a wheel, can hold no time."""


def pip_files(plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Lay the files of requirements, and those that they name, as they lie to each other."""
    for name, file in _listed(plan.python) if plan.python else ():
        if file.resolve() in plan.secret_files:
            raise ImagegenError(f"{file}: is the file of a secret: it goes into no image")
        yield FOLDER / name, File(file)


def _listed(python: Python) -> Iterator[tuple[PurePosixPath, Path]]:
    """Follow the files of requirements.

    Raises ImagegenError for a file that is not there, or not below the folder of them all.
    """
    left = dict(python.requirements)
    seen: set[PurePosixPath] = set()
    while left:
        name, file = left.popitem()
        seen.add(name)
        yield name, file
        for other in _NAMED.findall(_text(file)):
            below = PurePosixPath(os.path.normpath(name.parent / other))
            path = Path(os.path.normpath(file.parent / other))
            if "://" in other or below in seen:
                continue
            if below.is_absolute() or ".." in below.parts or not _is_near(path, below):
                raise ImagegenError(
                    f"{file}: names {quoted(other)}, which is no file below the folder of "
                    "`requirements`; list a file of the folder above too"
                )
            left[below] = path


def _is_near(path: Path, below: PurePosixPath) -> bool:
    """Tell whether it is a file that lies where its name says, not where a link leads."""
    folder = path.parents[len(below.parts) - 1]
    try:
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    except OSError:  # a name that is too long
        return False


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace")


def pip_run(python: Python) -> Run:
    """Make the virtual environment, install, and see that all is there."""
    listed = f"--mount=type=bind,source={FOLDER},target={MOUNTED}"
    mounts = (
        *APT_MOUNTS,
        "--mount=type=cache,target=/root/.cache/pip,sharing=private",
        *([listed] if python.requirements else []),
    )
    settings = WRAP.join(f"{name}={value}" for name, value in SETTINGS.items())
    lines = [ENTER, f"export {settings}", *_python(python)]
    installs = [*_installs(python)]
    if installs:
        lines += lent(_lent(python), *installs, *_checks(python))
    if lines[-1] != TAKE_BACK:
        lines.append(APT_CLEAN)
    return strict(*lines, mounts=mounts)


def _python(python: Python) -> Iterator[str]:
    """Bring what the base lacks: only the build can tell, and Debian parts Python in three."""
    if python.venv is None:
        yield f"command -v pip >/dev/null || {brought(['python3-pip'])}"
        return
    yield f"python3 -c 'import ensurepip' 2>/dev/null || {brought(['python3-venv'])}"
    yield f"python3 -m venv {quote(python.venv)}"


def _lent(python: Python) -> set[str]:
    listed = (_text(file) for _, file in _listed(python))
    needs_git = any("git+" in said for said in (*python.install, *listed))
    return {*python.build_packages, *(("ca-certificates", "git") if needs_git else ())}


def _installs(python: Python) -> Iterator[str]:
    """Install pip itself first if it is named: it shall install the rest."""
    itself = [name for name in python.install if _name(name) == "pip"]
    others = [name for name in python.install if name not in itself]
    files = [f"--requirement {quote(f'{MOUNTED}/{name}')}" for name, _ in python.requirements]
    if itself:
        yield WRAP.join(["pip install", *map(quote, itself)])
    if files or others:
        yield WRAP.join(["pip install", *files, *map(quote, others)])


def _checks(python: Python) -> Iterator[str]:
    """Look for each package by its name in one spelling. A marker may have left one out."""
    asked = [_name(said) for said in python.install if ";" not in said]
    if asked:
        yield has("pip", asked)
    if python.venv is not None:
        yield "pip check"


def _name(requirement: str) -> str:
    """Give the name of a requirement as PyPI compares it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement
