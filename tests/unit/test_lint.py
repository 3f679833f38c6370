"""What we write is held to what we hold our own code to, by the same tools.

The files are those of tests/golden, which test_golden keeps equal to what is rendered.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parents[2]
GOLDEN = TOP / "tests" / "golden"
SHELL = (b"#!/bin/sh", b"#!/usr/bin/env sh", b"#!/bin/bash")


def files(pattern: str = "*") -> Iterator[Path]:
    found = [path for path in GOLDEN.rglob(pattern) if path.is_file() and not path.is_symlink()]
    assert found, "there are no golden trees: run pytest --update-golden"
    yield from sorted(found)


def shell_files() -> list[Path]:
    return [path for path in files() if path.read_bytes().startswith(SHELL)]


def passes(*command: str | Path) -> None:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=TOP,
        env={**os.environ, "PATH": tools},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hadolint_finds_nothing_in_our_dockerfiles() -> None:
    passes("hadolint", "--config", TOP / ".hadolint.yaml", *files("Dockerfile"))


def test_only_the_pinning_of_debian_packages_is_ignored() -> None:
    ignored = (TOP / ".hadolint.yaml").read_text().partition("ignored:")[2]
    assert [line.strip() for line in ignored.splitlines() if "- " in line] == ["- DL3008"]


def test_shellcheck_finds_nothing_in_our_scripts() -> None:
    # Both guess that single quotes were not meant, where values are quoted that hold $ or \.
    passes("shellcheck", "--shell=sh", "--exclude=SC2016,SC1003", *shell_files())


def test_our_scripts_are_formatted() -> None:
    passes("shfmt", "-d", "-i", "4", "-ci", "-bn", *shell_files())


def test_a_posix_shell_can_read_our_scripts() -> None:
    for path in shell_files():
        passes("sh", "-n", path)


def test_our_scripts_end_in_a_newline() -> None:
    for path in shell_files():
        assert path.read_bytes().endswith(b"\n"), path


def test_json_files_parse() -> None:
    for path in files("*.json"):
        json.loads(path.read_bytes())


def test_a_crontab_ends_in_a_newline_or_cron_ignores_its_last_line() -> None:
    for path in files("cron.d/*"):
        assert path.read_text().endswith("\n")


def test_dockerfiles_keep_to_what_docker_20_builds_without_a_registry() -> None:
    for path in files("Dockerfile"):
        code = [line for line in path.read_text().splitlines() if not line.startswith("ENV")]
        assert not any("<<" in line or "--link" in line for line in code), path
        assert not code[0].startswith("# syntax"), "no frontend to fetch"


def test_lines_of_a_dockerfile_can_be_read() -> None:
    for path in files("Dockerfile"):
        ours = [line for line in path.read_text().splitlines() if not line.startswith("COPY [")]
        assert max(map(len, ours)) <= 100, path
