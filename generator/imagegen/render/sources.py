"""Stages before the image: what steps fetch, clone, or lend to a user (docs/decisions/0008)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from imagegen.language.fetch import unpackers
from imagegen.library import library
from imagegen.plan.model import Cloned, Fetched, Plan, Step
from imagegen.render.network import ENTER, MOUNT
from imagegen.render.packages import install
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict
from imagegen.render.users import ids
from imagegen.tree import Entry, File

PROGRAMS = PurePosixPath("stages")
"""Where the programs of the stages lie in the context."""

STEP = PurePosixPath("/step")
"""The folder of a stage that the image takes from: `source`, and beside it the step's script."""

_CALLED = PurePosixPath("/mnt")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the Dockerfile; `copied` is the folder of the context that it takes in."""

    step: str
    name: str
    base: str
    title: str
    run: Run | None
    copied: str | None
    chown: str | None


def stage_name(step: Step) -> str:
    return f"source-{step.name.lower()}"


def has_stage(step: Step) -> bool:
    """Tell whether the source of a step comes from a stage of its own.

    Own files are mounted as they lie in the context, where all belong to root: a user of the image
    could not write there.
    """
    return bool(step.fetched or step.cloned) or (is_lent(step) and _user(step) is not None)


def is_lent(step: Step) -> bool:
    """Tell whether the source is there for one RUN only; changes to it are discarded."""
    return bool(step.copies or step.fetched or step.cloned) and step.to is None


def tools(plan: Plan) -> Run | None:
    """Install what the stages need; None if no step downloads anything."""
    wanted = {name for step in plan.steps for name in _tools(step)}
    return install(tuple(sorted(wanted)), recommends=False) if wanted else None


def _tools(step: Step) -> Iterator[str]:
    if step.cloned:
        yield from ("ca-certificates", "git")
    if step.fetched:
        yield from ("ca-certificates", "curl")
        if step.fetched.unpack:
            yield from unpackers(step.fetched.file)


def programs(plan: Plan) -> Mapping[PurePosixPath, Entry]:
    """Give the programs that the stages call."""
    called = {
        name
        for step in plan.steps
        for name, is_called in {
            "fetch": step.fetched,
            "unpack": step.fetched and step.fetched.unpack,
            "clone": step.cloned,
        }.items()
        if is_called
    }
    return {PROGRAMS / name: _program(name) for name in sorted(called)}


@cache
def _program(name: str) -> File:
    return File((library("render/stages") / name).read_bytes(), executable=True)


def stages(plan: Plan, scripted: frozenset[str]) -> Iterator[Stage]:
    """Write the stages of the steps; `scripted` are the steps whose command is a script."""
    for step in plan.steps:
        if not has_stage(step):
            continue
        downloads = bool(step.fetched or step.cloned)
        with_script = is_lent(step) and step.name in scripted
        yield Stage(
            step=step.name,
            name=stage_name(step),
            base="downloads" if downloads else "scratch",
            title="what it downloads" if downloads else "its files, as its user's own",
            run=_run(step, plan) if downloads else None,
            copied=f"steps/{step.name}/" if with_script or not downloads else None,
            chown=None if downloads else ids(_user(step) or "root", plan),
        )


def _user(step: Step) -> str | None:
    """Name the user who shall be able to write to what is lent."""
    return step.command.user if step.command and step.command.user != "root" else None


def _run(step: Step, plan: Plan) -> Run:
    source = step.fetched or step.cloned
    mounts = [MOUNT]
    if source and source.netrc:
        mounts.append(f"--mount=type=secret,id={source.netrc},required=true")
    mounts.append(f"--mount=type=bind,source={PROGRAMS},target={_CALLED}")
    lines = [ENTER]
    if step.fetched:
        lines += _fetch(step, step.fetched)
    if step.cloned:
        lines.append(_clone(step, step.cloned))
    lines += _modes(step)
    owner = ids(_user(step) or "root", plan)
    if is_lent(step) and owner:
        lines.append(f"chown -R -h {owner} {STEP / 'source'}")
    return strict(*lines, mounts=tuple(mounts))


def _fetch(step: Step, what: Fetched) -> Iterator[str]:
    checksum = f"sha256:{what.sha256}" if what.sha256 else "none"
    name = quote(fetched_as(step, what))
    words = [f"{_CALLED / 'fetch'} {step.name}", checksum, quote(what.url), name]
    words += [f"--header {quote(f'{name}: {value}')}" for name, value in what.headers.items()]
    if what.netrc:
        words.append(f"--netrc-file /run/secrets/{what.netrc}")
    yield WRAP.join(words)
    if what.unpack:
        yield f"{_CALLED / 'unpack'} {step.name} {name} {what.strip}"


def fetched_as(step: Step, what: Fetched) -> str:
    """Name a download in its stage; COPY would take a strange name for a pattern."""
    if what.unpack:
        return "archive"
    return what.file if is_lent(step) else "file"


def _clone(step: Step, what: Cloned) -> str:
    words = [f"{_CALLED / 'clone'} {step.name}", quote(what.url), quote(what.ref or "HEAD")]
    return WRAP.join([*words, *([f"/run/secrets/{what.netrc}"] if what.netrc else [])])


def _modes(step: Step) -> Iterator[str]:
    """Give files the mode that was asked for, and folders the same with the right to enter."""
    if step.mode is None:
        return
    mode = int(step.mode, 8)
    yield f"find {STEP / 'source'} -type f -exec chmod {step.mode} '{{}}' +"
    if not (step.fetched and not step.fetched.unpack):
        search = mode | (mode & 0o444) >> 2
        yield f"find {STEP / 'source'} -mindepth 1 -type d -exec chmod {search:04o} '{{}}' +"
