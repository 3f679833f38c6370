"""How far a blueprint reaches: the folder in which its own files may lie."""

import os
from functools import cache
from pathlib import Path


@cache
def project(folder: Path) -> Path:
    """Find the git work tree that the folder lies in; without one, the folder itself.

    A work tree that holds the home folder is nobody's project: what a stranger's archive, unpacked
    somewhere below, could name there is no business of the stranger.
    """
    home = Path(os.path.realpath(Path.home()))
    for above in (folder, *folder.parents):
        if os.path.lexists(above / ".git"):
            return folder if home.is_relative_to(above) else above
    return folder
