"""RUN lines that install OS packages, and what they need in the context."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from imagegen.library import library
from imagegen.plan.model import Plan, Repository
from imagegen.render.network import ENTER, MOUNT
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict
from imagegen.tree import Entry, File, text

PROGRAMS = PurePosixPath("packages/programs")
"""Where in the context the programs lie that a RUN with packages calls."""

_CALLED = PurePosixPath("/dev/shm/build")  # noqa: S108 -- memory, in which a mount leaves no folder
PROGRAMS_MOUNT = f"--mount=type=bind,source={PROGRAMS},target={_CALLED}"

APT_MOUNTS = (
    MOUNT,
    PROGRAMS_MOUNT,
    "--mount=type=cache,target=/var/cache/apt,sharing=private",
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=private",
)
"""What a RUN with apt mounts: the builder's network, which ENTER sets up, programs, and caches."""

APT_FOLDER = PurePosixPath("packages/apt")
"""In the context, what comes to lie in /etc/apt."""

APT_CLEAN = str(_CALLED / "apt-clean")

# Debian's own images delete what apt leaves in its usual place, even from a cache mount.
_CACHED = "-o Dir::Cache::archives=imagegen -o APT::Keep-Downloaded-Packages=true"
_ARMOUR = b"-----BEGIN PGP"


def install(names: Iterable[str], *, recommends: bool) -> Run:
    """Install packages, see that all are there, and take away what makes two builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    lines = [
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get update -q",
        WRAP.join([f"apt-get install -q -y {how}", _CACHED, *map(quote, names)]),
    ]
    plain = [name.partition("=")[0] for name in names]
    if "runit" in plain:
        # Debian's runit makes this link; the services of the image need a folder.
        lines.append("if [ -L /etc/service ]; then rm /etc/service; fi")
    return strict(ENTER, *lines, has("apt", plain), APT_CLEAN, mounts=APT_MOUNTS)


def brought(names: Iterable[str]) -> str:
    """Install packages that nobody has asked for."""
    return " ".join([f"{_CALLED}/apt-bring", *map(quote, names)])


def lent(names: Iterable[str], *lines: str) -> tuple[str, ...]:
    """Install OS packages for these shell lines alone; give all the lines, for a RUN as root.

    What the packages bring goes again as well; what was there before stays, as does what the
    lines install and what that depends on. The lines are ours and stand before others: text of
    the user goes in as one word, for a comment or an `exit` in it would end more than itself.
    The RUN mounts APT_MOUNTS, and begins with ENTER.
    """
    wanted = sorted(set(names))
    return (borrowed(wanted), *lines, TAKE_BACK) if wanted else lines


def borrowed(names: Iterable[str]) -> str:
    """Install packages until TAKE_BACK, in the same RUN."""
    return " ".join([f"{_CALLED}/apt-bring --lent", *map(quote, names)])


TAKE_BACK = str(_CALLED / "apt-take-back")
"""Takes away what was borrowed, which may be nothing, but for what is needed by now."""


def has(manager: Literal["apt", "pip", "npm"], names: Iterable[str]) -> str:
    """End the build if the manager does not have one of the names."""
    return " ".join([f"{_CALLED}/{manager}-has", *map(quote, names)])


@cache
def package_programs() -> Mapping[PurePosixPath, Entry]:
    """Give the programs; all of them, so that layers are the same in every variant."""
    folder = library("render/programs")
    return {
        PROGRAMS / one.name: File(one.read_bytes(), executable=True)
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
    }


def release(repository: Repository) -> Run:
    """Install a release package from its address."""
    path = f"/dev/shm/{repository.name}.deb"  # noqa: S108 -- in a build
    fetch = f"curl --fail --silent --show-error --location --proto =https{WRAP}--output {path}"
    lines = lent(
        ["ca-certificates", "curl"],
        f"{fetch} {quote(repository.package or '')}",
        brought([path]),
    )
    return strict(ENTER, *lines, mounts=APT_MOUNTS)


def apt_files(plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Make the files of apt's repositories; Debian 9 is the oldest that reads this form."""
    for repository in plan.apt_repositories:
        if repository.url is None:
            continue
        lines = {
            "Types": "deb",
            "URIs": repository.url,
            "Suites": " ".join(repository.suites),
            "Components": " ".join(repository.components),
        }
        if repository.key:
            key = f"keyrings/{repository.name}.{_form(repository.key)}"
            lines["Signed-By"] = f"/etc/apt/{key}"
            yield APT_FOLDER / key, File(repository.key)
        said = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
        yield APT_FOLDER / f"sources.list.d/{repository.name}.sources", text(said)


def _form(key: Path) -> str:
    """Tell how a key is written: apt goes by the ending of its name."""
    with key.open("rb") as stream:
        return "asc" if _ARMOUR in stream.read(4096) else "gpg"
