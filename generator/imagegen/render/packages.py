"""RUN lines that install OS packages, and what they need in the context."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from imagegen.plan.model import Plan, Repository
from imagegen.render.network import ENTER, MOUNT
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict
from imagegen.tree import Entry, File, text

APT_MOUNTS = (
    MOUNT,
    "--mount=type=cache,target=/var/cache/apt,sharing=private",
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=private",
)
"""What a RUN with apt mounts: the builder's network, which ENTER sets up, and apt's caches."""

APT_FOLDER = PurePosixPath("packages/apt")
"""In the context, what comes to lie in /etc/apt."""

TRACES = (
    "/var/log/apt",
    "/var/log/dpkg.log",
    "/var/log/alternatives.log",
    "/var/cache/ldconfig/aux-cache",
)
# Debian's own images delete what apt leaves in its usual place, even from a cache mount.
APT_CACHE = "-o Dir::Cache::archives=imagegen -o APT::Keep-Downloaded-Packages=true"
APT_CLEAN = f"rm -rf {' '.join(TRACES)}"

# A line of `apt-get -s`: "Inst NAME (…" is new, "Inst NAME [old] (…" an update.
_NEW = r"sed -n 's/^Inst \([^ ]*\) (.*/\1/p' /dev/shm/plan >/dev/shm/lent"
_BACK = """'NR == FNR { lent[$0]; next } $1 == "Remv" && $2 in lent { print $2 }'"""
# What is only recommended or suggested by something that stays would stay as well.
_STRICT = WRAP.join(
    f"-o APT::AutoRemove::{kind}Important=false" for kind in ("Recommends", "Suggests")
)
_ADDED = "--no-install-recommends --no-remove"
_ARMOUR = b"-----BEGIN PGP"


def install(names: Iterable[str], *, recommends: bool) -> Run:
    """Install packages, and take away what makes two equal builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    lines = [*updated(), _apt(how, names)]
    if any(name.partition("=")[0] == "runit" for name in names):
        # Debian's runit makes this link; the services of the image need a folder.
        lines.append("if [ -L /etc/service ]; then rm /etc/service; fi")
    return strict(ENTER, *lines, *_installed(names), APT_CLEAN, mounts=APT_MOUNTS)


def updated() -> tuple[str, ...]:
    """Make apt ready to install without questions."""
    return ("export DEBIAN_FRONTEND=noninteractive", "apt-get update -q")


def brought(names: Iterable[str], unless: str, *, lent: Iterable[str] = ()) -> str:
    """Install packages where the condition fails: only the build knows what the base has.

    Those that are `lent` go with `returned`.
    """
    lines = [*updated(), _apt(_ADDED, names), *(_borrowed(lent) if lent else ())]
    inner = (f"{line};".replace(WRAP, f"{WRAP}    ") for line in lines)
    return f"if ! {unless}; then{WRAP}{WRAP.join(inner)} \\\n    fi"


def lent(names: Iterable[str], *lines: str) -> tuple[str, ...]:
    """Install OS packages for these shell lines alone; give all the lines, for a RUN as root.

    What the packages bring goes again as well; what was there before stays, as does what the
    lines install and what that depends on. The lines are ours and stand before others: text of
    the user goes in as one word, for a comment or an `exit` in it would end more than itself.
    The RUN mounts APT_MOUNTS, and begins with ENTER. /dev/shm is memory and part of no layer.
    """
    wanted = sorted(set(names))
    if not wanted:
        return lines
    return (*updated(), *_borrowed(wanted), *lines, *returned())


def _borrowed(names: Iterable[str]) -> tuple[str, ...]:
    wanted = " ".join(map(quote, names))
    plan = f"apt-get install -s -y {_ADDED}{WRAP}{wanted} >/dev/shm/plan"
    return (plan, _NEW, _apt(_ADDED, names))


def returned() -> tuple[str, ...]:
    """Purge what /dev/shm/lent lists, which may be nothing, but for what is needed by now."""
    return (
        "xargs -r apt-mark auto </dev/shm/lent",
        f"apt-get autoremove -s{WRAP}{_STRICT}{WRAP}>/dev/shm/plan",
        f"awk {_BACK}{WRAP}/dev/shm/lent /dev/shm/plan >/dev/shm/gone",  # noqa: S108 -- in a build
        "xargs -r apt-get purge -q -y </dev/shm/gone",
        APT_CLEAN,
    )


def missing(names: Iterable[str], found: str) -> str:
    """End the build if a command that looks for "$name" does not find one of them."""
    said = 'echo "imagegen: $name was asked for, but is not installed" >&2'
    look = f"{found} ||{WRAP}    {{ {said}; exit 1; }}"
    first, *others = map(quote, names)
    if not others:
        return f"name={first}; {look}"
    return f"for name in {' '.join([first, *others])}; do{WRAP}{look}; \\\n    done"


def release(repository: Repository) -> Run:
    """Install a release package from its address."""
    path = f"/dev/shm/{repository.name}.deb"  # noqa: S108 -- in a build
    fetch = f"curl --fail --silent --show-error --location --proto =https{WRAP}--output {path}"
    lines = lent(
        ["ca-certificates", "curl"],
        f"{fetch} {quote(repository.package or '')}",
        f"apt-get install -q -y {_ADDED} {path}",
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


def _apt(how: str, names: Iterable[str]) -> str:
    return WRAP.join([f"apt-get install -q -y {how}", APT_CACHE, *map(quote, names)])


def _installed(names: Iterable[str]) -> Iterator[str]:
    """Look for the packages, or others that provide them: apt takes some names otherwise."""
    form = "${db:Status-Status} ${Package} ${Package}:${Architecture} ${Provides},\\n"
    yield f"dpkg-query -W -f{WRAP}'{form}'{WRAP}>/dev/shm/packages"
    yield "sed -i '/^installed /!d' /dev/shm/packages"
    asked = [name.partition("=")[0] for name in names]
    yield missing(asked, 'grep -qF -e " $name " -e " $name," /dev/shm/packages')
