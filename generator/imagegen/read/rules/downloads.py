"""What is downloaded at the start: where it is put, and the secret that it may need."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.near import hint
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.files import is_ours


def downloads(c: Checked) -> Iterator[Problem | None]:
    taken = {path.rstrip("/"): f'files."{path}"' for path in c.blueprint.files}
    for name, download in c.blueprint.downloads.items():
        place = ("downloads", name)
        path = download.to.rstrip("/")
        if is_ours(path):
            yield c.wrong((*place, "to"), "the path is imagegen's own")
        elif path in taken:
            yield c.wrong((*place, "to"), f"is the place of {taken[path]} already")
        taken.setdefault(path, f"downloads.{name}")


def secrets(c: Checked) -> Iterator[Problem | None]:
    env = c.blueprint.env
    for name, download in c.blueprint.downloads.items():
        place = ("downloads", name, "netrc")
        if download.netrc is None:
            continue
        if download.netrc not in c.declared("env"):
            near = hint(download.netrc, [n for n, v in env.items() if v.secret])
            yield c.wrong(place, f"{quoted(download.netrc)} is not declared in [env]{near}")
        elif download.netrc in env and not env[download.netrc].secret:
            message = f"{quoted(download.netrc)} holds passwords: say secret = true in [env]"
            yield c.wrong(place, message)
