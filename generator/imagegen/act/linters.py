"""hadolint and shellcheck over what is rendered, each where it is installed."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from imagegen.errors import ImagegenError, Problem, visible
from imagegen.lint import Subject
from imagegen.lint.catalogue import Severity
from imagegen.lint.finding import Found
from imagegen.lint.origins import origin, origin_in_dockerfile
from imagegen.read.locate import KeyPath
from imagegen.render.rootfs import static
from imagegen.tree import File

TOOLS = ("hadolint", "shellcheck")

OUR_WAYS = "DL3008, DL3064, DL3066"
"""Left out: pins of Debian packages break when the mirror drops a version; IG201 tells secrets and
does not show them; and root is root in every base."""

# Both guess that single quotes were not meant, where we quote values that hold $ or \.
_OF_OURS = "SC2016,SC1003"
_ELSEWHERE = "SC1091"  # a file that is read at run time is not there yet
_SHELL = re.compile(rb"#![ \t]*/\S*?/(?:env[ \t]+)?(?:sh|bash|dash|ksh)\b")
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning"}
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class _Here:
    """A file of a context, to be looked at."""

    subject: Subject
    path: PurePosixPath
    file: File


@dataclass(frozen=True, slots=True)
class _Remark:
    """What a tool says of a line of a file."""

    code: str
    level: str
    line: int
    column: int
    message: str


_Tool: TypeAlias = Callable[[Path, Sequence[str]], Iterator[tuple[str, _Remark]]]
"""Looks at files of a folder; gives the name of the file with each remark."""


def find(tool: str) -> str | None:
    """Find a tool beside the interpreter, where pip puts it, or in PATH."""
    return shutil.which(str(Path(sys.executable).parent / tool)) or shutil.which(tool)


def missing() -> tuple[str, ...]:
    return tuple(tool for tool in TOOLS if find(tool) is None)


def remarks(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Found]]:
    """Run the tools that are there, on each file once. Raises ImagegenError if one fails.

    The runtime is ours and linted by us; what `copy` brings is the app's own affair.
    """
    hadolint, shellcheck = map(find, TOOLS)
    if hadolint:
        yield from _said("hadolint", _dockerfiles(subjects), partial(_hadolint, hadolint))
    if shellcheck:
        files = [*_scripts(subjects)]
        for is_own, exclude in ((False, _OF_OURS), (True, _ELSEWHERE)):
            some = [here for here in files if isinstance(here.file.content, Path) is is_own]
            tool = partial(_shellcheck, shellcheck, (f"--exclude={exclude}",))
            yield from _said("shellcheck", some, tool)


def _said(name: str, files: Iterable[_Here], tool: _Tool) -> Iterator[tuple[Subject, Found]]:
    for here, remark in _run(files, tool):
        yield here.subject, _found(name, here, remark)


def _dockerfiles(subjects: Iterable[Subject]) -> Iterator[_Here]:
    path = PurePosixPath("Dockerfile")
    for subject in subjects:
        entry = subject.tree[path]
        if isinstance(entry, File):
            yield _Here(subject, path, entry)


def _scripts(subjects: Iterable[Subject]) -> Iterator[_Here]:
    runtime = {PurePosixPath("rootfs") / path.relative_to("/") for path in static()}
    for subject in subjects:
        for path, entry in subject.tree.items():
            brought = path.parts[0] == "steps" and path.parts[2:3] == ("source",)
            if isinstance(entry, File) and path not in runtime and not brought and _is_shell(entry):
                yield _Here(subject, path, entry)


def _is_shell(file: File) -> bool:
    if isinstance(file.content, bytes):
        return bool(_SHELL.match(file.content))
    with file.content.open("rb") as stream:
        return bool(_SHELL.match(stream.read(64)))


def _run(files: Iterable[_Here], tool: _Tool) -> Iterator[tuple[_Here, _Remark]]:
    """Lay equal files once, let the tool look at them, and give each remark to all of them."""
    equal: dict[str, list[_Here]] = {}
    for here in files:
        equal.setdefault(here.file.digest(), []).append(here)
    names = {f"{n:05d}": same for n, same in enumerate(equal.values())}
    with tempfile.TemporaryDirectory(prefix="imagegen-lint-") as folder:
        for name, same in names.items():
            (Path(folder) / name).write_bytes(same[0].file.read())
        ordered = list(names)
        for start in range(0, len(ordered), _MOST_FILES):
            for name, remark in tool(Path(folder), ordered[start : start + _MOST_FILES]):
                yield from ((here, remark) for here in names[name])


def _hadolint(program: str, folder: Path, names: Sequence[str]) -> Iterator[tuple[str, _Remark]]:
    config = folder / "config.yaml"  # that of the user's home would make machines differ
    config.write_text(f"ignored: [{OUR_WAYS}]\n")
    command = [program, "--config", str(config), "--no-fail", "--format", "json", *names]
    for said in _json(command, folder):
        yield said["file"], _remark(said["code"], said)


def _shellcheck(
    program: str, options: Sequence[str], folder: Path, names: Sequence[str]
) -> Iterator[tuple[str, _Remark]]:
    command = [program, "--norc", "--format=json1", *options, *names]
    for said in _json(command, folder)["comments"]:
        yield said["file"], _remark(f"SC{said['code']}", said)


def _remark(code: str, said: Mapping[str, Any]) -> _Remark:
    return _Remark(code, said["level"], said["line"], said["column"], said["message"])


def _json(command: Sequence[str], folder: Path) -> Any:  # noqa: ANN401 -- the tool's
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = visible(done.stderr.decode(errors="replace").strip()) or f"exit {done.returncode}"
        raise ImagegenError(f"{command[0]} failed: {said}") from None


def _found(tool: str, here: _Here, remark: _Remark) -> Found:
    lines = here.file.read().decode(errors="replace").split("\n")
    text = lines[remark.line - 1] if 0 < remark.line <= len(lines) else ""
    problem, rendered = _place(here, remark, lines, text)
    wiki = {
        "hadolint": f"https://github.com/hadolint/hadolint/wiki/{remark.code}",
        "shellcheck": f"https://www.shellcheck.net/wiki/{remark.code}",
    }
    return Found(
        id=remark.code,
        severity=_SEVERITIES.get(remark.level, "info"),
        title=tool,
        cure="",
        docs=wiki["shellcheck" if remark.code.startswith("SC") else "hadolint"],
        problem=problem,
        rendered=rendered,
    )


def _place(
    here: _Here, remark: _Remark, lines: Sequence[str], text: str
) -> tuple[Problem, str | None]:
    """Point at the user's own file, or the key of the blueprint; else at what is rendered."""
    subject, said = here.subject, visible(remark.message)
    if isinstance(here.file.content, Path):
        name = subject.shown(here.file.content)
        return Problem(name, remark.line, remark.column, said, text), None
    key: KeyPath | None
    if here.path.name == "Dockerfile" and len(here.path.parts) == 1:
        key = origin_in_dockerfile(subject, lines, remark.line)
    else:
        key = origin(subject, here.path)
    if key is None:
        file = f"{subject.label.replace(' ', '/')}/{here.path}"
        return Problem(file, remark.line, remark.column, said, text), str(here.path)
    where = f"{visible(str(here.path))}:{remark.line}: {said}"
    return subject.root.nearest(key).problem(where, within=text.strip()), None
