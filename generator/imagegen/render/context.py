"""The complete build context of one variant."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.plan.model import Placed, Plan, Step
from imagegen.render.dockerfile import Copy, copy_of, dockerfile, has_runtime
from imagegen.render.own import own_files
from imagegen.render.rootfs import runtime
from imagegen.render.shell import one_line, script
from imagegen.tree import Entry, Tree, text

ROOTFS = PurePosixPath("rootfs")
"""The runtime, as it lies in the image. Only what is imagegen's own lies here: COPY gives each
folder on the way the owner and mode it has in the context, also one that the base has already
(measured: /root becomes 0755, /tmp loses its 1777)."""

FILES = PurePosixPath("files")
"""What the blueprint lays into the image; each has a COPY of its own, which spares folders."""


def context(plan: Plan) -> Tree:
    """Render the context: Dockerfile, rootfs/, files/ and steps/, sorted, same bytes each time."""
    tree: dict[PurePosixPath, Entry] = {}
    if has_runtime(plan):
        tree.update((_in_rootfs(path), entry) for path, entry in runtime(plan))
    copied: list[Copy] = []
    for number, placed in enumerate(plan.placed, 1):
        if placed.text is not None or placed.file is not None:
            name = FILES / _name(placed.path, number)
            tree.update(_laid(placed, name))
            source = f"{name}/" if placed.path.endswith("/") else str(name)
            copied.append(copy_of(placed, source, plan))
    for step in plan.steps:
        tree.update(_step(step))
    tree[PurePosixPath("Dockerfile")] = text(dockerfile(plan, tuple(copied)))
    tree[PurePosixPath(".dockerignore")] = text(_ignore(tree))
    return dict(sorted(tree.items()))


def _in_rootfs(path: PurePosixPath) -> PurePosixPath:
    return ROOTFS / path.relative_to("/")


def _name(path: str, number: int) -> str:
    """Name a placed file in the context: by its path, unless COPY would read that as a pattern."""
    plain = re.fullmatch(r"/(?:[A-Za-z0-9_.+@-]+/?)+", path)
    return path.strip("/") if plain else str(number)


def _laid(placed: Placed, name: PurePosixPath) -> Iterator[tuple[PurePosixPath, Entry]]:
    if placed.text is not None:
        yield name, text(placed.text, executable=placed.text.startswith("#!"))
    elif placed.file is not None:
        for path, entry in own_files(placed.file):
            yield (name / path if placed.path.endswith("/") else name), entry


def _step(step: Step) -> Iterator[tuple[PurePosixPath, Entry]]:
    folder = PurePosixPath("steps") / step.name
    for source in step.copies:
        for path, entry in own_files(source, step.exclude):
            yield folder / "source" / path, entry
    if step.command and one_line(step.command) is None:
        # Where it runs and with what environment stands in the Dockerfile.
        made = script(step.command, f"Step {step.name}.", PurePosixPath("/mnt"))
        yield folder / "script", made.get("script", made["command"])


def _ignore(tree: Tree) -> str:
    """List what the build may see: exactly what was rendered."""
    tops = sorted({path.parts[0] for path in tree} - {"Dockerfile"})
    return "\n".join(["*", *(f"!{top}" for top in tops), ""])
