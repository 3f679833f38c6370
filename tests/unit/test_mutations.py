"""Whatever is done to a blueprint, it is read or its problems are told: never anything else.

Valid blueprints are damaged at random, with a seed, so that every run damages them alike. By hand,
with more than the two thousand of every day:

    bench/mutations 20000
"""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError, Problem
from imagegen.plan import plan
from imagegen.read import read

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "problems" / "valid"
VALID = [
    *((path, path.name) for path in sorted((ROOT / "examples").glob("*/blueprint.toml"))),
    (FILES / "everything.toml", "everything.toml"),
    (FILES / "extending.toml", "extending.toml"),
    (FILES / "extending.toml", "parts/company.toml"),
]
"""Blueprints, each with the file that is damaged: itself, or a part of it."""

MUTATIONS = int(os.environ.get("IMAGEGEN_MUTATIONS", "2000"))
PARTS = 4
"""Tests that they are spread over, for as many workers."""
PROCESSES = 12
WORKERS = 8

Mutation = Callable[[str, random.Random], str]

VALUES = [
    *("0", "-1", "1.5", "1e400", "nan", "9" * 30, "9" * 5000, "0x" + "F" * 5000),
    *("true", "2024-01-02", "12:00:00", "1979-05-27T07:32:00Z"),
    *('""', '" "', "'x'", '"/"', '"/x/../y"', '"\\u0000"', '"\\u001b[31m"', '"\\u202e"'),
    *('"{{ nowhere }}"', '"{{ app }}"', '"{{{{"', '"{{ git.tag }}"', '"${x}"', '"日本"'),
    *("[]", "[[]]", "[1, 'a']", "['']", "['a', 'a']", "[{}]"),
    *("{}", "{ x = 1 }", "{ run = 'a', file = 'b' }", "{ a.b.c = [{ d = 1 }] }"),
    *("[" * 60 + "]" * 60, "[" * 450 + "]" * 450, "{ a = " * 60 + "1" + " }" * 60),
]
VALUE = r"(?<== )(\"[^\"\n]*\"|'[^'\n]*'|\[[^]\n]*\]|\{[^}\n]*\}|\w+)"
CHARACTERS = [
    *"[]{}=\"'#.,\\\n\r\t\0\x07\x1b\x7f\x85",
    *("\u00a0", "\u200b", "\u2028", "\u202e", "\ufeff", "\ufffd", "e\u0301", "日", "\U0001f600"),
    *('"""', "'''", "{{", "}}", "{{ ", "[[", "]]", "a.", "\\u", "\r\n"),
]
LINES = [
    *("x = 1", "[x]", "[[x]]", "[image]", "[[image]]", "[services]", "[[steps]]", '[files."/x"]'),
    *("blueprint = 2", 'extends = ["y"]', "image.name = 1", "services.z = {}", "a.b.c.d = 1"),
    *(".".join("a" * 300) + " = 1", "[" + ".".join("b" * 120) + "]", '"" = ""', '"\\n" = 1'),
    *('extends = ["nginx", "redis"]', 'extends = ["parts/users.toml"]', 'extends = ["./"]'),
    *('remove = ["services.x"]', 'remove = ["packages", "steps.tools"]', "remove = ['a.\"b']"),
    *('env."[key]" = 1', 'users."{{ x }}".uid = 1', 'files."{{ home }}" = {}', "ports = [80]"),
]


# --- Damage ---------------------------------------------------------------------------------------


def drop_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    start = chance.randrange(len(lines))
    return "\n".join(lines[:start] + lines[start + chance.randint(1, 4) :])


def duplicate_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    start = chance.randrange(len(lines))
    there = chance.randrange(len(lines))
    return "\n".join(lines[:there] + lines[start : start + chance.randint(1, 4)] + lines[there:])


def swap_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def insert_line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(LINES))
    return "\n".join(lines)


def insert_character(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(CHARACTERS) + text[place:]


def drop_characters(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text))
    return text[:place] + text[place + chance.randint(1, 5) :]


def matches(pattern: str, text: str) -> list[re.Match[str]]:
    """Find all; where there is none, nothing at the end of the text."""
    return list(re.finditer(pattern, text, re.MULTILINE)) or list(re.finditer(r"\Z", text))


def replaced(match: re.Match[str], text: str) -> str:
    return match.string[: match.start()] + text + match.string[match.end() :]


def change_letter(text: str, chance: random.Random) -> str:
    """A typo: what users do most."""
    return replaced(chance.choice(matches("[a-z0-9]", text)), chance.choice("aeiz09-_ "))


