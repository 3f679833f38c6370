"""Files, volumes, and own files beside the blueprint."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imagegen.errors import Problem, quoted, shortened
from imagegen.read.locate import KeyPath
from imagegen.read.rules.checked import Checked

OURS = ("/etc/imagegen", "/usr/lib/imagegen", "/usr/bin/imagegen-cfg", "/run/imagegen")


def is_ours(path: str) -> bool:
    """Tell whether a path in the image is imagegen's own."""
    return any(PurePosixPath(path).is_relative_to(ours) for ours in OURS)


def volumes(c: Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    built: list[tuple[KeyPath, str]] = [
        (("steps", n, "to"), step.to) for n, step in enumerate(b.steps) if step.to
    ]
    if venv := b.packages.pip.venv:
        built.append((("packages", "pip", "venv"), venv))
    around = [{there, *there.parents} for there in (PurePosixPath(path) for _, path in built)]
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
            for (place, _), folders in zip(built, around, strict=True):
                if path in folders:
                    message = (
                        f"lies in the volume {name} ({shortened(volume.path)}), which would hide "
                        "it; only [files] are laid again at each start"
                    )
                    yield c.wrong(place, message)


def files(c: Checked) -> Iterator[Problem | None]:
    for path, content in c.blueprint.files.items():
        place = ("files", path)
        folder = path.endswith("/")
        if is_ours(path):
            yield c.wrong(place, "the path is imagegen's own", key=True)
        if str(PurePosixPath(path)) == "/":
            yield c.wrong(place, "the root folder is there already", key=True)
        if above := next((one for one in _above(path) if one in c.blueprint.files), None):
            message = f"lies in {quoted(above)}, which is a file; end that in / for a folder"
            if c.blueprint.files[above].link is None:
                yield c.wrong(place, message, key=True)
        if content.text is None and content.file is None and content.link is None and not folder:
            message = "needs `text`, `file` or `link`; a folder has a path that ends in /"
            yield c.wrong(place, message, key=True)
        if folder and (content.text is not None or content.link is not None):
            message = "a path that ends in / is a folder, which has `file` or nothing"
            yield c.wrong(place, message, key=True)
        if content.render and folder:
            message = "fills in one file; name the files of the folder one by one"
            yield c.wrong((*place, "render"), message)
        if content.link is not None and (content.mode or content.owner != "root"):
            key = "mode" if content.mode else "owner"
            yield c.wrong((*place, key), "a link has no owner and no mode of its own")


def _above(path: str) -> Iterator[str]:
    return (str(folder) for folder in PurePosixPath(path).parents)


def own_files(c: Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    named: list[tuple[KeyPath, str | None, str]] = [
        *(
            (("files", path, "file"), content.file, _kind(path))
            for path, content in b.files.items()
        ),
        *(((*path, "file"), command.file, "script") for path, command in c.commands()),
        (("config", "file"), b.config.file, "JSON file"),
        (("config", "schema"), b.config.schema_, "JSON file"),
    ]
    named += [
        (("packages", "apt", "repositories", name, "key"), repository.key, "key file")
        for name, repository in b.packages.apt.repositories.items()
    ]
    for number, listed in enumerate(b.packages.pip.requirements):
        named.append((("packages", "pip", "requirements", number), listed, "requirements file"))
    for number, step in enumerate(b.steps):
        named += [(("steps", number, "copy", n), name, "") for n, name in enumerate(step.copy_)]
    secret = {(c.folder / one.file).resolve() for one in b.secrets.values() if one.file}
    for place, name, kind in named:
        if name is not None and (message := unusable(c, place, name, kind)):
            yield c.wrong(place, message)
        elif name is not None and (c.folder / name).resolve() in secret:
            yield c.wrong(place, f"{quoted(name)} is the file of a secret: it goes into no image")


_OUTSIDE = "lies outside the project, which is the git work tree, or without git this folder"


_FILES = ("script", "JSON file", "key file", "requirements file")


def _kind(path: str) -> str:
    return "folder" if path.endswith("/") else "file"


def unusable(c: Checked, place: KeyPath, own: str, kind: str) -> str | None:
    """Say why an own file can't be used. It may not lie outside the project of who names it."""
    path, source = c.folder / own, c.source(place)
    name = quoted(own.removeprefix(f"{os.path.relpath(source.folder, c.folder)}/"))  # as written
    what = "part" if source.is_part else "blueprint"
    try:
        if not os.path.lexists(path):
            return f"there is no {name} beside the {what}"
        real = Path(os.path.realpath(path, strict=True))
        if real != Path(os.path.realpath(os.path.normpath(path))):
            return f"{name} goes through a link and back; name the place itself"
    except OSError as error:
        return f"{name} can't be read: {error.strerror}"
    wrong = {
        _OUTSIDE: not real.is_relative_to(c.project(place)),
        "is neither a file nor a folder": not (real.is_file() or real.is_dir()),
        "may not be read": not os.access(real, os.R_OK),
        f"is a folder; a {kind} is needed": kind in _FILES and real.is_dir(),
        "is a folder; for that, end the path in the image with /": kind == "file" and real.is_dir(),
        "is a file; end the path in the image without /": kind == "folder" and real.is_file(),
    }
    return next((f"{name} {message}" for message, is_so in wrong.items() if is_so), None)
