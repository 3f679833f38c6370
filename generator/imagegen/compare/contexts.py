"""What differs between two build contexts: files, their lines, and the first layer to rebuild."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Literal

from imagegen.errors import shortened, visible
from imagegen.tree import Entry, File, Link, Tree

DOCKERFILE = PurePosixPath("Dockerfile")
_LARGEST = 2**20
_LONGEST = 70
_USUAL = re.compile(
    r"--mount=type=(?:cache|secret|bind,source=packages/programs)\S+ |(?<= )set -eu; "
    r"|export DEBIAN_FRONTEND=\w+; "
    r"|if \[ -s /run/secrets/\S+ \]; then \. \S+; fi; "
    r"|/dev/shm/build/(?:(?:apt|pip|npm)-has [^;]*|apt-clean)(?:; |$)"
)
_MOUNT = re.compile(r"--mount=type=bind,source=([^, ]+)")


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that one context has and the other has not, or not like that."""

    path: PurePosixPath
    kind: Literal["added", "removed", "changed"]
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The first instruction of a Dockerfile that no cache can answer, and why."""

    line: int
    instruction: str
    why: str


def changed_files(old: Tree, new: Tree) -> tuple[Changed, ...]:
    """List the files that differ, by path."""
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before is None or after is None:
            found.append(Changed(path, "added" if before is None else "removed", before, after))
        elif _identity(before) != _identity(after):
            found.append(Changed(path, "changed", before, after))
    return tuple(found)


def _identity(entry: Entry) -> tuple[object, ...]:
    return ("link", entry.target) if isinstance(entry, Link) else (entry.mode, entry.digest())


def first_rebuilt(old: Tree, new: Tree) -> Rebuilt | None:
    """Find the first instruction that differs, or reads files that differ."""
    changed = {one.path for one in changed_files(old, new)}
    before = [text for _, text in _instructions(old)]
    after = [text for _, text in _instructions(new)]
    for number, (line, text) in enumerate(_instructions(new)):
        if number >= len(before) or text != before[number]:
            return Rebuilt(line, _short(text), _why(before[number:], after[number:]))
        read = [p for p in sorted(changed) if any(p.is_relative_to(s) for s in _sources(text))]
        if read:
            more = f" and {len(read) - 1} more" if len(read) > 1 else ""
            return Rebuilt(line, _short(text), f"reads {visible(str(read[0]))}{more}")
    return None


def _why(old: Sequence[str], new: Sequence[str]) -> str:
    """Say how the first instruction of both differs; the lists go on to the end of the files."""
    if not old or old[0] in new:
        return "is new"
    if new[0] in old:
        return f"comes without what was before it: {_short(old[0])}"
    before, after = (_USUAL.sub("", one[0]).split() for one in (old, new))
    if before[0] != after[0]:
        return f"was: {_short(old[0])}"
    before, after = ([word.rstrip(";") for word in words] for words in (before, after))
    same = _alike(before, after)
    before, after = before[same:], after[same:]
    end = _alike(before[::-1], after[::-1])
    before, after = before[: len(before) - end], after[: len(after) - end]
    return f"{_words(before)} → {_words(after)}"


def _words(words: Sequence[str]) -> str:
    return _short(" ".join(words)) or "nothing"


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """Count how many words are the same at the beginning."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _instructions(tree: Tree) -> Iterator[tuple[int, str]]:
    """Go over the instructions of the Dockerfile with their lines; comments build nothing."""
    entry = tree.get(DOCKERFILE)
    if not isinstance(entry, File):
        return
    start, parts = 0, list[str]()
    for number, line in enumerate(entry.read().decode(errors="replace").split("\n"), 1):
        if not parts and (not line.strip() or line.startswith("#")):
            continue
        start = start if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.endswith("\\"):
            yield start, " ".join(filter(None, parts))
            parts = []


def _sources(instruction: str) -> list[PurePosixPath]:
    """List what of the context an instruction reads."""
    if instruction.startswith("COPY "):
        words = [word for word in instruction.split()[1:] if not word.startswith("--")]
        return [PurePosixPath(word.strip('[],"').rstrip("/")) for word in words[:1]]
    return [PurePosixPath(source) for source in _MOUNT.findall(instruction)]


def _short(text: str) -> str:
    """Leave out what every RUN has, and what does not fit a line."""
    return visible(shortened(_USUAL.sub("", text), _LONGEST))


def unified(changed: Changed, old: str, new: str) -> str:
    """Write the difference of a file as diff -u does; `old` and `new` name the two sides."""
    before, after = _lines(changed.old), _lines(changed.new)
    if before is None or after is None:
        return f"Binary files {old}/{changed.path} and {new}/{changed.path} differ\n"
    head = ""
    if _mode(changed.old) and _mode(changed.new) and _mode(changed.old) != _mode(changed.new):
        head = f"old mode {_mode(changed.old)}\nnew mode {_mode(changed.new)}\n"
    names = (
        "/dev/null" if changed.old is None else f"{old}/{changed.path}",
        "/dev/null" if changed.new is None else f"{new}/{changed.path}",
    )
    lines = difflib.unified_diff(before, after, *names, lineterm="")
    return head + "".join(f"{_shown(line)}\n" for line in lines)


def _shown(line: str) -> str:
    return "\t".join(map(visible, line.split("\t")))


def _mode(entry: Entry | None) -> str:
    return f"{entry.mode:04o}" if isinstance(entry, File) else ""


def _lines(entry: Entry | None) -> Sequence[str] | None:
    """Split into lines; None for what is no text."""
    if entry is None:
        return []
    if isinstance(entry, Link):
        return [f"link to {entry.target}"]
    content = entry.read()
    if len(content) > _LARGEST or b"\0" in content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text.removesuffix("\n").split("\n") if text else []
