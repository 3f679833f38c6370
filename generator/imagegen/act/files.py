"""Single files out of containers, which need not run."""

import io
import posixpath
import tarfile

from docker import APIClient
from docker.errors import NotFound

from imagegen.act.refusals import explained

_LINKS = 10
_LARGEST = 2**16


def text(api: APIClient, container: str, path: str) -> str:
    """Read the beginning of a text file; empty if there is none.

    The engine hands out a link as a link, so it is followed here, as from the root of the image.
    """
    for _ in range(_LINKS):
        content = _archive(api, container, path)
        if content is None:
            return ""
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.next()
            if member is None:
                return ""
            if not member.issym():
                file = archive.extractfile(member)
                return file.read(_LARGEST).decode(errors="replace") if file else ""
            path = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), member.linkname))
    return ""


def is_there(api: APIClient, container: str, path: str) -> bool:
    """Tell whether there is anything of that name."""
    return _archive(api, container, path) is not None


def _archive(api: APIClient, container: str, path: str) -> bytes | None:
    with explained():
        try:
            chunks, _ = api.get_archive(container, path)
            return b"".join(chunks)
        except NotFound:
            return None
