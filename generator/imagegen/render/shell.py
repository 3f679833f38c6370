"""Commands as shell: scripts for the image, and lines for RUN."""

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from imagegen.language import references
from imagegen.plan.running import Command
from imagegen.tree import Entry, File, text

LONGEST = 2000
"""Characters of a RUN line: what is longer reads better as a script, and Docker takes 64 KiB."""

_KEYWORD = re.compile("case|do|done|elif|else|esac|fi|for|if|in|then|until|while")

# What a Dockerfile's own grammar would take for something else: here-documents, comments, and a
# backslash that continues the line.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|<<|\A#|\\\Z")


def script(
    command: Command,
    comment: str,
    own: PurePosixPath,
    flags: Mapping[str, str] | None = None,
    secret: Collection[str] = (),
) -> dict[str, Entry]:
    """Make the files of a command that runs in the image: `command`, and `script` for own ones.

    `own` is the folder in the image where they lie. A third, `secrets`, lists which of the secret
    variables it names; it gets these, and lets them go when it has filled them in.
    """
    head = ["#!/bin/sh", f"# {comment}", "set -eu", f"cd {shlex.quote(command.workdir)}"]
    told = [f'"${{{name}-}}"' for name in command.arguments]
    head += exports(command)
    made: dict[str, Entry] = {}
    if used := sorted(
        {n for value in command.env.values() for n in references.named(value)} & {*secret}
    ):
        made["secrets"] = text("".join(f"{name}\n" for name in used))
        head += [f"unset {name}" for name in used if name not in command.env]
    program = command.words
    if command.script:
        made["script"] = File(command.script, executable=True)
        program = (str(own / "script"),)
    if program and flags:
        body = [f"set -- {_joined(program)}", *_flagged(flags), 'exec "$@"']
    elif program:
        body = [" ".join([f"exec {shlex.join(program)}", *told])]
    else:
        body = [" ".join(["set --", *told])] if told else []
        body.append((command.text or "").rstrip("\n"))
    made["command"] = text("\n".join([*head, *body, ""]), executable=True)
    return made


_GIVEN = """\
# given FLAG WORD…: in a shell of its own, for the program may have variables of these names.
given() (
    flag=$1
    shift
    for word; do
        case $word in
            "$flag" | "$flag="*) return 0 ;;
        esac
    done
    return 1
)"""


def _flagged(flags: Mapping[str, str]) -> Iterator[str]:
    """Write the lines that add flags whose variable is set, unless they are given already."""
    yield _GIVEN
    for name, flag in flags.items():
        bare = flag.removesuffix("=")
        more = f'{flag}"${name}"' if flag.endswith("=") else f'{flag} "${name}"'
        yield f'[ -z "${{{name}-}}" ] || given {bare} "$@" || set -- "$@" {more}'


def exports(command: Command) -> list[str]:
    return [f"export {name}={expanded(value)}" for name, value in command.env.items()]


def expanded(value: str, unset: str = "-") -> str:
    """Quote a value in which ${NAME} means a variable, and $${ a plain ${.

    `unset` is how the shell takes one that is not set: as nothing ("-"), or as an error ("").
    """
    quoted = (
        f'"${{{name}{unset}}}"' if name else shlex.quote(part)
        for part, name in references.parts(value)
    )
    return "".join(quoted) or "''"


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
