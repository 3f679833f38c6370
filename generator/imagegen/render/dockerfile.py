"""The Dockerfile: a template over the plan, and shell for its RUN lines."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath

import jinja2

from imagegen.library import library
from imagegen.plan.model import Command, Placed, Plan, Step, User
from imagegen.render.quoting import expanded, listed, path, paths, quote, word
from imagegen.render.shell import exports, one_line
from imagegen.tree import Tree

INIT = "/usr/lib/imagegen/init"
SOURCE = PurePosixPath("/mnt")
"""Where a step finds own files that do not stay."""

GROUP = 8376
"""Number of the group that may read the merged configuration; fixed, as all ids are."""

APT_MOUNTS = (
    "--mount=type=cache,target=/var/cache/apt,sharing=private",
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=private",
)
TRACES = (
    "/var/log/apt",
    "/var/log/dpkg.log",
    "/var/log/alternatives.log",
    "/var/cache/ldconfig/aux-cache",
)
# Debian's own images delete what apt leaves in its usual place, even from a cache mount.
APT_CACHE = "-o Dir::Cache::archives=imagegen -o APT::Keep-Downloaded-Packages=true"

WRAP = " \\\n        "
"""Goes on with a shell line of a RUN."""


@dataclass(frozen=True, slots=True)
class Run:
    """A RUN line: mounts, and shell lines that each must succeed."""

    lines: tuple[str, ...]
    mounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY line of its own. `source` is a name in the context, `to` a path in the image."""

    source: str
    to: str
    chown: str | None
    chmod: str | None


def dockerfile(
    plan: Plan, base: str, copied: tuple[Copy, ...], gone: tuple[str, ...], tree: Tree
) -> str:
    """Write the Dockerfile.

    `base` is what FROM says, `copied` what the blueprint lays into the image, from the tree, and
    `gone` what the own base has laid and this image shall not have.
    """
    user_lines = tuple(_users(plan))
    lowers = bool(plan.parent and plan.parent.runs_as)
    steps = tuple(_steps(plan, tree))
    rendered = _template().render(
        plan=plan,
        base=base,
        lowers=lowers,
        laid=any(path.parts[0] == "rootfs" for path in tree),
        gone=_simple(WRAP.join(["rm -f", *map(quote, gone)])) if gone else None,
        users=_strict(*user_lines) if user_lines else None,
        packages=[
            _install(names, recommends=recommends)
            for names, recommends in ((plan.packages, False), (plan.recommended, True))
            if names
        ],
        steps=steps,
        leaves_workdir=[step.workdir for step in steps if step.workdir][-1:] not in ([], ["/"]),
        copied=copied,
        folders=_simple(*_folders(plan)),
        opened=_simple(*_opened(copied, tree)),
        init=INIT,
        user=plan.runs_as,
    )
    return re.sub(r"\n{3,}", "\n\n", rendered)


def _strict(*lines: str, mounts: tuple[str, ...] = ()) -> Run:
    return Run(("set -eu", *lines), mounts)


def _simple(*lines: str) -> Run | None:
    """Join lines of one command each, none or more."""
    return _strict(*lines) if len(lines) > 1 else Run(lines) if lines else None


def _users(plan: Plan) -> Iterator[str]:
    """Write the lines that make groups and users: fixed numbers first, so that they are free."""
    ours = ["imagegen"] if plan.has_runtime else []
    new = plan.new_users
    made = [] if plan.parent and plan.parent.has_runtime else ours
    fixed = dict.fromkeys(made, GROUP) | {user.name: user.gid for user in new}
    # Users may share a group by its number; it has the name of the first.
    first = {gid: name for name, gid in reversed(fixed.items())}
    for gid, name in reversed(first.items()):
        yield f"groupadd --gid {gid} {name}"
    for name in sorted({group for user in new for group in user.groups} - set(fixed)):
        yield f"groupadd --force --system {name}"
    if made:
        yield from (
            f"usermod --append --groups imagegen {u.name}" for u in plan.users if u not in new
        )
    for user in new:
        groups = ",".join([*ours, *user.groups])
        more = f" --groups {groups}" if groups else ""
        yield (
            f"useradd --uid {user.uid} --gid {user.gid}{more} --no-log-init{WRAP}"
            f"--home-dir {quote(user.home)} --create-home --shell {quote(user.shell)} {user.name}"
        )


