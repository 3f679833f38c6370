"""Commands as shell: scripts for the image, and lines for RUN."""

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from imagegen.plan.running import Command
from imagegen.tree import Entry, File, text

LONGEST = 2000
"""Characters of a RUN line: what is longer reads better as a script, and Docker takes 64 KiB."""

_KEYWORD = re.compile("case|do|done|elif|else|esac|fi|for|if|in|then|until|while")

# What a Dockerfile's own grammar would take for something else: here-documents, comments, and a
# backslash that continues the line.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|<<|\A#|\\\Z")


def script(command: Command, comment: str, own: PurePosixPath) -> dict[str, Entry]:
    """Make the files of a command that runs in the image: `command`, and `script` for own ones.

    `own` is the folder in the image where the two lie.
    """
    head = ["#!/bin/sh", f"# {comment}", "set -eu", f"cd {shlex.quote(command.workdir)}"]
    head += exports(command)
    made: dict[str, Entry] = {}
    if command.script:
        made["script"] = File(command.script, executable=True)
        last = f"exec {shlex.quote(str(own / 'script'))}"
    elif command.words:
        last = f"exec {shlex.join(command.words)}"
    else:
        last = (command.text or "").rstrip("\n")
    made["command"] = text("\n".join([*head, last, ""]), executable=True)
    return made


def exports(command: Command) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in command.env.items()]


def one_line(command: Command) -> str | None:
    """Write the command for a RUN line; None if only a script can carry it."""
    line = _joined(command.words) if command.words else (command.text or "").strip()
    if command.script or len(line) > LONGEST or _UNFIT.search(line):
        return None
    return line


def _joined(words: Sequence[str]) -> str:
    """Write a program and its arguments, the program so that it is no assignment or keyword."""
    program, *arguments = map(shlex.quote, words)
    bare = "=" in program or _KEYWORD.fullmatch(program)
    return " ".join([f"'{program}'" if bare and program[0] != "'" else program, *arguments])
