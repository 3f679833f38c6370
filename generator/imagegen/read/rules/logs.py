"""Clean-up of logs."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.errors import Problem
from imagegen.read.rules.checked import Checked


def logs(c: Checked) -> Iterator[Problem | None]:
    for glob, log in c.blueprint.logs.items():
        folders = PurePosixPath(glob).parts[1:-1]
        wild = any(sign in folder for folder in folders[1:] for sign in "*?[")
        if wild and (log.user or c.blueprint.container.user) == "root":
            # Who owns the folder could exchange it for a link while root is at work in it.
            message = "root does not clean up in folders with wildcards; name the owner as `user`"
            yield c.wrong(("logs", glob), message, key=True)
        if glob.endswith("/") or not folders or any(wild in folders[0] for wild in "*?["):
            message = 'needs a folder without wildcards and a name, as in "/var/log/web/*.log"'
            yield c.wrong(("logs", glob), message, key=True)
