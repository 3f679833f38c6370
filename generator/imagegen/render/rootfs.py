"""What the runtime finds in the image: itself, and the plan as small files.

The layout is explained in docs/runtime.md; the shell that reads it is in `runtime/`.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from imagegen.library import library
from imagegen.plan.model import Plan, Volume
from imagegen.plan.running import Command, Download, Hook, LogRule, Probe, Service, Variable
from imagegen.render.laid import laid
from imagegen.render.shell import script
from imagegen.render.users import ids
from imagegen.tree import Entry, File, text

ETC = PurePosixPath("/etc/imagegen")
STOP_SIGNAL = "SIGTERM"
"""What the runtime sends unless it is told otherwise."""
CRON_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def runtime(plan: Plan) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Go over all files of the runtime, by their absolute path in the image."""
    yield from static().items()
    yield ETC / "image", text(_title(plan))
    yield ETC / "stop-budget", text(f"{plan.stop_budget}\n")
    yield ETC / "order", text("".join(f"{service.name}\n" for service in plan.services))
    if plan.config is not None:
        content = json.dumps(plan.config.defaults, indent=2, sort_keys=True, ensure_ascii=False)
        yield ETC / "config/defaults.json", text(f"{content}\n")
        yield ETC / "config/variable", text(f"{plan.config.variable}\n")
    for variable in plan.variables:
        yield from _files(ETC / "variables" / variable.name, _checks(variable))
        yield from _files(ETC / "variables" / variable.name, _place(variable, plan))
    yield from laid(plan)
    for download in plan.downloads:
        yield from _files(ETC / "downloads" / download.name, _download(download, plan))
    secret = frozenset(variable.name for variable in plan.variables if variable.secret)
    for service in plan.services:
        yield from _service(service, secret)
    yield from _lifecycle(plan, secret)
    for job in plan.jobs:
        folder = ETC / "jobs" / job.name
        yield from _files(folder, {"schedule": job.schedule})
        yield from _command(job.command, folder, f"jobs.{job.name}", secret)
    for rule in _cleaning(plan):
        yield from _files(ETC / "logs" / rule.name, _log(rule))
    if plan.timed:
        yield PurePosixPath("/etc/cron.d/imagegen"), text(_crontab(plan))
        yield PurePosixPath("/etc/service/cron/run"), text(_CRON, executable=True)


@cache
def static() -> Mapping[PurePosixPath, Entry]:
    """Read the part that is the same in every image."""
    return dict(_walk(library("runtime"), PurePosixPath("/")))


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Entry]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, path / entry.name)
        elif not entry.name.startswith((".", "__")):
            content = entry.read_bytes()
            # The mode of an installed package is the installer's affair; what begins with #! runs.
            yield path / entry.name, File(content, executable=content.startswith(b"#!"))


def _title(plan: Plan) -> str:
    version = f":{plan.version}" if plan.version else ""
    axes = ", ".join(f"{axis} {value}" for axis, value in plan.axes.items())
    return f"{plan.image}{version}{f' ({axes})' if axes else ''}\n"


def _checks(variable: Variable) -> dict[str, str | int | None]:
    """Say what a value must be for the start; of what may be anything, nothing."""
    if variable.pattern is None and not variable.required and not variable.secret:
        return {}
    required = "yes" if variable.required is True else variable.required or None
    return {
        "pattern": variable.pattern,
        "required": required,
        "secret": "yes" if variable.secret else None,
        "description": " ".join((variable.description or "").split()) or None,
    }


def _download(download: Download, plan: Plan) -> dict[str, str | int | None]:
    headers = "\n".join(f"{name}: {value}" for name, value in download.headers.items())
    return {
        "url": download.url,
        "checksum": download.checksum,
        "headers": headers or None,
        "netrc": download.netrc,
        "to": download.to,
        "owner": ids(download.owner, plan),
        "mode": download.mode,
        "unpack": "yes" if download.unpack else None,
        "strip": download.strip or None,
        "refresh": download.refresh,
    }


def _place(variable: Variable, plan: Plan) -> dict[str, str | int | None]:
    if variable.to is None:
        return {}
    return {"to": variable.to, "owner": ids(variable.owner, plan), "mode": variable.mode}


def _service(service: Service, secret: Collection[str]) -> Iterator[tuple[PurePosixPath, Entry]]:
    folder = ETC / "services" / service.name
    key = f"services.{service.name}"
    simple = {
        "kind": "foreground" if service.run else "daemon",
        "pidfile": service.pidfile,
        "match": service.match,
        "stop-timeout": service.stop_timeout,
        "stop-signal": None if service.stop_signal == STOP_SIGNAL else service.stop_signal,
        "enabled": None if service.enabled else 0,
        "essential": int(service.essential),
        "restart-limit": service.restart_limit,
        "restart-window": service.restart_window,
        "after": "\n".join(service.after) or None,
    }
    yield from _files(folder, simple)
    parts = {
        "run": service.run,
        "start": service.start,
        "stop": service.stop,
        "reload": service.reload,
    }
    for part, command in parts.items():
        if command:
            said, flags = (key, service.flags) if part == "run" else (f"{key}.{part}", None)
            yield from _command(command, folder / part, said, secret, flags)
    if service.health:
        yield from _probe(service.health, folder / "health", f"{key}.health", secret)
    yield from _runit(service.name)


