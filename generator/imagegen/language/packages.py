"""What is installed, by package manager."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from imagegen.errors import quoted
from imagegen.language.scalars import (
    ASCII,
    ImagePath,
    Key,
    Kind,
    Line,
    Many,
    NpmPackage,
    OwnFile,
    Package,
    PythonPackage,
    matching,
)
from imagegen.language.table import GoesTo, Table, Wrong


def _without_password(value: str) -> str:
    if "@" in value.split("/")[2]:
        raise ValueError("names a user or password, which would lie in the image for all to read")
    return value


RepositoryUrl = Annotated[
    str,
    matching(
        rf"https?://(?:(?![/\[\]\"'\\]){ASCII})+(?:/(?:(?![\[\]\"'\\]){ASCII})*)?",
        "http or https address",
    ),
    AfterValidator(_without_password),
    Kind("address", example="https://deb.example.org/debian"),
]


def _release(value: str) -> str:
    if value.startswith("http:"):
        raise ValueError("is not encrypted, and is installed by root; use https")
    if ":" in value and not value.endswith(".deb"):
        raise ValueError(f"{quoted(value)} is no package: its address must end in .deb")
    return value


ReleasePackage = Annotated[
    str,
    matching(
        rf"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]|https?://(?:(?![\[\]\"'\\@]){ASCII})+",
        "package; write the name of a Debian package or the https address of a .deb file",
    ),
    AfterValidator(_release),
]


class Repository(Table):
    """[packages.apt.repositories.NAME]: packages from elsewhere: `url`, or `package`."""

    goes_to: ClassVar[str] = "/etc/apt"
    choices: ClassVar[tuple[str, ...]] = ("url", "package")

    url: Annotated[RepositoryUrl | None, Field(examples=["https://deb.example.org/debian"])] = None
    """Where it is, as apt knows it: without `dists`."""
    suites: Annotated[
        Many[
            Annotated[
                str, matching(r"[A-Za-z0-9.][A-Za-z0-9._~/-]*|/", 'suite, as in "bookworm" or "./"')
            ]
        ],
        Field(examples=[["bookworm"]]),
    ] = ()
    """Which releases of it; one that ends in / is a folder that holds all."""
    components: Annotated[
        Many[Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", 'component, as in "main"')]],
        Field(examples=[["main", "contrib"]]),
    ] = ()
    """Which parts of these; default ["main"]."""
    key: Annotated[OwnFile | None, Field(examples=["keys/example.asc"])] = None
    """Its OpenPGP key, a file of yours: text or binary. Without one the base must know it."""
    package: Annotated[
        ReleasePackage | None,
        Field(examples=["https://example.org/example-release.deb"]),
    ] = None
    """A package that sets the repository up: its name, or the https address of a .deb file."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.url is None and self.package is None:
            raise ValueError("needs `url`, or `package`")
        if self.url is not None and not self.suites:
            raise ValueError('needs `suites`, as in suites = ["bookworm"]')
        if self.components and all(suite.endswith("/") for suite in self.suites):
            raise Wrong("a suite that ends in / is a folder and has no components", "components")
        for key in ("suites", "components", "key"):
            if self.package is not None and getattr(self, key):
                raise Wrong("goes with `url`; a package brings its own", key)
        return self


class Apt(Table):
    """[packages.apt]: Debian packages. A bare list stands for `install`."""

    goes_to: ClassVar[str] = "Dockerfile: apt-get install"
    bare: ClassVar[str | None] = "install"

    install: Annotated[Many[Package], Field(examples=[["curl", "postgresql-15=15.*"]])] = ()
    """What is installed: "curl", "curl=8.5.*"."""
    recommends: bool = False
    """With the packages that these recommend."""
    repositories: Annotated[dict[Key, Repository], GoesTo("/etc/apt")] = {}
    """Where packages come from beside what the base knows; they stay set up in the image."""


class YumRepository(Table):
    """[packages.yum.repositories.NAME]: not supported yet."""

    goes_to: ClassVar[str] = "nowhere yet"
    choices: ClassVar[tuple[str, ...]] = ("url", "package")

    url: Annotated[Line | None, Field(examples=["https://example.org/example.repo"])] = None
    """The address of a .repo file."""
    package: Annotated[Line | None, Field(examples=["epel-release"])] = None
    """A package that sets the repository up."""


class Yum(Table):
    """[packages.yum]: packages of the family redhat, which is not supported yet."""

    goes_to: ClassVar[str] = "nowhere yet"
    bare: ClassVar[str | None] = "install"

    install: Annotated[Many[Line], Field(examples=[["httpd"]])] = ()
    """What is installed."""
    repositories: dict[Key, YumRepository] = {}
    """Where packages come from beside what the base knows."""
    enable: Annotated[Many[Line], Field(examples=[["epel"]])] = ()
    """Repositories that count for this install."""
    disable: Annotated[Many[Line], Field(examples=[["updates"]])] = ()
    """Repositories that do not count for this install."""


class Pip(Table):
    """[packages.pip]: Python packages. A bare list stands for `install`."""

    goes_to: ClassVar[str] = "Dockerfile: pip install"
    bare: ClassVar[str | None] = "install"

    install: Annotated[
        Many[PythonPackage],
        Field(examples=[["flask==3.0.3", "tool @ git+https://example.org/tool@v1.2"]]),
    ] = ()
    """What is installed, as pip has it; pip is brought where the base has none."""
    requirements: Annotated[Many[OwnFile], Field(examples=[["requirements.txt"]])] = ()
    """Files of yours that list packages, and with them those that they name by -r or -c. They are
    there for the install and do not stay."""
    venv: Annotated[
        ImagePath | None, Field(examples=["/opt/venv"]), GoesTo("Dockerfile: pip install, ENV PATH")
    ] = None
    """A virtual environment, made for these packages; its programs are first in PATH."""
    build_packages: Annotated[Many[Package], Field(examples=[["gcc", "libpq-dev"]])] = ()
    """Debian packages that installing needs; they are gone from the image after it."""


class Npm(Table):
    """[packages.npm]: programs for Node. A bare list stands for `install`."""

    goes_to: ClassVar[str] = "Dockerfile: npm install --global"
    bare: ClassVar[str | None] = "install"

    install: Annotated[Many[NpmPackage], Field(examples=[["bower@1.8.8", "@acme/tool"]])] = ()
    """What is installed for all users. Where the base has no npm, Debian's Node is brought, and npm
    for the install alone."""


class Packages(Table):
    """[packages]: by package manager."""

    goes_to: ClassVar[str] = "Dockerfile"

    apt: Apt = Apt()
    """Debian packages."""
    yum: Yum | None = None
    """Packages of the family redhat, which is not supported yet: `check` refuses them."""
    pip: Pip = Pip()
    """Python packages, installed after those of apt."""
    npm: Npm = Npm()
    """Programs for Node, installed after those of apt and pip."""
