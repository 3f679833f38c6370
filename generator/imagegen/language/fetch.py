"""What is downloaded, wherever it stands."""

from typing import Annotated, ClassVar

from pydantic import Field

from imagegen.language.scalars import Filled, Key, Kind, matching
from imagegen.language.table import Table

Address = Annotated[
    str,
    matching(
        r"https?://[^\x00-\x20\x7f-\U0010ffff\"<>@\\^`{|}/?#]+"
        r"(?:[/?#][^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]*)?",
        "address to download from; it begins with https:// or http://, has no blanks, and no user "
        "and password: these go into `netrc`",
    ),
    Kind("http or https address", r"^https?://[^/?#@]+(?:[/?#].*)?$", "https://example.org/x.jar"),
]
Checksum = Annotated[
    str,
    matching(
        r"sha256:[0-9a-fA-F]{64}|md5:https?://[\x21-\x7e]+",
        'checksum; write "sha256:" and 64 digits of 0-9 and a-f',
    ),
    Kind("checksum", example="sha256:" + "0123456789abcdef" * 4),
]
HeaderName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_-]*", "name of a header; use letters, digits, - and _")
]


_ARCHIVES = {
    (".tar", ".tar.gz", ".tgz"): (),
    (".tar.bz2", ".tbz2", ".tbz"): ("bzip2",),
    (".tar.xz", ".txz"): ("xz-utils",),
    (".tar.zst", ".tzst"): ("zstd",),
    (".zip", ".jar", ".war", ".whl"): ("unzip",),
}
"""What unpacks an archive besides tar and gzip, which every Debian has."""


def unpackers(file: str) -> set[str]:
    """Name the packages that unpack a file; all of them for a name that does not tell."""
    known = [packages for ends, packages in _ARCHIVES.items() if file.lower().endswith(ends)]
    return set(known[0]) if known else {one for packages in _ARCHIVES.values() for one in packages}


class Fetch(Table):
    """Something that is downloaded."""

    goes_to: ClassVar[str] = "wherever the table that holds it goes"

    fetch: Annotated[Address | None, Field(examples=["https://example.org/app-1.2.tar.gz"])] = None
    """Where it is downloaded from, by http or https; redirects are followed."""
    checksum: Checksum | None = None
    """What it must be: "sha256:…". The build refuses without."""
    headers: Annotated[
        dict[HeaderName, Filled], Field(examples=[{"Accept": "application/octet-stream"}])
    ] = {}
    """Headers of the request. They are no place for secrets, which the Dockerfile would show."""
    netrc: Annotated[Key | None, Field(examples=["mirror"])] = None
    """Name in [secrets] of a file in netrc form, with users and passwords by host."""
    unpack: bool = False
    """Unpack it, a tar or zip archive, into the folder `to`."""
    strip: Annotated[int, Field(ge=0, le=100)] = 0
    """With `unpack`: without so many leading folders."""
