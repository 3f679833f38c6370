"""Rules that need more than one key: what the types alone can't say."""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

from imagegen.errors import Problem, quoted, shortened
from imagegen.language import Blueprint
from imagegen.language.families import SERVED, family_of
from imagegen.language.shapes import Command
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, listing

OURS = ("/etc/imagegen", "/usr/lib/imagegen", "/usr/bin/imagegen-cfg", "/run/imagegen")


@dataclass(frozen=True, slots=True)
class _Checked:
    """A valid blueprint with its document: what a rule looks at.

    Both may lack what is wrong by itself; `whole` is the document with that.
    """

    blueprint: Blueprint
    root: Node
    whole: Node
    folder: Path

    def wrong(self, path: KeyPath, message: str, *, key: bool = False) -> Problem | None:
        """Complain about the value at the path, or the nearest above it that the file has."""
        node = self.root.nearest(path)
        return None if node.holds_doubt() else node.problem(message, key=key)

    def home(self, path: KeyPath) -> Path:
        """Give the folder of the blueprint in which the value is written."""
        return self.root.nearest(path).source.path.resolve().parent

    def declared(self, table: str) -> set[str]:
        """Give the names in a table, also those of entries that are wrong."""
        node = self.whole.get(table)
        return {name for name, _ in node.items()} if node else set()

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


Rule = Callable[[_Checked], Iterator[Problem | None]]


def broken_rules(blueprint: Blueprint, root: Node, whole: Node, folder: Path) -> Iterator[Problem]:
    """Look for everything wrong that needs more than one key, or the files beside the blueprint.

    `root` is the document of the blueprint, `whole` what was taken out of it as well.
    """
    checked = _Checked(blueprint, root, whole, folder)
    for rule in _RULES:
        yield from filter(None, rule(checked))


def _family(c: _Checked) -> Iterator[Problem | None]:
    base = c.blueprint.image.base
    if base.image is not None and base.family is None and family_of(base.image) is None:
        message = (
            f"the name {quoted(base.image)} does not tell the family; say it: "
            f'base = {{ image = "…", family = "{SERVED[0]}" }} (served: {", ".join(SERVED)})'
        )
        yield c.wrong(("image", "base"), message)


def _container_user(c: _Checked) -> Iterator[Problem | None]:
    """Somebody must run what runs; root only if that is written out."""
    b = c.blueprint
    if b.container.user is not None or len(c.declared("users")) == 1:
        return
    container = c.root.get("container")
    runs = next((table for table in ("services", "jobs", "logs") if getattr(b, table)), None)
    if runs and not (container and container.holds_doubt()):
        message = (
            "nobody is said to run them; declare one user in [users], or name one with "
            'container.user ("root" must be written out)'
        )
        yield c.root.nearest((runs,)).problem(message, key=True)


def _known_users(c: _Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None]] = [
        (("container", "user"), b.container.user),
        *(((*path, "user"), command.user) for path, command in c.commands()),
        *((("files", path, "owner"), content.owner) for path, content in b.files.items()),
        *((("steps", n, "owner"), step.owner) for n, step in enumerate(b.steps)),
        *((("volumes", name, "owner"), volume.owner) for name, volume in b.volumes.items()),
        *((("logs", glob, "user"), log.user) for glob, log in b.logs.items()),
    ]
    known = {"root"} | c.declared("users")
    for path, user in named:
        if user is not None and user not in known:
            yield c.wrong(path, f"{quoted(user)} is not in [users]{hint(user, known)}")


def _one_id_each(c: _Checked) -> Iterator[Problem | None]:
    seen: dict[int, str] = {}
    for name, user in c.blueprint.users.items():
        first = seen.setdefault(user.uid, name)
        if name == "root" or user.uid == 0:
            message = "root is there already; choose another name and uid"
            yield c.wrong(("users", name), message, key=True)
        elif first != name:
            yield c.wrong(("users", name, "uid"), f"{user.uid} is the uid of {first} already")


def _order(c: _Checked) -> Iterator[Problem | None]:
    services = c.blueprint.services
    known = c.declared("services")
    for name, service in services.items():
        for number, other in enumerate(service.after):
            if other not in known:
                message = f"there is no service {quoted(other)}{hint(other, known - {name})}"
                yield c.wrong(("services", name, "after", number), message)
    for circle in _circles({name: service.after for name, service in services.items()}):
        first, second = circle[:2]
        place = ("services", first, "after", services[first].after.index(second))
        yield c.wrong(place, f"services wait in a circle: {listing(circle, ' → ')}")


def _variables(c: _Checked) -> Iterator[Problem | None]:
    """Variables may name each other, but somewhere it must begin."""
    env = c.blueprint.env
    named = {
        name: tuple(o for o in _NAMED.findall(variable.default or "") if o != name)
        for name, variable in env.items()
    }
    for circle in _circles(named):
        message = f"variables name each other in a circle: {listing(circle, ' → ')}"
        yield c.wrong(("env", circle[0], "default"), message)


_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _step_names(c: _Checked) -> Iterator[Problem | None]:
    """Steps are folders of the context, those without a name by their number."""
    seen: dict[str, int] = {}
    for number, step in enumerate(c.blueprint.steps):
        if step.name is None:
            continue
        if step.name.isdigit():
            yield c.wrong(("steps", number, "name"), "must not be a number: other steps are")
        elif step.name in seen:
            yield c.wrong(("steps", number, "name"), "is the name of another step already")
        seen[step.name] = number


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


def _ports(c: _Checked) -> Iterator[Problem | None]:
    seen: dict[tuple[int, str], str] = {}
    for name, port in c.blueprint.ports.items():
        first = seen.setdefault((port.port, port.protocol), name)
        if first != name:
            yield c.wrong(("ports", name, "port"), f"{port.port} is the port {first} already")