def _install(names: tuple[str, ...], *, recommends: bool) -> Run:
    """Install packages, and take away what makes two equal builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    lines = [
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get update -q",
        WRAP.join([f"apt-get install -q -y {how}", APT_CACHE, *map(quote, names)]),
    ]
    if any(name.partition("=")[0] == "runit" for name in names):
        # Debian's runit makes this link; the services of the image need a folder.
        lines.append("if [ -L /etc/service ]; then rm /etc/service; fi")
    return _strict(*lines, f"rm -rf {' '.join(TRACES)}", mounts=APT_MOUNTS)


def copy_of(placed: Placed, source: str, plan: Plan) -> Copy:
    return Copy(source, placed.path, _ids(placed.owner, plan), placed.mode)


def _ids(owner: str, plan: Plan) -> str | None:
    """Numbers instead of names: they need no passwd of the base, and are what volumes keep."""
    user = _user(owner, plan)
    return f"{user.uid}:{user.gid}" if user else None


def _user(name: str | None, plan: Plan) -> User | None:
    return next((user for user in plan.users if user.name == name), None)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step; `workdir` is set where it has to change."""

    name: str
    copy: Copy | None
    opened: Run | None
    workdir: str | None
    run: Run | None


def _steps(plan: Plan, tree: Tree) -> Iterator[_Step]:
    workdir: str | None = None  # the base's, which nobody knows
    for step in plan.steps:
        line = inline(step, plan)
        wanted = _workdir(step) if line and plan.has_runtime else workdir
        copy = _copy(step, plan)
        yield _Step(
            name=step.name,
            copy=copy,
            opened=_simple(*_opened((copy,), tree)) if copy else None,
            workdir=wanted if wanted != workdir else None,
            run=_run(step, step.command, line, plan) if step.command else None,
        )
        workdir = wanted


def inline(step: Step, plan: Plan) -> str | None:
    """Write the step's command as it can stand in the Dockerfile; None if a script carries it.

    Where a line runs is for WORKDIR to say; but an image without our init keeps the WORKDIR of
    its base, which the base's own command may rely on.
    """
    if step.command is None or (_workdir(step) != "/" and not plan.has_runtime):
        return None
    return one_line(step.command)


def scripted(step: Step) -> Command | None:
    """Where and how a script runs that carries the step's command."""
    if step.command is None:
        return None
    source = str(SOURCE / "source")
    return replace(step.command, workdir=source if _is_lent(step) else _workdir(step))


def _workdir(step: Step) -> str:
    if step.command and step.command.workdir != "/":
        return step.command.workdir
    if _is_lent(step):
        return str(SOURCE)
    if step.to is None:
        return "/"
    return str(PurePosixPath(step.to).parent) if _is_file(step) else step.to.rstrip("/")


def _is_lent(step: Step) -> bool:
    """Tell whether own files are there for one RUN only; changes to them are discarded."""
    return bool(step.copies) and step.to is None


def _is_file(step: Step) -> bool:
    """Tell whether `to` is the place of a file: a folder's content goes into a folder."""
    single = len(step.copies) == 1 and step.copies[0].is_file()
    return single and not (step.to or "").endswith("/")


def _copy(step: Step, plan: Plan) -> Copy | None:
    if step.to is None:
        return None
    folder = f"steps/{step.name}/source/"
    whose = (_ids(step.owner, plan), step.mode)
    if _is_file(step):
        return Copy(folder + in_context(step.copies[0].name), step.to, *whose)
    return Copy(folder, step.to.rstrip("/") + "/", *whose)


