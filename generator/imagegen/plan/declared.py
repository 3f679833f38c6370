"""What is declared to run, and the own files it needs, with every default filled in."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from imagegen.language import ci, jobs, lifecycle, logs, services, shapes, steps
from imagegen.language.files import Content
from imagegen.language.lifecycle import EARLY, TOLD
from imagegen.language.scalars import CRON_WORDS, seconds, size_in_bytes
from imagegen.language.tags import Tags
from imagegen.language.templates import format_of
from imagegen.plan.model import Placed, Step
from imagegen.plan.running import (
    Ci,
    Command,
    Health,
    Hook,
    Job,
    Lifecycle,
    Login,
    LogRule,
    Output,
    Probe,
    Service,
    Test,
)
from imagegen.plan.steps import cloned, fetched

START_TIMEOUT = 60
HOOK_TIMEOUT = 300
NOTICE_TIMEOUT = 5
ARGUMENTS = {"notify": ("IMAGEGEN_STATE", "IMAGEGEN_REASON")}
"""The variables that a hook gets as arguments too."""
PROBE_TIMEOUT = 5
HEALTH_INTERVAL = 30
KEEP = 5
"""Files that a rotation keeps."""


class Declared:
    """What the user's own files and defaults become in one variant."""

    def __init__(self, folder: Path, user: str | None, workdir: str) -> None:
        self.folder = folder
        self.user = user
        self.workdir = workdir

    def file(self, name: str | None) -> Path | None:
        return None if name is None else Path(os.path.normpath(self.folder / name))

    def command(
        self,
        declared: shapes.Command,
        *,
        user: str | None = None,
        workdir: str = "/",
        timeout: int | None = None,
    ) -> Command:
        run = declared.run
        return Command(
            text=run if isinstance(run, str) else None,
            words=run if isinstance(run, tuple) else (),
            script=self.file(declared.file),
            user=declared.user or user,
            workdir=declared.workdir or workdir,
            env=dict(sorted(declared.env.items())),
            timeout=seconds(declared.timeout) if declared.timeout else timeout,
        )

    def service(self, name: str, declared: services.Service) -> Service:
        user = declared.user or self.user
        daemon = declared.start is not None
        return Service(
            name=name,
            run=None if daemon else self._runs(declared),
            start=self._part(declared, declared.start),
            stop=self._part(declared, declared.stop),
            reload=self._part(declared, declared.reload),
            pidfile=declared.pidfile,
            match=declared.match,
            after=tuple(sorted(declared.after)),
            health=self.probe(declared.health, user) if declared.health else None,
            enabled=declared.enabled,
            essential=declared.essential,
            restart=declared.restart,
            restart_limit=declared.restart_limit,
            restart_window=seconds(declared.restart_window),
            stop_timeout=seconds(declared.stop_timeout),
            stop_signal=declared.stop_signal,
            flags=dict(sorted(declared.flags.items())),
            log=_output(declared.log),
        )

    def _runs(self, declared: shapes.Command, timeout: int | None = None) -> Command:
        """What runs in a container takes what it does not say from [container]."""
        return self.command(declared, user=self.user, workdir=self.workdir, timeout=timeout)

    def _part(self, service: services.Service, part: shapes.Command | None) -> Command | None:
        """Start, stop and reload take what they don't say themselves from their service."""
        if part is None:
            return None
        inherited = part.model_copy(
            update={
                "user": part.user or service.user,
                "workdir": part.workdir or service.workdir,
                "env": {**service.env, **part.env},
            }
        )
        return self._runs(inherited, START_TIMEOUT)

    def probe(self, declared: shapes.Probe, user: str | None) -> Probe:
        runs = declared.run is not None or declared.file is not None
        return Probe(
            http=declared.http,
            tcp=declared.tcp,
            command=self.command(declared, user=user, workdir=self.workdir) if runs else None,
            jq=declared.jq,
            insecure=declared.insecure,
            user=declared.user or user,
            interval=seconds(declared.interval),
            timeout=seconds(declared.timeout) if declared.timeout else PROBE_TIMEOUT,
            retries=declared.retries,
            start_period=seconds(declared.start_period),
        )

    def test(self, name: str, declared: shapes.Probe) -> Test:
        return Test(name=name, probe=self.probe(declared, self.user))

    def ci(self, declared: ci.Ci, rules: Tags) -> Ci:
        return Ci(
            folder=self.folder,
            test=self.command(declared.test) if declared.test else None,
            logins=tuple(
                Login(registry=registry.lower(), user=login.user, password=login.password)
                for registry, login in sorted(declared.login.items())
            ),
            paths_ignore=declared.paths_ignore,
            schedule=CRON_WORDS.get(declared.schedule or "", declared.schedule),
            tags=tuple(glob or "*" for glob, _ in rules.rule("tag")),
            pull_requests=rules.pull_request is not None,
        )

    def lifecycle(self, declared: lifecycle.Lifecycle, volume: str | None) -> Lifecycle:
        hooks = tuple(
            Hook(
                name=name,
                command=replace(
                    self._runs(hook, NOTICE_TIMEOUT if name in TOLD else HOOK_TIMEOUT),
                    arguments=ARGUMENTS.get(name, ()),
                ),
                after=tuple(sorted(hook.after)),
                every_boot=hook.every_boot,
            )
            for name, hook in declared.hooks.items()
        )
        return Lifecycle(volume=volume, hooks=hooks)

    def job(self, name: str, declared: jobs.Job) -> Job:
        return Job(
            name=name,
            schedule=declared.schedule,
            description=declared.description,
            interactive=declared.interactive,
            command=self._runs(declared),
        )

    def step(self, number: int, declared: steps.Step) -> Step:
        return Step(
            name=declared.name or str(number),
            fetched=fetched(declared),
            cloned=cloned(declared),
            copies=tuple(file for name in declared.copy_ if (file := self.file(name))),
            exclude=declared.exclude,
            to=declared.to,
            owner=declared.owner,
            mode=declared.mode,
            command=self.command(declared) if declared.runs else None,
            build_packages=tuple(sorted(set(declared.build_packages))),
            secrets=tuple(sorted(set(declared.secrets))),
            cache=tuple(sorted(set(declared.cache))),
            dockerfile=declared.dockerfile,
        )

    def placed(self, path: str, declared: Content, *, hidden: bool) -> Placed:
        """Decide about something laid; a mount of a volume would leave it `hidden`."""
        return Placed(
            path=path,
            text=declared.text,
            file=self.file(declared.file),
            link=declared.link,
            owner=declared.owner,
            mode=declared.mode,
            format=(declared.format or format_of(path)) if declared.render else None,
            once=declared.once,
            at_start=declared.render or declared.once or hidden,
        )