def _published(c: _Checked) -> Iterator[Problem | None]:
    """An address of the host has one taker; a wildcard takes all addresses."""
    taken: list[tuple[str, str, str, str]] = []
    for name, port in c.blueprint.ports.items():
        if port.publish is None:
            continue
        address, _, number = port.publish.rpartition(":")
        address = address or "127.0.0.1"
        for first, its, same, protocol in taken:
            is_everywhere = {"0.0.0.0", "[::]"} & {its, address}  # noqa: S104 -- only looked for
            if (number, port.protocol) == (same, protocol) and (is_everywhere or its == address):
                message = f"the port {first} is published there already"
                yield c.wrong(("ports", name, "publish"), message)
                break
        taken.append((name, address, number, port.protocol))


def _volumes(c: _Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    laid: list[tuple[KeyPath, str]] = [
        *((("files", path), path) for path in b.files),
        *((("steps", n, "to"), step.to) for n, step in enumerate(b.steps) if step.to),
    ]
    seen: dict[PurePosixPath, str] = {}
    for name, volume in b.volumes.items():
        path = PurePosixPath(volume.path)
        first = seen.setdefault(path, name)
        if str(path) == "/":
            yield c.wrong(("volumes", name, "path"), "the root folder can't be a volume")
        elif ":" in volume.path:
            yield c.wrong(("volumes", name, "path"), "engines can't mount at a path with a colon")
        elif first != name:
            yield c.wrong(("volumes", name, "path"), f"is the path of the volume {first} already")
        else:
            for place, there in laid:
                if PurePosixPath(there).is_relative_to(path):
                    message = (
                        f"lies in the volume {name} ({shortened(volume.path)}), which would hide "
                        "it; put one of them elsewhere"
                    )
                    yield c.wrong(place, message, key=place[0] == "files")


def _files(c: _Checked) -> Iterator[Problem | None]:
    for path, content in c.blueprint.files.items():
        place = ("files", path)
        folder = path.endswith("/")
        if any(PurePosixPath(path).is_relative_to(ours) for ours in OURS):
            yield c.wrong(place, "the path is imagegen's own", key=True)
        if str(PurePosixPath(path)) == "/":
            yield c.wrong(place, "the root folder is there already", key=True)
        if content.text is None and content.file is None and content.link is None and not folder:
            message = "needs `text`, `file` or `link`; a folder has a path that ends in /"
            yield c.wrong(place, message, key=True)
        if folder and (content.text is not None or content.link is not None):
            message = "a path that ends in / is a folder, which has `file` or nothing"
            yield c.wrong(place, message, key=True)
        if content.link is not None and (content.mode or content.owner != "root"):
            key = "mode" if content.mode else "owner"
            yield c.wrong((*place, key), "a link has no owner and no mode of its own")


def _own_files(c: _Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None, str]] = [
        *(
            (("files", path, "file"), content.file, _kind(path))
            for path, content in b.files.items()
        ),
        *(((*path, "file"), command.file, "script") for path, command in c.commands()),
    ]
    for number, step in enumerate(b.steps):
        named += [(("steps", number, "copy", n), name, "") for n, name in enumerate(step.copy_)]
    for place, name, kind in named:
        if name is not None and (message := _unusable(c.folder, name, kind, c.home(place))):
            yield c.wrong(place, message)


def _kind(path: str) -> str:
    return "folder" if path.endswith("/") else "file"


def _unusable(folder: Path, name: str, kind: str, home: Path) -> str | None:
    """Say why an own file can't be used. It may not lie outside the folder of who names it."""
    path = folder / name
    try:
        if not os.path.lexists(path):
            return f"there is no {quoted(name)} beside the blueprint"
        real = Path(os.path.realpath(path, strict=True))
        if real != Path(os.path.realpath(os.path.normpath(path))):
            return f"{quoted(name)} goes through a link and back; name the place itself"
    except OSError as error:
        return f"{quoted(name)} can't be read: {error.strerror}"
    wrong = {
        "lies outside the folder of the blueprint": not real.is_relative_to(home),
        "is neither a file nor a folder": not (real.is_file() or real.is_dir()),
        "may not be read": not os.access(real, os.R_OK),
        "is a folder; a script is needed": kind == "script" and real.is_dir(),
        "is a folder; for that, end the path in the image with /": kind == "file" and real.is_dir(),
        "is a file; end the path in the image without /": kind == "folder" and real.is_file(),
    }
    return next((f"{quoted(name)} {message}" for message, is_so in wrong.items() if is_so), None)


def _expressions(c: _Checked) -> Iterator[Problem | None]:
    """Python's expressions are near enough to extended ones, but for what only Python knows."""
    for name, service in c.blueprint.services.items():
        if service.match is not None:
            place = ("services", name, "match")
            unknown = (f[0] for f in _ESCAPED.finditer(service.match) if f[0] in _PYTHONS)
            if foreign := next(unknown, None):
                message = f"extended regular expressions have no {foreign}; a digit is [0-9]"
                yield c.wrong(place, message)
            try:
                with warnings.catch_warnings(action="ignore"):  # [[:space:]] is all right
                    re.compile(service.match)
            except (re.error, OverflowError, RecursionError) as error:
                yield c.wrong(place, f"is no regular expression: {error}")


_ESCAPED = re.compile(r"\\.|\(\?")
_PYTHONS = (r"\d", r"\D", "(?")


def _logs(c: _Checked) -> Iterator[Problem | None]:
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


def _arguments(c: _Checked) -> Iterator[Problem | None]:
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
    _variables,
    _step_names,
    _ports,
    _published,
    _volumes,
    _files,
    _own_files,
    _expressions,
    _logs,
    _arguments,
)
