"""Who runs what, and whose things are."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint
from imagegen.read.rules.checked import Checked


def container_user(c: Checked) -> Iterator[Problem | None]:
    """Somebody must run what runs; root only if that is written out."""
    b = c.blueprint
    if b.container.user is not None or len(c.declared("users")) == 1:
        return
    container = c.root.get("container")
    running = {
        "services": any(service.is_ours for service in b.services.values()),
        "lifecycle": b.lifecycle.hooks,
        "jobs": b.jobs,
        "logs": b.logs,
    }
    runs = next((table for table, some in running.items() if some), None)
    if runs and not (container and container.holds_doubt()):
        message = (
            "nobody is said to run them; declare one user in [users], or name one with "
            'container.user ("root" must be written out)'
        )
        yield c.root.nearest((runs,)).problem(message, key=True)


def known_users(c: Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None]] = [
        (("container", "user"), b.container.user),
        *(((*path, "user"), command.user) for path, command in c.commands()),
        *((("files", path, "owner"), content.owner) for path, content in b.files.items()),
        *((("steps", n, "owner"), step.owner) for n, step in enumerate(b.steps)),
        *((("volumes", name, "owner"), volume.owner) for name, volume in b.volumes.items()),
        *((("downloads", name, "owner"), one.owner) for name, one in b.downloads.items()),
        *((("env", name, "owner"), variable.owner) for name, variable in b.env.items()),
        *((("logs", glob, "user"), log.user) for glob, log in b.logs.items()),
    ]
    known = {"root"} | c.declared("users")
    for path, user in named:
        if user is not None and user not in known:
            yield c.wrong(path, f"{quoted(user)} is not in [users]{hint(user, known)}")


def one_id_each(c: Checked) -> Iterator[Problem | None]:
    seen: dict[int, str] = {}
    for name, user in c.blueprint.users.items():
        first = seen.setdefault(user.uid, name)
        if name == "root" or user.uid == 0:
            message = "root is there already; choose another name and uid"
            yield c.wrong(("users", name), message, key=True)
        elif first != name:
            yield c.wrong(("users", name, "uid"), f"{user.uid} is the uid of {first} already")