def _runit(name: str) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Make the service known to runit; each file hands on to the runtime."""
    folder = PurePosixPath("/etc/service") / name
    scripts = {
        "run": ("keeps it running", f"supervise {name}"),
        "finish": ("looks at how it ended", f'finish {name} "$@"'),
        "control/k": ("leaves nothing behind when killed", f"control {name} k"),
    }
    for path, (purpose, call) in scripts.items():
        lines = f"#!/bin/sh\n# Run by runsv for the service {name}: {purpose}.\n"
        yield folder / path, text(f"{lines}exec /usr/lib/imagegen/{call}\n", executable=True)


def _lifecycle(plan: Plan, secret: Collection[str]) -> Iterator[tuple[PurePosixPath, Entry]]:
    if plan.version is not None:
        yield ETC / "version", text(f"{plan.version}\n")
    for volume in plan.volumes:
        if volume.exclusive or volume.name == plan.remembering:
            yield from _files(ETC / "volumes" / volume.name, _volume(volume, plan))
    for hook in plan.lifecycle.hooks:
        yield from _hook(hook, secret)
        if hook.name == "stats" and plan.health:
            yield from _files(ETC / "hooks" / hook.name, {"interval": plan.health.interval})


def _hook(hook: Hook, secret: Collection[str]) -> Iterator[tuple[PurePosixPath, Entry]]:
    folder = ETC / "hooks" / hook.name
    simple = {
        "after": "\n".join(hook.after) or None,
        "every-boot": "yes" if hook.every_boot else None,
    }
    yield from _files(folder, simple)
    yield from _command(hook.command, folder, f"lifecycle.{hook.name}", secret)


def _volume(volume: Volume, plan: Plan) -> dict[str, str | int | None]:
    return {
        "path": volume.path,
        "owner": volume.owner,
        "exclusive": "yes" if volume.exclusive else None,
        "remembers": "yes" if volume.name == plan.remembering else None,
    }


def _probe(
    probe: Probe, folder: PurePosixPath, key: str, secret: Collection[str]
) -> Iterator[tuple[PurePosixPath, Entry]]:
    simple = {
        "http": probe.http,
        "tcp": probe.tcp,
        "jq": probe.jq,
        "insecure": "yes" if probe.insecure else None,
        "user": probe.user,
        "interval": probe.interval,
        "timeout": probe.timeout,
        "retries": probe.retries,
        "start-period": probe.start_period,
    }
    yield from _files(folder, simple)
    if probe.command:
        made = script(probe.command, f"Made from {key}.", folder, secret=secret)
        for name, entry in made.items():
            yield folder / name, entry


def _command(
    command: Command,
    folder: PurePosixPath,
    key: str,
    secret: Collection[str],
    flags: Mapping[str, str] | None = None,
) -> Iterator[tuple[PurePosixPath, Entry]]:
    yield from _files(folder, {"user": command.user, "timeout": command.timeout})
    made = script(command, f"Made from {key}.", folder, flags, secret)
    for name, entry in made.items():
        yield folder / name, entry


def _log(rule: LogRule) -> dict[str, str | int | None]:
    return {
        "root": rule.root,
        "pattern": rule.pattern,
        "depth": rule.depth,
        "user": rule.user,
        "compress-after": rule.compress_after,
        "delete-after": rule.delete_after,
    }


def _files(
    folder: PurePosixPath, values: Mapping[str, str | int | None]
) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Write values as files of one line; what is not set has no file."""
    for name, value in values.items():
        if value is not None:
            yield folder / name, text(f"{value}\n")


_CRON = """#!/bin/sh
# Run by runsv: cron, which runs the jobs of /etc/cron.d/imagegen.
exec cron -f
"""


def _crontab(plan: Plan) -> str:
    """Write the crontab: cron calls the runtime, which knows user, environment and log."""
    lines = ["# Made by imagegen.", "SHELL=/bin/sh", f"PATH={CRON_PATH}"]
    jobs = [(job.schedule, job.name) for job in plan.jobs if job.schedule]
    jobs += [(rule.schedule, f"logs:{rule.name}") for rule in _cleaning(plan)]
    lines += [f"{schedule} root /usr/lib/imagegen/job {name}" for schedule, name in jobs]
    return "\n".join([*lines, ""])


def _cleaning(plan: Plan) -> Iterator[LogRule]:
    return (rule for rule in plan.logs if rule.cleans)
