"""Places of this machine, as seen from the file that names them."""

import os
from pathlib import Path

from imagegen.read.document import Node


def mounted(source: str | None, node: Node) -> str | None:
    """Give what a volume is mounted from: engines want a folder of the host to be absolute.

    The node is where it is named; anything else than a relative folder is as it is.
    """
    if source is None or not source.startswith("."):
        return source
    return os.path.normpath(node.source.folder / source)


def secret_file(file: str, node: Node) -> Path:
    """Find the file of a secret: beside the file that names it, or below the home folder."""
    if file.startswith("~/"):
        return Path.home() / file.removeprefix("~/")
    return node.source.folder / file
