"""Fixtures for all tests: a machine of their own, golden trees, blueprints in a line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import settings
from typer.testing import CliRunner

from imagegen.cli import app
from imagegen.errors import ImagegenError
from imagegen.render.packages import package_programs
from imagegen.render.rootfs import static
from imagegen.tree import File, Link, Tree

GOLDEN = Path(__file__).parent / "golden"
MODES = "MODES"

HEAD = """\
blueprint = 1
image.name = "app"
image.base = "debian:bookworm-slim"
"""

# The same examples on every machine and at every run, and no alarm on a slow one.
settings.register_profile(
    "imagegen", deadline=None, derandomize=True, database=None, max_examples=60
)
settings.load_profile("imagegen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


@pytest.fixture(autouse=True)
def isolated(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Give a unit test a machine of its own.

    HOME is an empty folder, no container engine and no CI system is there, git knows nobody, and
    tools speak English without colours. Tests marked `container` run on the real machine.
    """
    if request.node.get_closest_marker("container"):
        return
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in os.environ:
        if name.startswith(("DOCKER_", "BUILDX_", "GIT_", "GITHUB_", "GITLAB_", "CI", "TRAVIS")):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    for name in ("IMAGEGEN_POLL", "IMAGEGEN_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def blueprint(tmp_path: Path) -> Callable[..., Path]:
    """Write a blueprint and get its path: `blueprint('services.web.run = "web"')`.

    What every blueprint needs stands above the text, as dotted keys. `files` are own files
    beside it: their content by path.
    """

    def write(text: str = "", files: Mapping[str, str] | None = None) -> Path:
        folder = tmp_path / "blueprint"
        for name, content in {"blueprint.toml": HEAD + text, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return folder / "blueprint.toml"

    return write


@pytest.fixture
def imagegen(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own and in an empty folder: `imagegen("check", path)`."""
    folder = tmp_path / "here"

    def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "imagegen", *words],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def invoke() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in this process, which is quick: `invoke("tags", path)`."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        done = CliRunner().invoke(app, [str(word) for word in words])
        said, code = done.stderr, done.exit_code
        if isinstance(done.exception, ImagegenError):
            said, code = f"{said}imagegen: {done.exception}\n", done.exception.exit_code
        elif done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, code, done.stdout, said)

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Tree, str], None]:
    """Compare a tree with the folder of that name in tests/golden: `golden(tree, "hello/en")`.

    The folder holds the files themselves, for people and linters to read, and MODES: git keeps
    no modes but one bit. Of our static programs only MODES tells. `pytest --update-golden` writes
    the folder anew.
    """

    def check(tree: Tree, name: str) -> None:
        folder = GOLDEN / name
        expected = dict(_as_golden(tree))
        if request.config.getoption("--update-golden"):
            shutil.rmtree(folder, ignore_errors=True)
            _write(expected, folder)
        found = dict(_read(folder))
        how = f"tests/golden/{name}: if that is meant, run pytest --update-golden and look at it"
        assert sorted(found) == sorted(expected), how
        for path, content in expected.items():
            assert found[path] == content, f"{path} in {how}"

    return check


def _as_golden(tree: Tree) -> Iterator[tuple[str, str | bytes | Link]]:
    ours = {PurePosixPath("rootfs") / path.relative_to("/") for path in static()}
    ours |= {*package_programs()}
    modes = []
    for path, entry in tree.items():
        mode = f"{entry.mode:04o}" if isinstance(entry, File) else "link"
        modes.append(f"{mode} {path}{'  (ours)' if path in ours else ''}\n")
        if path not in ours:
            yield str(path), _text(entry.read()) if isinstance(entry, File) else entry
    yield MODES, "".join(modes)


def _write(files: Mapping[str, str | bytes | Link], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o755 if f"0755 {name}\n" in str(files[MODES]) else 0o644)


def _read(folder: Path) -> Iterator[tuple[str, str | bytes | Link]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield str(path.relative_to(folder)), Link(str(path.readlink()))
        elif path.is_file():
            yield str(path.relative_to(folder)), _text(path.read_bytes())


def _text(content: bytes) -> str | bytes:
    """As text, a difference is shown line by line."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
