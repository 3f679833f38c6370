"""Steps: what they copy, and the RUN line of each."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from imagegen.plan.model import Plan, Step, User
from imagegen.plan.running import Command
from imagegen.render.places import Copy, in_context, opened
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, simple, strict
from imagegen.render.shell import exports, one_line
from imagegen.render.users import ids, user_named
from imagegen.tree import Tree

SOURCE = PurePosixPath("/mnt")
"""Where a step finds own files that do not stay."""


@dataclass(frozen=True, slots=True)
class StepLines:
    """A step; `workdir` is set where it has to change."""

    name: str
    copy: Copy | None
    opened: Run | None
    workdir: str | None
    run: Run | None


def step_lines(plan: Plan, tree: Tree) -> Iterator[StepLines]:
    workdir: str | None = None  # the base's, which nobody knows
    for step in plan.steps:
        line = inline(step, plan)
        wanted = _workdir(step) if line and plan.has_runtime else workdir
        copy = _copy(step, plan)
        yield StepLines(
            name=step.name,
            copy=copy,
            opened=simple(*opened((copy,), tree)) if copy else None,
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
    whose = (ids(step.owner, plan), step.mode)
    if _is_file(step):
        return Copy(folder + in_context(step.copies[0].name), step.to, *whose)
    return Copy(folder, step.to.rstrip("/") + "/", *whose)


def _run(step: Step, command: Command, line: str | None, plan: Plan) -> Run:
    user = user_named(command.user, plan)
    folder = f"steps/{step.name}"
    lent = ",rw" if _is_lent(step) else ""
    if line is None:
        mount = f"--mount=type=bind,source={folder},target={SOURCE}{lent}"
        call = str(SOURCE / "command")
        return Run((f"{_as(user)}{call}" if user else call,), (mount,))
    mounts = (f"--mount=type=bind,source={folder}/source,target={SOURCE},rw",) if lent else ()
    if user:
        line = _as(user) + (line if command.words else f"sh -euc {shlex.quote(line)}")
    return strict(*exports(command), line, mounts=mounts)


def _as(user: User) -> str:
    """Begin a line that runs as the user."""
    ids = f"--reuid={user.uid} --regid={user.gid} --init-groups"
    return f"HOME={quote(user.home)} setpriv {ids}{WRAP}"
