"""RUN lines that install packages."""

from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict

APT_MOUNTS = (
    "--mount=type=cache,target=/var/cache/apt,sharing=private",
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=private",
)
TRACES = (
    "/var/log/apt",
    "/var/log/dpkg.log",
    "/var/log/alternatives.log",
    "/var/cache/ldconfig/aux-cache",
)
# Debian's own images delete what apt leaves in its usual place, even from a cache mount.
APT_CACHE = "-o Dir::Cache::archives=imagegen -o APT::Keep-Downloaded-Packages=true"


def install(names: tuple[str, ...], *, recommends: bool) -> Run:
    """Install packages, and take away what makes two equal builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    lines = [
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get update -q",
        WRAP.join([f"apt-get install -q -y {how}", APT_CACHE, *map(quote, names)]),
    ]
    if any(name.partition("=")[0] == "runit" for name in names):
        # Debian's runit makes this link; the services of the image need a folder.
        lines.append("if [ -L /etc/service ]; then rm /etc/service; fi")
    return strict(*lines, f"rm -rf {' '.join(TRACES)}", mounts=APT_MOUNTS)
