"""Steps: what they copy, and the RUN line of each."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from imagegen.plan.model import Plan, Step, User
from imagegen.plan.running import Command
from imagegen.render.network import ENTER, MOUNT
from imagegen.render.packages import APT_MOUNTS, lent
from imagegen.render.places import Copy, in_context, opened
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, simple, strict
from imagegen.render.shell import expanded, one_line
from imagegen.render.sources import STEP, fetched_as, has_stage, is_lent, stage_name
from imagegen.render.users import ids, user_named
from imagegen.tree import Tree

SOURCE = PurePosixPath("/mnt")
"""Where a step finds own files that do not stay."""

KILLED_AFTER = 10
"""Seconds that a command has to end when its time is up."""


@dataclass(frozen=True, slots=True)
class StepLines:
    """A step; `workdir` is set where it has to change."""

    name: str
    copy: Copy | None
    opened: Run | None
    workdir: str | None
    run: Run | None
    dockerfile: str | None


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
            dockerfile=step.dockerfile.strip("\n") if step.dockerfile else None,
        )
        workdir = None if step.dockerfile and _SETS_WORKDIR.search(step.dockerfile) else wanted


_SETS_WORKDIR = re.compile(r"^\s*WORKDIR\b", re.IGNORECASE | re.MULTILINE)


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
    workdir = source if is_lent(step) and step.command.workdir == "/" else _workdir(step)
    return replace(step.command, workdir=workdir, env={})


def _workdir(step: Step) -> str:
    if step.command and step.command.workdir != "/":
        return step.command.workdir
    if is_lent(step):
        return str(SOURCE)
    if step.to is None:
        return "/"
    return str(PurePosixPath(step.to).parent) if _is_file(step) else step.to.rstrip("/")


def _is_file(step: Step) -> bool:
    """Tell whether `to` is the place of a file: a folder's content goes into a folder."""
    own = len(step.copies) == 1 and step.copies[0].is_file()
    single = own or (step.fetched and not step.fetched.unpack)
    return bool(single) and not (step.to or "").endswith("/")


def _copy(step: Step, plan: Plan) -> Copy | None:
    if step.to is None:
        return None
    owner = ids(step.owner, plan)
    if has_stage(step):
        source = str(STEP / "source")
        if step.fetched and not step.fetched.unpack:
            to = f"{step.to}{step.fetched.file}" if step.to.endswith("/") else step.to
            return Copy(
                f"{source}/{fetched_as(step, step.fetched)}", to, owner, None, stage_name(step)
            )
        return Copy(f"{source}/", step.to.rstrip("/") + "/", owner, None, stage_name(step))
    folder = f"steps/{step.name}/source/"
    if _is_file(step):
        return Copy(folder + in_context(step.copies[0].name), step.to, owner, step.mode)
    return Copy(folder, step.to.rstrip("/") + "/", owner, step.mode)


def _run(step: Step, command: Command, line: str | None, plan: Plan) -> Run:
    """Write the RUN line: what it mounts, and the command in all that is around it."""
    user = user_named(command.user, plan)
    around = _around(command, user)
    call = line or str(SOURCE / "command")
    if line and not command.words and (around or step.build_packages):
        call = f"sh -euc {shlex.quote(line)}"
    call = f"{around}{WRAP}{call}" if around else call
    lines = (*_exports(command), call)
    if step.build_packages:
        # Variables of the command shall not reach apt.
        alone = f"({f';{WRAP}'.join(lines)})" if command.env else call
        lines = lent(step.build_packages, alone)
    return strict(
        ENTER, *lines, mounts=tuple(_mounts(step, user, plan.image, is_script=line is None))
    )


def _mounts(step: Step, user: User | None, image: str, *, is_script: bool) -> Iterator[str]:
    shared = APT_MOUNTS if step.build_packages else (MOUNT,)
    yield from shared
    source = "" if is_script else "/source"
    if has_stage(step) and is_lent(step):
        folder = f"from={stage_name(step)},source={STEP}{source}"
        yield f"--mount=type=bind,{folder},target={SOURCE},rw"
    elif is_lent(step) or is_script:
        folder = f"steps/{step.name}{source}"
        yield f"--mount=type=bind,source={folder},target={SOURCE}{',rw' if is_lent(step) else ''}"
    whose = f",uid={user.uid},gid={user.gid}" if user else ""
    for name in step.secrets:
        yield f"--mount=type=secret,id={name},required=true{whose}"
    for folder in step.cache:
        if not any(f"target={folder}," in mount for mount in shared):
            # Of its own, or another image could lay something into it.
            place = f"id={image}{folder},target={folder}"
            yield f"--mount=type=cache,{place},sharing=private{whose}"


def _exports(command: Command) -> Iterator[str]:
    """Set the variables: `${NAME}` is a variable of the build, and all else is as it is."""
    yield from (f"export {name}={expanded(value, unset='')}" for name, value in command.env.items())


def _around(command: Command, user: User | None) -> str:
    """Begin a line that may take only so long, or runs as a user."""
    words = []
    if user:
        words.append(f"HOME={quote(user.home)}")
    if command.timeout:
        words.append(f"timeout -k {KILLED_AFTER} {command.timeout}")
    if user:
        words.append(f"setpriv --reuid={user.uid} --regid={user.gid} --init-groups")
    return " ".join(words)
