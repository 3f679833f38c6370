"""Families of base images: how packages are installed, and which init is at hand."""

SERVED = ("debian",)

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
_OTHER_TAGS = ("alpine", "-ubi", "windows", "nanoserver", "oraclelinux", "-al2")


def family_of(reference: str) -> str | None:
    """Tell the family from a reference's name; None where the name does not tell."""
    name, _, tag = reference.partition("@")[0].rpartition("/")[2].partition(":")
    if name in _DEBIAN and not any(other in tag for other in _OTHER_TAGS):
        return "debian"
    return None
