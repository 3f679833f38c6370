"""The complete build context of one variant."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.errors import ImagegenError
from imagegen.plan.model import Placed, Plan, Step
from imagegen.render.dockerfile import dockerfile
from imagegen.render.own import own_files
from imagegen.render.packages import PROGRAMS_MOUNT, apt_files, package_programs
from imagegen.render.pip import pip_files
from imagegen.render.places import Copy, copy_of, in_context
from imagegen.render.rootfs import runtime
from imagegen.render.shell import script
from imagegen.render.sources import programs
from imagegen.render.steps import SOURCE, inline, scripted
from imagegen.tree import Entry, Tree, text

ROOTFS = PurePosixPath("rootfs")
"""The runtime, as it lies in the image. Only what is imagegen's own lies here: COPY gives each
folder on the way the owner and mode it has in the context, also one that the base has already
(measured: /root becomes 0755, /tmp loses its 1777)."""

FILES = PurePosixPath("files")
"""What the blueprint lays into the image; each has a COPY of its own, which spares folders."""


def context(plan: Plan, base: str = "") -> Tree:
    """Render the context: Dockerfile, rootfs/, files/ and steps/, sorted, same bytes each time.

    `base` is what FROM says of an own base. What that has laid already is not laid again.
    """
    laid = dict(runtime(plan)) if plan.has_runtime else {}
    there = dict(runtime(plan.parent)) if plan.parent and plan.parent.has_runtime else {}
    new = {path: entry for path, entry in laid.items() if there.get(path) != entry}
    gone = tuple(str(path) for path in there if path not in laid)
    tree: dict[PurePosixPath, Entry] = {_in_rootfs(path): entry for path, entry in new.items()}
    copied: list[Copy] = []
    for placed in plan.laid_in_image:
        if placed.text is not None or placed.file is not None:
            name = FILES / in_context(placed.path)
            tree.update(_laid(placed, name, plan))
            source = f"{name}/" if placed.path.endswith("/") else str(name)
            copied.append(copy_of(placed, source, plan))
    tree.update(apt_files(plan))
    tree.update(pip_files(plan))
    for step in plan.steps:
        tree.update(_step(step, plan))
    tree.update(programs(plan))
    _refuse_clashes(tree)
    said = dockerfile(plan, base or plan.base, tuple(copied), gone, tree)
    tree[PurePosixPath("Dockerfile")] = text(said)
    if PROGRAMS_MOUNT in said:
        tree.update(package_programs())
    tree[PurePosixPath(".dockerignore")] = text(_ignore(tree))
    return dict(sorted(tree.items()))


def _in_rootfs(path: PurePosixPath) -> PurePosixPath:
    return ROOTFS / path.relative_to("/")


def _laid(placed: Placed, name: PurePosixPath, plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    if placed.text is not None:
        yield name, text(placed.text, executable=placed.text.startswith("#!"))
    elif placed.file is not None:
        own = tuple(own_files(placed.file, secret=plan.secret_files))
        if not own:
            raise ImagegenError(f'files."{placed.path}": the folder {placed.file} holds no file')
        for path, entry in own:
            yield (name / path if placed.path.endswith("/") else name), entry


def _step(step: Step, plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    folder = PurePosixPath("steps") / step.name
    own = {
        path if step.to is None or not source.is_file() else PurePosixPath(in_context(path)): entry
        for source in step.copies
        for path, entry in own_files(source, step.exclude, plan.secret_files)
    }
    if step.copies and not own:
        raise ImagegenError(f"step {step.name}: there is no file to copy")
    yield from ((folder / "source" / path, entry) for path, entry in own.items())
    command = scripted(step)
    if command and inline(step, plan) is None:
        for made, entry in script(command, f"Step {step.name}.", SOURCE).items():
            yield folder / made, entry


def _refuse_clashes(tree: Tree) -> None:
    """Find what can't lie in one folder: a path that is a file, and another below it."""
    for path in tree:
        for above in path.parents:
            if above in tree:
                raise ImagegenError(f"{path}: can't be laid: {above} is a file or a link already")


def _ignore(tree: Tree) -> str:
    """List what the build may see: exactly what was rendered."""
    tops = sorted({path.parts[0] for path in tree} - {"Dockerfile"})
    return "\n".join(["*", *(f"!{top}" for top in tops), ""])
