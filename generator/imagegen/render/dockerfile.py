"""The Dockerfile: a template over the plan, and the quoting that Docker's grammar needs."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import jinja2

from imagegen.plan.model import Command, Placed, Plan, Step, User
from imagegen.render.shell import exports, one_line

INIT = "/usr/lib/imagegen/init"
SOURCE = "/mnt"
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


@dataclass(frozen=True, slots=True)
class Run:
    """A RUN line: mounts, and shell lines that each must succeed."""

    lines: tuple[str, ...]
    mounts: tuple[str, ...] = ()


def dockerfile(plan: Plan, copied: tuple["Copy", ...]) -> str:
    """Write the Dockerfile; `copied` are the files that need an owner or a mode of their own."""
    runtime = has_runtime(plan)
    return _template().render(
        plan=plan,
        runtime=runtime,
        users=Run(tuple(_users(plan))) if plan.users or runtime else None,
        packages=[
            _install(names, recommends=recommends)
            for names, recommends in ((plan.packages, False), (plan.recommended, True))
            if names
        ],
        steps=[_step(step, plan) for step in plan.steps],
        copied=copied,
        folders=Run(tuple(_folders(plan))) if _folders(plan) else None,
        init=INIT,
        user=None if plan.init_as_root else _ids(plan.user or "root", plan),
    )


def _users(plan: Plan) -> Iterator[str]:
    yield f"groupadd --gid {GROUP} imagegen"
    for user in plan.users:
        groups = ",".join(["imagegen", *user.groups])
        yield f"groupadd --gid {user.gid} {user.name}"
        yield (
            f"useradd --uid {user.uid} --gid {user.gid} --groups {groups} --no-log-init "
            f"--home-dir {shlex.quote(user.home)} --create-home --shell {shlex.quote(user.shell)} "
            f"{user.name}"
        )


def _install(names: tuple[str, ...], *, recommends: bool) -> Run:
    """Install packages, and take away what makes two equal builds differ."""
    how = "--install-recommends" if recommends else "--no-install-recommends"
    listed = "".join(f" \\\n        {shlex.quote(name)}" for name in names)
    return Run(
        (
            "export DEBIAN_FRONTEND=noninteractive",
            "apt-get update -q",
            f"apt-get install -q -y {how} {APT_CACHE}{listed}",
            # Debian's runit makes this link; the services of the image need a folder.
            "if [ -L /etc/service ]; then rm /etc/service; fi",
            f"rm -rf {' '.join(TRACES)}",
        ),
        APT_MOUNTS,
    )


def has_runtime(plan: Plan) -> bool:
    """Tell whether anything is to be kept running: else the image needs no init."""
    return bool(plan.services or plan.jobs or plan.logs)


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY line of its own. `source` is a name in the context, `to` a path in the image."""

    source: str
    to: str
    chown: str | None
    chmod: str | None


def copy_of(placed: Placed, source: str, plan: Plan) -> Copy:
    return Copy(source, placed.path, _ids(placed.owner, plan), placed.mode)


def _ids(owner: str, plan: Plan) -> str | None:
    """Numbers instead of names: they need no passwd of the base, and are what volumes keep."""
    user = next((user for user in plan.users if user.name == owner), None)
    return f"{user.uid}:{user.gid}" if user else None


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    copy: Copy | None
    run: Run | None


def _step(step: Step, plan: Plan) -> _Step:
    folder = f"steps/{step.name}"
    copy = None
    if step.to:
        single = len(step.copies) == 1 and step.copies[0].is_file()
        source = f"{folder}/source/{step.copies[0].name}" if single else f"{folder}/source/"
        to = step.to if single else step.to.rstrip("/") + "/"
        copy = Copy(source, to, _ids(step.owner, plan), step.mode)
    run = Run(_lines(step, step.command, plan), _mounts(step, folder)) if step.command else None
    return _Step(step.name, copy, run)


def _mounts(step: Step, folder: str) -> tuple[str, ...]:
    """Own files that are there for one RUN only; changes to them are discarded."""
    stays = step.to is not None or not step.copies
    if step.command is None or (stays and one_line(step.command)):
        return ()
    return (f"--mount=type=bind,source={folder},target={SOURCE},rw",)


def _lines(step: Step, command: Command, plan: Plan) -> tuple[str, ...]:
    source = f"{SOURCE}/source" if step.copies and not step.to else step.to
    workdir = command.workdir if command.workdir != "/" else source
    line = one_line(command)
    user = next((user for user in plan.users if user.name == command.user), None)
    if user:
        line = (
            f"{_as(user)} sh -euc {shlex.quote(line)}" if line else f"{_as(user)} {SOURCE}/script"
        )
    enter = [f"cd {shlex.quote(workdir)}"] if workdir else []
    return (*enter, *exports(command), line or f"{SOURCE}/script")


def _as(user: User) -> str:
    return (
        f"HOME={shlex.quote(user.home)} setpriv --reuid={user.uid} --regid={user.gid} --init-groups"
    )


def _folders(plan: Plan) -> list[str]:
    """Write the lines that make folders and links."""
    made = ["install -d -m 1777 /run/imagegen"] if has_runtime(plan) else []
    for placed in plan.placed:
        if placed.link is not None:
            made += [
                f"mkdir -p {shlex.quote(str(PurePosixPath(placed.path).parent))}",
                f"ln -sfn {shlex.quote(placed.link)} {shlex.quote(placed.path)}",
            ]
        elif placed.path.endswith("/") and placed.file is None:
            made.append(_folder(placed.path, placed.owner, placed.mode, plan))
    return made + [_folder(volume.path, volume.owner, None, plan) for volume in plan.volumes]


def _folder(path: str, owner: str, mode: str | None, plan: Plan) -> str:
    user = next((user for user in plan.users if user.name == owner), None)
    ids = f" -o {user.uid} -g {user.gid}" if user else ""
    bits = f" -m {mode}" if mode else ""
    return f"install -d{ids}{bits} {shlex.quote(path.rstrip('/'))}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 -- no HTML; quoting is by the filters below
        loader=jinja2.PackageLoader("imagegen.render"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "word": word,
        "expanded": expanded,
        "path": path,
        "json": json.dumps,
        "body": body,
    }
    return environment.get_template("Dockerfile.j2")


def word(value: str) -> str:
    """Quote a value that Docker must take as it is."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def expanded(value: str) -> str:
    """Quote a value in which ${NAME} means another variable, and nothing else means anything."""
    parts = re.split(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})", value)
    quoted = (part if n % 2 else re.sub(r'([\\"$])', r"\\\1", part) for n, part in enumerate(parts))
    return '"' + "".join(quoted) + '"'


def path(value: str) -> str:
    """Write a path for COPY's JSON form, which Docker unquotes and expands after parsing."""
    return re.sub(r"([\\\"'$])", r"\\\1", value)


def body(run: Run) -> str:
    """Write a RUN line's mounts and shell, one a line."""
    mounts = "".join(f"{mount} \\\n    " for mount in run.mounts)
    return mounts + "; \\\n    ".join(["set -eu", *run.lines])
