"""`imagegen new`: what it makes, what it asks, and what it leaves behind when it fails: nothing."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.act.scaffold import scaffold
from imagegen.errors import ImagegenError
from imagegen.plan import plan
from imagegen.read import read

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """Where the new folder goes."""
    folder = tmp_path / "parent"
    folder.mkdir()
    return folder


def make(parent: Path, *answers: str) -> Path:
    return scaffold("daemon", answers, parent, ask=False)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(autouse=True)
def _leaves_nothing_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cookiecutter remembers answers at home, unless it is kept from it."""
    assert everything(tmp_path_factory.getbasetemp() / "home") == []


def test_what_it_makes_is_right_as_it_is(parent: Path) -> None:
    made = make(parent)
    assert made == parent / "my-daemon"
    assert everything(parent) == [
        "my-daemon",
        *(f"my-daemon/{name}" for name in (".gitignore", "README.md", "app", "app/server")),
        "my-daemon/blueprint.toml",
    ]
    assert made.stat().st_mode & 0o777 == 0o755
    assert os.access(made / "app" / "server", os.X_OK)
    (planned,) = plan(read(made))
    assert planned.image == "my-daemon"
    assert not any("{%" in (made / name).read_text() for name in ("blueprint.toml", "README.md"))


def test_the_answers_are_in_it(parent: Path) -> None:
    made = make(parent, "name=web", "port=99", "uid=77", "base=ubuntu:24.04", "registry=r.io/x")
    (planned,) = plan(read(made))
    assert (planned.image, planned.base, planned.registries) == ("web", "ubuntu:24.04", ("r.io/x",))
    assert [(port.number, port.publish) for port in planned.ports] == [(99, "99")]
    assert [user.uid for user in planned.users] == [77]


@pytest.mark.parametrize(
    "description",
    [
        *('say "hi"', "back\\slash", "{{ 7 * 7 }}", "{{ cookiecutter.name }}", "{{{{", "{% x %}"),
        *("{# x #}", "it's = [x] # y", "ü 全 🎉", "${X} $(x)", "a=b"),
    ],
)
def test_a_description_may_be_any_line(parent: Path, description: str) -> None:
    made = make(parent, f"description={description}")
    assert read(made)[0].blueprint.image.description == description


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("name=My Daemon", 'name: "My Daemon" is no image name; use small letters'),
        ("name=../../escape", 'name: "../../escape" is no image name'),
        ("name=/tmp/x", 'name: "/tmp/x" is no image name'),
        ("name=..", 'name: ".." is no image name'),
        ("name=", 'name: "" is no image name'),
        ("name={{ 1 }}", 'name: "{{ 1 }}" is no image name'),
        ("port=70000", "the answers make no blueprint:\nblueprint.toml:"),
        ("port=eighty", "the answers make no blueprint:\nblueprint.toml:"),
        ("uid=0", "root is there already"),
        ("base=alpine:3", "the family alpine is not served"),
        ("registry=not a registry", "is no registry"),
        ("description=two\nlines", "the answers make no blueprint:\nblueprint.toml:"),
        ("nme=x", '--set "nme=x": there is no such key; did you mean name?'),
        ("__prompts__=x", "there is no such key; known: base, description, name, port"),
        ("name", '--set "name": write KEY=VALUE'),
    ],
)
def test_a_wrong_answer_is_told_and_leaves_nothing(parent: Path, answer: str, said: str) -> None:
    with pytest.raises(ImagegenError) as caught:
        make(parent, answer)
    assert said in str(caught.value)
    assert "imagegen-new" not in str(caught.value)
    assert everything(parent.parent) == ["parent"]


def test_what_is_there_is_left_alone(parent: Path) -> None:
    (parent / "my-daemon").mkdir()
    with pytest.raises(ImagegenError, match="my-daemon is there already; choose another name"):
        make(parent)
    assert everything(parent) == ["my-daemon"]


def test_folders_above_are_made_only_for_a_right_answer(parent: Path) -> None:
    with pytest.raises(ImagegenError):
        make(parent / "a" / "b", "port=x")
    assert everything(parent) == []
    assert make(parent / "a" / "b") == parent / "a" / "b" / "my-daemon"
    assert sorted(path.name for path in parent.iterdir()) == ["a"]


def test_a_parent_that_is_no_folder_is_an_error(parent: Path) -> None:
    (parent / "file").touch()
    with pytest.raises(ImagegenError, match="file"):
        make(parent / "file")


def test_an_unknown_template_is_an_error(parent: Path) -> None:
    with pytest.raises(ImagegenError, match='no template "web"; there is: daemon'):
        scaffold("web", (), parent, ask=False)


# --- the command ----------------------------------------------------------------------------------


def answered(folder: Path, answers: str, *words: str) -> tuple[int, str]:
    """What `new` says on a terminal on which somebody types."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "imagegen", "new", *words],
        cwd=folder,
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
    )
    os.close(its)
    os.write(ours, answers.encode())
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # Linux says so when the other side has gone
        pass
    code = process.wait(timeout=30)
    os.close(ours)
    return code, said.decode().replace("\r\n", "\n")


def test_it_asks_for_what_is_not_given(parent: Path) -> None:
    code, said = answered(parent, "web\nIt serves\n\n\n\n", "--set", "port=99")
    assert code == 0, said
    for question in ("Name of the image", "One line about it", "Base image", "Number of the user"):
        assert question in said
    assert "Port that the app" not in said
    assert "made web\n  next: cd web && imagegen build && imagegen run\n" in said
    (variant,) = read(parent / "web")
    assert variant.blueprint.image.description == "It serves"
    assert variant.blueprint.ports["web"].port == 99


def test_with_nobody_to_answer_it_says_what_to_do(imagegen: Run, tmp_path: Path) -> None:
    done = imagegen("new")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "imagegen: new: nobody answers; give --no-input, and --set KEY=VALUE\n"
    )
    assert everything(tmp_path / "here") == []


def test_the_next_step_that_it_tells_can_be_copied(invoke: Run, tmp_path: Path) -> None:
    done = invoke("new", tmp_path / "a b", "--no-input")
    assert f"  next: cd '{tmp_path}/a b/my-daemon' && imagegen build " in done.stdout