def _output(declared: services.Output) -> Output:
    file = None if declared.to == services.STDOUT else declared.to
    return Output(file=file, **_rotation(declared))


def _rotation(declared: services.Output | logs.Log) -> dict[str, int | None]:
    at = declared.rotate_at
    return {
        "rotate_at": None if at is None else size_in_bytes(at),
        "keep": None if at is None else declared.keep or KEEP,
    }


def users_of(service: Service) -> Iterable[str | None]:
    commands = (service.run, service.start, service.stop, service.reload)
    yield from (command.user for command in commands if command)
    if service.health:
        yield service.health.user


def log_rule(number: int, glob: str, declared: logs.Log, user: str | None) -> LogRule:
    parts = PurePosixPath(glob).parts
    wild = (n for n, part in enumerate(parts) if any(c in part for c in "*?["))
    fixed = next(wild, len(parts) - 1)
    return LogRule(
        name=str(number),
        root=str(PurePosixPath(*parts[:fixed])),
        pattern="/".join(parts[fixed:]),
        depth=len(parts) - fixed,
        schedule=declared.schedule,
        user=declared.user or user or "root",
        compress_after=_maybe_seconds(declared.compress_after),
        delete_after=_maybe_seconds(declared.delete_after),
        forward=declared.forward,
        **_rotation(declared),
    )


def _maybe_seconds(duration: str | None) -> int | None:
    return None if duration is None else seconds(duration)


def health_of(services: Sequence[Service], hooks: Sequence[Hook]) -> Health | None:
    """Decide when Docker asks; while hooks of the boot may run, no failure counts."""
    if not services:
        return None
    boot = sum(hook.command.timeout or 0 for hook in hooks if hook.name in (*EARLY, "warmup"))
    probes = [service.health for service in services if service.health]
    return Health(
        interval=min([HEALTH_INTERVAL, *(probe.interval for probe in probes)]),
        timeout=PROBE_TIMEOUT,
        start_period=(sum(probe.start_period for probe in probes) or START_TIMEOUT) + boot,
        retries=1,
    )


def stop_budget(services: Sequence[Service], lifecycle: Lifecycle) -> int:
    """Sum up the seconds that a stop may take, hooks and last notices included."""
    last = [hook for hook in lifecycle.hooks if hook.name in ("pre-stop", "post-stop", "notify")]
    return sum(service.stop_timeout for service in services) + sum(
        hook.command.timeout or 0 for hook in last
    )
