"""RUN lines that install packages."""

from collections.abc import Iterable

from imagegen.render.network import ENTER, MOUNT
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict

APT_MOUNTS = (
    MOUNT,
    "--mount=type=cache,target=/var/cache/apt,sharing=private",
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=private",
)
"""What a RUN with apt mounts: the builder's network, which ENTER sets up, and apt's caches."""

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
_STRICT = " ".join(
    f"-o APT::AutoRemove::{kind}Important=false" for kind in ("Recommends", "Suggests")
)


def install(names: tuple[str, ...], *, recommends: bool) -> Run:
    """Install packages, and take away what makes two equal builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    lines = [*updated(), _apt(how, names)]
    if any(name.partition("=")[0] == "runit" for name in names):
        # Debian's runit makes this link; the services of the image need a folder.
        lines.append("if [ -L /etc/service ]; then rm /etc/service; fi")
    return strict(ENTER, *lines, APT_CLEAN, mounts=APT_MOUNTS)


def updated() -> tuple[str, ...]:
    """Make apt ready to install without questions."""
    return ("export DEBIAN_FRONTEND=noninteractive", "apt-get update -q")


def lent(names: Iterable[str], *lines: str) -> tuple[str, ...]:
    """Install OS packages for these shell lines alone; give all the lines, for a RUN as root.

    What the packages bring goes again as well; what was there before stays, as does what the
    lines install and what that depends on. The lines are ours and stand before others: text of
    the user goes in as one word, for a comment or an `exit` in it would end more than itself.
    The RUN mounts APT_MOUNTS, and begins with ENTER. /dev/shm is memory and part of no layer.
    """
    wanted = " ".join(map(quote, sorted(set(names))))
    if not wanted:
        return lines
    how = "--no-install-recommends --no-remove"
    return (
        *updated(),
        f"apt-get install -s -y {how} {wanted} >/dev/shm/plan",
        _NEW,
        _apt(how, sorted(set(names))),
        *lines,
        "xargs -r apt-mark auto </dev/shm/lent",
        f"apt-get autoremove -s{WRAP}{_STRICT} >/dev/shm/plan",
        f"awk {_BACK}{WRAP}/dev/shm/lent /dev/shm/plan >/dev/shm/gone",  # noqa: S108 -- in a build
        "xargs -r apt-get purge -q -y </dev/shm/gone",
        APT_CLEAN,
    )


def _apt(how: str, names: Iterable[str]) -> str:
    return WRAP.join([f"apt-get install -q -y {how}", APT_CACHE, *map(quote, names)])
