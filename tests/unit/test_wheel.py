"""The wheel has all that the checkout has: it is built, installed and used as by a user."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import typer

from imagegen.library import library
from imagegen.render.rootfs import static

TOP = Path(__file__).parents[2]
HELLO = TOP / "examples" / "hello"


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel; dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, TOP)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    options = ["--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    run(programs / "python", "-m", "pip", "install", *options, wheel)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    # A path file in a folder that a path file names is not read, so the checkout stays out.
    (site / "dependencies.pth").write_text(f"{Path(typer.__file__).parents[1]}\n")
    return programs


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes()) for path in paths
    }


def test_it_is_the_wheel_that_runs(installed: Path) -> None:
    where = run(installed / "python", "-c", "import imagegen; print(imagegen.__file__)")
    assert Path(where).is_relative_to(installed.parent)
    assert run(installed / "imagegen", "--version").startswith("imagegen ")


def test_it_checks_an_example(installed: Path) -> None:
    assert run(installed / "imagegen", "check", HELLO) == f"{HELLO}: ok, 2 variants\n"


def test_it_renders_the_same_bytes_as_the_checkout(installed: Path, tmp_path: Path) -> None:
    run(installed / "imagegen", "render", HELLO, "--output", tmp_path / "wheel")
    run(sys.executable, "-m", "imagegen", "render", HELLO, "--output", tmp_path / "checkout")
    assert snapshot(tmp_path / "wheel") == snapshot(tmp_path / "checkout")
    programs = [path for path in (tmp_path / "wheel").rglob("init") if os.access(path, os.X_OK)]
    assert len(programs) == 2, "the runtime is executable"


LIST = """
import sys
from imagegen.library import library
for path in sorted(library(sys.argv[1]).rglob("*")):
    if path.is_file() and path.name != ".gitkeep":
        print(path.relative_to(library(sys.argv[1])))
"""


@pytest.mark.parametrize("part", ["blueprints", "render/stages", "render/templates", "runtime"])
def test_it_has_every_file_that_is_no_code(installed: Path, part: str) -> None:
    listed = run(installed / "python", "-c", LIST, part)
    assert listed == run(sys.executable, "-c", LIST, part)


def test_the_checkout_finds_its_own() -> None:
    assert str(library("blueprints")) == str(TOP / "blueprints")
    assert (library("render/templates") / "Dockerfile.j2").is_file()
    assert static(), "there is a runtime"
