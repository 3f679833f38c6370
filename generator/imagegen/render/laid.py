"""What is laid at each start: the originals in the image, and where they go."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.errors import ImagegenError
from imagegen.language.templates import Blank, pieces
from imagegen.plan.model import Placed, Plan
from imagegen.read.config import segments
from imagegen.render.own import own_files
from imagegen.render.users import ids
from imagegen.tree import Entry, File, text

ORIGINALS = PurePosixPath("/etc/imagegen/files")

CONFIG = "cfg."


def laid(plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Go over the files that tell the runtime of it; the folders sort as the paths do."""
    secret = {variable.name for variable in plan.variables if variable.secret}
    for number, placed in enumerate(plan.laid_at_start, 1):
        folder = ORIGINALS / f"{number:04}"
        content = dict(_content(placed, plan))
        whole = content.get(PurePosixPath("content"))
        said = {
            "to": placed.path,
            "owner": ids(placed.owner, plan),
            "mode": placed.mode or (f"{whole.mode:04o}" if isinstance(whole, File) else None),
            "once": "yes" if placed.once else None,
            "target": placed.link,
        }
        yield from ((folder / k, text(f"{v}\n")) for k, v in said.items() if v is not None)
        if placed.format and isinstance(whole, File):
            parts = [*pieces(whole.read().decode(), placed.format)]
            yield folder / "template.json", text(_written(parts))
            named = {part.name for part in parts if isinstance(part, Blank)} & secret
            if named:
                yield folder / "secrets", text("".join(f"{name}\n" for name in sorted(named)))
        else:
            yield from ((folder / path, entry) for path, entry in content.items())


def _content(placed: Placed, plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Give the originals: one file, `content`, or a folder of that name."""
    content = PurePosixPath("content")
    if placed.text is not None:
        yield content, text(placed.text, executable=placed.text.startswith("#!"))
    elif placed.file is not None:
        own = tuple(own_files(placed.file, secret=plan.secret_files))
        if not own:
            raise ImagegenError(f'files."{placed.path}": the folder {placed.file} holds no file')
        for path, entry in own:
            yield (content / path if placed.path.endswith("/") else content), entry


def _written(parts: list[str | Blank]) -> str:
    """Write a template, one part a line."""
    lines = (
        json.dumps(part if isinstance(part, str) else _described(part), ensure_ascii=False)
        for part in parts
    )
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _described(blank: Blank) -> dict[str, object]:
    if blank.name.startswith(CONFIG):
        what: dict[str, object] = {"path": segments(blank.name.removeprefix(CONFIG))}
    else:
        what = {"variable": blank.name}
    return {**what, "way": blank.way, **({"indent": blank.indent} if blank.indent else {})}
