"""Rules that need more than one key: what the types alone can't say."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

from imagegen.errors import Problem
from imagegen.language import Blueprint
from imagegen.language.families import SERVED, family_of
from imagegen.language.shapes import Command
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath

OURS = ("/etc/imagegen", "/usr/lib/imagegen", "/usr/bin/imagegen-cfg", "/run/imagegen")


@dataclass(frozen=True, slots=True)
class _Checked:
    """A valid blueprint with its document: what a rule looks at."""

    blueprint: Blueprint
    root: Node
    folder: Path

    def wrong(self, path: KeyPath, message: str, *, key: bool = False) -> Problem:
        """Complain about the value at the path, or the nearest above it that the file has."""
        node = self.root
        for part in path:
            below = node.child(part)
            if below is None:
                break
            node = below
        return node.problem(message, key=key)

    def commands(self) -> Iterator[tuple[KeyPath, Command]]:
        """Go over every command, wherever it stands."""
        b = self.blueprint
        for number, step in enumerate(b.steps):
            yield ("steps", number), step
        for name, job in b.jobs.items():
            yield ("jobs", name), job
        for name, service in b.services.items():
            path = ("services", name)
            yield path, service
            parts = {"start": service.start, "stop": service.stop, "health": service.health}
            yield from (((*path, key), part) for key, part in parts.items() if part)


Rule = Callable[[_Checked], Iterator[Problem]]


def broken_rules(blueprint: Blueprint, root: Node, folder: Path) -> Iterator[Problem]:
    """Look for everything wrong that needs more than one key, or the files beside the blueprint."""
    checked = _Checked(blueprint, root, folder)
    for rule in _RULES:
        yield from rule(checked)


def _family(c: _Checked) -> Iterator[Problem]:
    base = c.blueprint.image.base
    if base.family is None and family_of(base.image) is None:
        message = (
            f'the name "{base.image}" does not tell the family of the base; say it: '
            f'base = {{ image = "{base.image}", family = "debian" }} (served: {", ".join(SERVED)})'
        )
        yield c.wrong(("image", "base"), message)


def _container_user(c: _Checked) -> Iterator[Problem]:
    b = c.blueprint
    runs = b.services or b.jobs or b.logs
    if b.container.user is None and len(b.users) != 1 and runs:
        yield c.wrong(
            ("users",) if b.users else ("image",),
            "nobody is said to run the services; declare one user in [users], or name one "
            'with container.user ("root" must be written out)',
            key=True,
        )


def _known_users(c: _Checked) -> Iterator[Problem]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None]] = [
        (("container", "user"), b.container.user),
        *(((*path, "user"), command.user) for path, command in c.commands()),
        *((("files", path, "owner"), content.owner) for path, content in b.files.items()),
        *((("steps", n, "owner"), step.owner) for n, step in enumerate(b.steps)),
        *((("volumes", name, "owner"), volume.owner) for name, volume in b.volumes.items()),
        *((("logs", glob, "user"), log.user) for glob, log in b.logs.items()),
    ]
    for path, user in named:
        if user is not None and user != "root" and user not in b.users:
            known = ", ".join(["root", *sorted(b.users)])
            yield c.wrong(path, f'"{user}" is not in [users]; known: {known}')


def _one_id_each(c: _Checked) -> Iterator[Problem]:
    counted = Counter(user.uid for user in c.blueprint.users.values())
    for name, user in c.blueprint.users.items():
        if counted[user.uid] > 1:
            yield c.wrong(("users", name, "uid"), f"{user.uid} is the uid of another user too")
        if name == "root" or user.uid == 0:
            yield c.wrong(("users", name), "root is there already; choose another name and uid")


def _order(c: _Checked) -> Iterator[Problem]:
    services = c.blueprint.services
    for name, service in services.items():
        for number, other in enumerate(service.after):
            place = ("services", name, "after", number)
            if other not in services:
                known = ", ".join(sorted(set(services) - {name})) or "none"
                yield c.wrong(place, f'there is no service "{other}"; known: {known}')
    for circle in _circles({name: service.after for name, service in services.items()}):
        yield c.wrong(
            ("services", circle[0], "after"), f"services wait in a circle: {' → '.join(circle)}"
        )


def _circles(after: dict[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Find circles one by one, each broken before the next is looked for."""
    left = {name: {other for other in others if other in after} for name, others in after.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            yield circle
            left[circle[0]].discard(circle[1])
        else:
            return


def _ports(c: _Checked) -> Iterator[Problem]:
    seen: dict[tuple[int, str], str] = {}
    for name, port in c.blueprint.ports.items():
        first = seen.setdefault((port.port, port.protocol), name)
        if first != name:
            yield c.wrong(("ports", name, "port"), f"{port.port} is already the port {first}")


def _volumes(c: _Checked) -> Iterator[Problem]:
    b = c.blueprint
    for name, volume in b.volumes.items():
        path = PurePosixPath(volume.path)
        for other, second in b.volumes.items():
            if other != name and path == PurePosixPath(second.path):
                yield c.wrong(("volumes", name, "path"), f"is the path of the volume {other} too")
        if str(path) == "/":
            yield c.wrong(("volumes", name, "path"), "the root folder can't be a volume")
        laid: list[tuple[KeyPath, str]] = [(("files", f), f) for f in b.files]
        laid += [(("steps", n, "to"), step.to) for n, step in enumerate(b.steps) if step.to]
        for place, there in laid:
            if PurePosixPath(there).is_relative_to(path):
                message = f"lies in the volume {name} ({volume.path}), whose content would hide it"
                yield c.wrong(place, message, key=place[0] == "files")


def _files(c: _Checked) -> Iterator[Problem]:
    for path, content in c.blueprint.files.items():
        place = ("files", path)
        folder = path.endswith("/")
        if any(PurePosixPath(path).is_relative_to(ours) for ours in OURS):
            yield c.wrong(place, "the path is imagegen's own", key=True)
        if str(PurePosixPath(path)) == "/":
            yield c.wrong(place, "the root folder is there already", key=True)
        if content.text is None and content.file is None and content.link is None and not folder:
            message = "needs `text`, `file` or `link`; a path that ends in / would be a folder"
            yield c.wrong(place, message)
        if folder and (content.text is not None or content.link is not None):
            yield c.wrong(place, "a path that ends in / is a folder: give `file` or nothing")
        if content.link is not None and (content.mode or content.owner != "root"):
            yield c.wrong(place, "a link has no owner and no mode of its own")
        if content.file is not None:
            own = c.folder / content.file
            if folder and own.is_file():
                message = "is a file, but the path ends in / as that of a folder"
                yield c.wrong((*place, "file"), message)
            if not folder and own.is_dir():
                message = f'is a folder; end the path with /: files."{path}/"'
                yield c.wrong((*place, "file"), message)


def _own_files(c: _Checked) -> Iterator[Problem]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None]] = [
        *((("files", path, "file"), content.file) for path, content in b.files.items()),
        *(((*path, "file"), command.file) for path, command in c.commands()),
    ]
    for number, step in enumerate(b.steps):
        named += [(("steps", number, "copy", n), name) for n, name in enumerate(step.copy_)]
    for place, name in named:
        if name is not None and (message := _unusable(c.folder, name)):
            yield c.wrong(place, message)
    for path, command in c.commands():
        if command.file and (c.folder / command.file).is_dir():
            yield c.wrong((*path, "file"), "is a folder; a script is needed")


