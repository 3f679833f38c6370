"""Families of base images: how packages are installed, and which init is at hand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imagegen.errors import quoted

SERVED = ("debian", "phusion")
"""The families that images can be built on."""

LATER = ("redhat",)
"""Families that the language knows and the runtime does not yet."""

_DEBIAN = frozenset(
    {
        "buildpack-deps",
        "debian",
        "eclipse-temurin",
        "golang",
        "httpd",
        "mariadb",
        "mysql",
        "nginx",
        "node",
        "openjdk",
        "perl",
        "php",
        "postgres",
        "python",
        "redis",
        "ruby",
        "tomcat",
        "ubuntu",
    }
)
_OTHERS: Mapping[str, str] = {
    "alpine": "alpine",
    "busybox": "busybox",
    "scratch": "empty",
    **dict.fromkeys(("almalinux", "amazonlinux", "centos", "fedora"), "redhat"),
    **dict.fromkeys(("oraclelinux", "rockylinux", "ubi8", "ubi9"), "redhat"),
}
_TAGS: Mapping[str, str] = {
    "alpine": "alpine",
    "-ubi": "redhat",
    "oraclelinux": "redhat",
    "-al2": "redhat",
    "windows": "windows",
    "nanoserver": "windows",
}
_SYSTEMS: Mapping[str, str] = {
    **dict.fromkeys(("debian", "ubuntu"), "debian"),
    "alpine": "alpine",
    **dict.fromkeys(("rhel", "fedora", "centos", "amzn", "ol"), "redhat"),
    **dict.fromkeys(("suse", "opensuse", "sles"), "suse"),
    "arch": "arch",
}
_LINE = re.compile(r"""^(ID|ID_LIKE|PRETTY_NAME)=(["']?)(.*?)\2\s*$""", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What an image turned out to hold: its os-release, whether it has my_init, what it starts."""

    release: str = ""
    has_my_init: bool = False
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The family of an image, and how that is known. `against` says why it can't be served."""

    name: str
    because: str = ""
    against: str = ""

    @property
    def is_served(self) -> bool:
        return self.name in SERVED and not self.against


def family_of(reference: str) -> str | None:
    """Tell the family from a reference's name; None where the name does not tell."""
    path, _, tag = _without_host(reference.partition("@")[0]).partition(":")
    name = path.rpartition("/")[2]
    if path == "phusion/baseimage" or path.startswith("phusion/baseimage-"):
        return "phusion"
    if name in _OTHERS:
        return _OTHERS[name]
    if name in _DEBIAN:
        return next((family for said, family in _TAGS.items() if said in tag), "debian")
    return None


def _without_host(reference: str) -> str:
    first, _, rest = reference.partition("/")
    return rest if rest and ("." in first or ":" in first or first == "localhost") else reference


def family_in(system: System) -> Family:
    """Tell the family from what is in the image."""
    said = {key: value for key, _, value in _LINE.findall(system.release)}
    names = [said.get("ID", ""), *said.get("ID_LIKE", "").split()]
    because = said.get("PRETTY_NAME") or said.get("ID") or "it has no os-release"
    name = next((_SYSTEMS[name] for name in names if name in _SYSTEMS), said.get("ID") or "unknown")
    if name == "debian" and system.has_my_init:
        return Family(name="phusion", because=f"{because}, with /sbin/my_init")
    supervisor = next((word for word in system.starts if "supervisord" in word), None)
    if name == "debian" and supervisor:
        against = f"it starts {quoted(supervisor)}, whose programs would not run under imagegen"
        return Family(name=name, because=because, against=against)
    return Family(name=name, because=because)
