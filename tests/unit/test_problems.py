"""Each wrong blueprint in tests/problems beside what `imagegen check` says about it.

A new complaint is a new pair there, NAME.toml and NAME.txt, and no code. The answers are renewed,
to be read before they are committed, by

    IMAGEGEN_UPDATE=1 pytest tests/unit/test_problems.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.plan import plan
from imagegen.read import read

FOLDER = Path(__file__).parents[1] / "problems"
WRONG = sorted(FOLDER.glob("*.toml"))
COLUMNS = 200
PYTHONS = ("Input should", "Extra inputs", "Field required", "NoneType", "dict", "<class", "('")


def complaint(blueprint: Path) -> BlueprintError:
    with pytest.raises(BlueprintError) as caught:
        plan(read(blueprint))
    return caught.value


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_blueprint_gets_its_complaint(path: Path) -> None:
    said = f"{complaint(Path(path.name))}\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("IMAGEGEN_UPDATE") == "1":
        expected.write_text(said)
    assert said == expected.read_text()


def test_every_answer_has_its_question() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in WRONG}


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_complaint_is_one_readable_line_at_a_place(path: Path) -> None:
    for problem in complaint(Path(path.name)).problems:
        assert problem.message.isprintable()
        assert len(problem.message) < COLUMNS
        assert not any(words in problem.message for words in PYTHONS)
        assert (problem.line > 0) == (problem.column > 0)


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    problems = complaint(Path("several.toml")).problems
    lines = Path("several.toml").read_text().split("\n")
    assert [lines[p.line - 1].partition("# ")[2].partition(":")[0] for p in problems] == [
        str(number) for number in range(1, 21)
    ]


def test_the_command_prints_the_same_and_ends_with_3() -> None:
    command = [sys.executable, "-m", "imagegen", "check", "several.toml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith(Path("several.txt").read_text())


def test_twenty_mistakes_are_twenty_problems() -> None:
    problems = complaint(Path("twenty.toml")).problems
    assert len({(problem.line, problem.message) for problem in problems}) == len(problems) == 20