def _opened(copied: Iterable[Copy], tree: Tree) -> Iterator[str]:
    """Write the lines that open folders again: COPY gives them the mode meant for the files."""
    for copy in copied:
        mode = int(copy.chmod or "755", 8)
        search = mode | (mode & 0o444) >> 2
        if search == mode or not copy.source.endswith("/"):
            continue
        below = [file.relative_to(copy.source) for file in tree if file.is_relative_to(copy.source)]
        folders = {parent for file in below for parent in file.parents} - {PurePosixPath()}
        if folders:
            names = (quote(str(PurePosixPath(copy.to) / name)) for name in sorted(folders))
            yield WRAP.join([f"chmod {search:04o}", *names])


def in_context(name: str | PurePosixPath) -> str:
    """Name something in the context; what COPY would read as a pattern is written as %XX."""
    return re.sub(r"[%*?\[\]\\]", lambda c: f"%{ord(c[0]):02X}", str(name).strip("/"))


def _run(step: Step, command: Command, line: str | None, plan: Plan) -> Run:
    user = _user(command.user, plan)
    folder = f"steps/{step.name}"
    lent = ",rw" if _is_lent(step) else ""
    if line is None:
        mount = f"--mount=type=bind,source={folder},target={SOURCE}{lent}"
        call = str(SOURCE / "command")
        return Run((f"{_as(user)}{call}" if user else call,), (mount,))
    mounts = (f"--mount=type=bind,source={folder}/source,target={SOURCE},rw",) if lent else ()
    if user:
        line = _as(user) + (line if command.words else f"sh -euc {shlex.quote(line)}")
    return _strict(*exports(command), line, mounts=mounts)


def _as(user: User) -> str:
    """Begin a line that runs as the user."""
    ids = f"--reuid={user.uid} --regid={user.gid} --init-groups"
    return f"HOME={quote(user.home)} setpriv {ids}{WRAP}"


def _folders(plan: Plan) -> Iterator[str]:
    """Write the lines that make folders and links.

    They come before the files: COPY would give a folder that is not there the file's owner.
    """
    if plan.has_runtime:
        yield "install -d -m 1777 /run/imagegen"
    yield from (f"mkdir -p {quote(parent)}" for parent in _parents(plan))
    for placed in plan.placed:
        if placed.link is not None:
            end = " --" if placed.link.startswith("-") else ""
            yield f"ln -sfT{end} {quote(placed.link)} {quote(placed.path)}"
        elif placed.path.endswith("/") and placed.file is None:
            yield _folder(placed.path, placed.owner, placed.mode, plan)
    for volume in plan.new_volumes:
        yield _folder(volume.path, volume.owner, None, plan)


def _parents(plan: Plan) -> list[str]:
    """List the folders that links and files with an owner need, without those above others."""
    needed = {
        PurePosixPath(placed.path).parent
        for placed in plan.placed
        if placed.link is not None or (_ids(placed.owner, plan) and _is_copied(placed))
    }
    above = {PurePosixPath("/")}.union(*(folder.parents for folder in needed))
    return [str(folder) for folder in sorted(needed - above)]


def _is_copied(placed: Placed) -> bool:
    return placed.text is not None or placed.file is not None


def _folder(place: str, owner: str, mode: str | None, plan: Plan) -> str:
    user = _user(owner, plan)
    ids = f" -o {user.uid} -g {user.gid}" if user else ""
    bits = f" -m {mode}" if mode else ""
    return f"install -d{ids}{bits} {quote(place.rstrip('/'))}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 -- no HTML; quoting is by the filters
        loader=jinja2.FunctionLoader(lambda name: (_templates / name).read_text("utf-8")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "word": word,
        "expanded": expanded,
        "path": path,
        "paths": lambda copy: paths(copy.source, copy.to),
        "listed": listed,
        "body": body,
    }
    environment.filters.update(filters)
    return environment.get_template("Dockerfile.j2")


_templates = library("render/templates")


def body(run: Run) -> str:
    """Write a RUN line's mounts and shell, one a line."""
    mounts = "".join(f"{mount} \\\n    " for mount in run.mounts)
    return mounts + "; \\\n    ".join(run.lines)