def drop_mark(text: str, chance: random.Random) -> str:
    return replaced(chance.choice(matches(r"[][{}=\"',.]", text)), "")


def change_value(text: str, chance: random.Random) -> str:
    return replaced(chance.choice(matches(VALUE, text)), chance.choice(VALUES))


def swap_values(text: str, chance: random.Random) -> str:
    values = matches(VALUE, text)
    return replaced(chance.choice(values), chance.choice(values)[0])


def change_key(text: str, chance: random.Random) -> str:
    keys = matches(r"\b[a-z][a-z-]*\b(?=[] .=])", text)
    return replaced(chance.choice(keys), chance.choice(keys)[0])


def cut_off(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text))]


MUTATIONS_OF_TEXT: list[Mutation] = [
    drop_lines,
    duplicate_lines,
    swap_lines,
    insert_line,
    insert_character,
    drop_characters,
    change_letter,
    drop_mark,
    change_value,
    change_value,
    swap_values,
    change_key,
    cut_off,
]


def damaged(text: str, chance: random.Random) -> bytes:
    """Damage a text once, or a few times; sometimes its bytes too."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        text = chance.choice(MUTATIONS_OF_TEXT)(text, chance) or "x"
    raw = text.encode()
    if chance.random() < 0.1:
        raw = raw.replace(b"\n", b"\r\n")
    if chance.random() < 0.02:
        place = chance.randrange(len(raw))
        raw = raw[:place] + bytes([chance.randrange(128, 256)]) + raw[place:]
    return raw


# --- What must hold -------------------------------------------------------------------------------


def faults(problems: Iterable[Problem], raw: bytes) -> list[str]:
    """Say what is wrong with what was said."""
    lines = raw.decode(errors="replace").split("\n")
    found = []
    for problem in problems:
        if not problem.message or not problem.message.isprintable():
            found.append(f"no message: {problem.message!r}")
        if len(problem.message) > 500:
            found.append(f"a long message: {problem.message}")
        if (problem.line, problem.column) == (0, 0):
            continue
        if not 1 <= problem.line <= len(lines):
            found.append(f"no such line: {problem}")
        elif not 1 <= problem.column <= len(lines[problem.line - 1].rstrip("\r")) + 1:
            found.append(f"no such column: {problem}")
        if not str(problem).replace("\n", "").replace("\t", "").isprintable():
            found.append(f"a control character: {problem}")
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path, str]]:
    """Copy each valid blueprint with its own files."""
    copies = []
    for number, (path, target) in enumerate(VALID):
        folder = tmp_path_factory.mktemp(f"valid-{number}")
        shutil.copytree(path.parent, folder, dirs_exist_ok=True, symlinks=True)
        copies.append((folder / path.name, folder / target, (folder / target).read_text()))
    return copies


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_blueprint_is_read_or_its_problems_are_told(
    folders: list[tuple[Path, Path, str]], part: int
) -> None:
    found: list[str] = []
    told = 0
    for seed in range(part, MUTATIONS, PARTS):
        path, target, text = folders[seed // PARTS % len(folders)]
        raw = damaged(text, random.Random(seed))  # noqa: S311 -- the same damage at every run
        target.write_bytes(raw)
        try:
            plan(read(path))
        except BlueprintError as error:
            told += bool(error.problems)
            here = [problem for problem in error.problems if problem.file == str(target)]
            found += [f"seed {seed}: {fault}" for fault in faults(here, raw)]
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    assert found == []
    assert told > 0.7 * MUTATIONS / PARTS


def test_the_command_tells_them_too_and_writes_nothing(tmp_path: Path) -> None:
    paths = []
    for seed in range(PROCESSES):
        source, target = VALID[seed % len(VALID)]
        folder = tmp_path / str(seed)
        shutil.copytree(source.parent, folder, symlinks=True)
        raw = damaged((folder / target).read_text(), random.Random(-1 - seed))  # noqa: S311
        (folder / target).write_bytes(raw)
        paths.append(folder / source.name)
    before = files(tmp_path)
    with ThreadPoolExecutor(WORKERS) as workers:
        results = list(workers.map(check, paths))
    assert {result.returncode for result in results} == {0, 3}
    for result in results:
        assert "Traceback" not in result.stderr
        assert (result.stderr == "") == (result.returncode == 0)
        assert (result.stdout == "") == (result.returncode == 3)
    assert files(tmp_path) == before


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imagegen", "check", path.name]
    return subprocess.run(
        command, cwd=path.parent, capture_output=True, text=True, check=False, timeout=60
    )


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
