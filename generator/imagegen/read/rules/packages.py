"""Packages: what is served, and what the own files beside them must be."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imagegen.errors import Problem
from imagegen.language.families import SERVED
from imagegen.read.rules.checked import Checked

ARMOURED = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_PRIVATE = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"
_KEYBOX = b"KBXf"
# A public key begins a binary file, with one, two or four bytes for its length, or in the new form.
_BINARY = (0x98, 0x99, 0x9A, 0xC6)
_ENOUGH = 4096


_BASES_OWN = ("debian", "ubuntu")


def managers(c: Checked) -> Iterator[Problem | None]:
    if c.blueprint.packages.yum is not None:
        message = f"is not supported yet (served: packages.apt, for {', '.join(SERVED)}; pip; npm)"
        yield c.wrong(("packages", "yum"), message, key=True)


def repositories(c: Checked) -> Iterator[Problem | None]:
    """Look at what apt would only complain of in the build, and then in other words."""
    for name, repository in c.blueprint.packages.apt.repositories.items():
        if repository.url and name in _BASES_OWN:
            said = "is the name of the base's own repositories, which would be gone; choose another"
            yield c.wrong(("packages", "apt", "repositories", name), said, key=True)
        path = c.folder / (repository.key or "")
        if repository.key and path.is_file() and (message := _no_key(path)):
            yield c.wrong(("packages", "apt", "repositories", name, "key"), message)


def _no_key(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            begin = stream.read(_ENOUGH)
    except OSError:
        return None  # that it can't be read is said elsewhere
    if _PRIVATE in begin:
        return "is a private key, which must not go into an image; give the public one"
    if begin[8:12] == _KEYBOX:
        return "is a keybox of GnuPG, which apt can't read; make it with: gpg --export --armor KEY"
    if ARMOURED not in begin and begin[:1] not in [bytes([one]) for one in _BINARY]:
        return "is no OpenPGP public key, neither as text nor binary"
    return None


def python(c: Checked) -> Iterator[Problem | None]:
    pip = c.blueprint.packages.pip
    if pip.build_packages and not (pip.install or pip.requirements):
        message = (
            "nothing is installed that could need them: `install` or `requirements` is missing"
        )
        yield c.wrong(("packages", "pip", "build-packages"), message)
    if pip.venv is not None and str(PurePosixPath(pip.venv)) == "/":
        yield c.wrong(("packages", "pip", "venv"), "the root folder can't be one")
    elif pip.venv is not None and re.search("[:$]", pip.venv):
        yield c.wrong(("packages", "pip", "venv"), "is part of PATH, where : and $ mean more")
