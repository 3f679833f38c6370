"""Files in memory: what rendering makes, and what writing, comparing and building take."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class File:
    """One file of a tree: its content, or the file of the user that holds it.

    Git and Docker contexts keep only the executable bit, so it is the whole truth about the
    mode on disk: 0755 or 0644. Owners and other modes are set by the Dockerfile.
    """

    content: bytes | Path
    executable: bool = False

    @property
    def mode(self) -> int:
        return 0o755 if self.executable else 0o644

    def read(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def digest(self) -> str:
        """Hash the content, without holding a large file in memory."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


MANIFEST = ".imagegen.json"
"""Lies in each folder that imagegen wrote, and says what it wrote there."""

Entry: TypeAlias = File | Link
Tree: TypeAlias = Mapping[PurePosixPath, Entry]


def text(content: str, *, executable: bool = False) -> File:
    return File(content.encode(), executable)


def digest(tree: Tree) -> str:
    """Identify a tree: the same paths, contents and modes give the same 64 hex digits."""
    whole = hashlib.sha256()
    for path in sorted(tree):
        entry = tree[path]
        kind, content = (
            ("link", entry.target)
            if isinstance(entry, Link)
            else (f"{entry.mode:o}", entry.digest())
        )
        # No name and no target of a link can hold the NUL that ends each part.
        whole.update(f"{path}\0{kind}\0{content}\0".encode())
    return whole.hexdigest()
