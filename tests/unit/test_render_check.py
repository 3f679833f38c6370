"""imagegen render --check: is the folder what would be written?"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegen.cli import app
from imagegen.errors import OutOfDate

Write = Callable[..., Path]

TEXT = 'files."/x".text = "a"\nfiles."/y".text = "b"\n'
DOCKERFILE = "default/Dockerfile"


@pytest.fixture
def rendered(blueprint: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Render a blueprint; the folder is `build/app`."""
    monkeypatch.chdir(tmp_path)
    blueprint(TEXT)
    assert CliRunner().invoke(app, ["render", "blueprint"]).exit_code == 0
    return tmp_path / "build" / "app"


def check(*words: str) -> tuple[int, str]:
    """Check, and get the exit code with what is said."""
    done = CliRunner().invoke(app, ["render", "blueprint", "--check", *words])
    if isinstance(done.exception, OutOfDate):
        return done.exception.exit_code, str(done.exception)
    assert not done.exception or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_a_fresh_folder_is_up_to_date(rendered: Path) -> None:
    assert rendered.is_dir()
    assert check() == (0, "build/app: up to date (1 context, 4 files)\n")


HEAD = "build/app: is not what the blueprint says; imagegen render writes it\n"


def test_an_edited_file_is_changed(rendered: Path) -> None:
    (rendered / DOCKERFILE).write_text("FROM x\n")
    assert check() == (4, f"{HEAD}    changed  {DOCKERFILE}")


def test_a_mode_counts(rendered: Path) -> None:
    (rendered / DOCKERFILE).chmod(0o755)
    assert check() == (4, f"{HEAD}    changed  {DOCKERFILE}")


def test_a_file_that_is_gone_is_missing(rendered: Path) -> None:
    (rendered / DOCKERFILE).unlink()
    assert check() == (4, f"{HEAD}    missing  {DOCKERFILE}")


def test_a_stranger_is_extra(rendered: Path) -> None:
    (rendered / "default" / "notes").touch()
    assert check() == (4, f"{HEAD}    extra    default/notes")


def test_a_link_in_the_place_of_a_file_is_changed(rendered: Path) -> None:
    (rendered / "default/files/x").unlink()
    (rendered / "default/files/x").symlink_to("y")
    assert check() == (4, f"{HEAD}    changed  default/files/x")


@pytest.mark.parametrize(
    ("content", "how"), [(None, "missing"), ("{}", "changed"), ("\0", "changed")]
)
def test_the_manifest_counts(rendered: Path, content: str | None, how: str) -> None:
    manifest = rendered / ".imagegen.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    assert check() == (4, f"{HEAD}    {how:8} .imagegen.json")


def test_a_changed_blueprint_makes_it_out_of_date(rendered: Path, blueprint: Write) -> None:
    blueprint(TEXT.replace('"b"', '"c"'))
    code, said = check()
    assert code == 4
    assert "changed  default/files/y" in said
    assert (rendered / "default/files/y").read_text() == "b"


def test_nothing_there_is_all_missing(rendered: Path) -> None:
    code, said = check("--output", "elsewhere")
    assert code == 4
    assert f"missing  {DOCKERFILE}" in said
    assert rendered.is_dir()


def test_nothing_is_written(rendered: Path, tmp_path: Path) -> None:
    (rendered / DOCKERFILE).unlink()
    before = state(tmp_path)
    assert check()[0] == 4
    assert check("--output", "elsewhere")[0] == 4
    assert state(tmp_path) == before


def test_of_many_files_some_are_shown(rendered: Path) -> None:
    for number in range(25):
        (rendered / f"extra{number:02}").touch()
    lines = check()[1].splitlines()
    assert len(lines) == 12
    assert lines[-1] == "    extra    and 15 more"


def test_json_has_all_of_them(rendered: Path) -> None:
    assert json.loads(check("--json")[1]) == {
        "ok": True,
        "folder": "build/app",
        "missing": [],
        "changed": [],
        "extra": [],
    }
    for number in range(25):
        (rendered / f"extra{number:02}").touch()
    code, said = check("--json")
    assert (code, len(json.loads(said)["extra"])) == (4, 25)


def test_hostile_names_are_escaped(rendered: Path) -> None:
    (rendered / "\x1b[31m\u202e").touch()
    (rendered / os.fsdecode(b"\xff")).touch()
    said = check()[1]
    assert "\\x1b[31m\\u202e" in said
    assert "\x1b" not in said
    assert said.encode()


def test_a_wrong_blueprint_is_no_drift(rendered: Path, blueprint: Write) -> None:
    blueprint("nope = 1")
    assert rendered.is_dir()
    done = CliRunner().invoke(app, ["render", "blueprint", "--check"])
    assert getattr(done.exception, "exit_code", None) == 3


def test_the_command_ends_with_4_and_says_why_on_stderr(
    rendered: Path, imagegen: Callable[..., object]
) -> None:
    (rendered / DOCKERFILE).unlink()
    source = rendered.parents[1] / "blueprint"
    done = imagegen("render", source, "--check", "--output", rendered)
    assert (done.returncode, done.stdout) == (4, "")  # type: ignore[attr-defined]
    assert done.stderr.startswith(f"imagegen: {rendered}: is not what the blueprint says")  # type: ignore[attr-defined]