def _unusable(folder: Path, name: str) -> str | None:
    """Say why an own file can't be used. Links may not lead out of the blueprint's folder."""
    path = folder / name
    try:
        if not os.path.lexists(path):
            return f'no such file beside the blueprint: "{name}"'
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "links go in a circle"
        return f'can\'t be read: "{name}": {reason}'
    if not real.is_relative_to(folder):
        return f'"{name}" lies outside the folder of the blueprint'
    if not (real.is_file() or real.is_dir()):
        return f'"{name}" is neither a file nor a folder'
    return None if os.access(real, os.R_OK) else f'"{name}" may not be read'


def _expressions(c: _Checked) -> Iterator[Problem]:
    for name, service in c.blueprint.services.items():
        if service.match is not None:
            try:
                re.compile(service.match)
            except re.error as error:
                yield c.wrong(("services", name, "match"), f"is no regular expression: {error}")


def _logs(c: _Checked) -> Iterator[Problem]:
    for glob in c.blueprint.logs:
        folders = PurePosixPath(glob).parts[1:-1]
        if glob.endswith("/") or not folders or any(wild in folders[0] for wild in "*?["):
            message = "needs a folder without wildcards first, and a file name last"
            yield c.wrong(("logs", glob), message, key=True)


def _arguments(c: _Checked) -> Iterator[Problem]:
    if c.blueprint.config.defaults is not None and "CFG" in c.blueprint.env:
        message = "CFG is the variable that is merged into the configuration"
        yield c.wrong(("env", "CFG"), message, key=True)
    for name in c.blueprint.env:
        if name.startswith("IMAGEGEN_"):
            yield c.wrong(("env", name), "variables IMAGEGEN_… are imagegen's own", key=True)


_RULES: tuple[Rule, ...] = (
    _family,
    _container_user,
    _known_users,
    _one_id_each,
    _order,
    _ports,
    _volumes,
    _files,
    _own_files,
    _expressions,
    _logs,
    _arguments,
)
