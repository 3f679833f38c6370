"""What is declared to run, and the own files it needs, with every default filled in."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from imagegen.language import jobs, logs, services, shapes, steps
from imagegen.language.files import Content
from imagegen.language.scalars import seconds
from imagegen.plan.model import Command, Health, Job, LogRule, Placed, Probe, Service, Step

START_TIMEOUT = 60
PROBE_TIMEOUT = 5
HEALTH_INTERVAL = 30


class Declared:
    """What the user's own files and defaults become in one variant."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self.folder = folder
        self.user = user

    def file(self, name: str | None) -> Path | None:
        return None if name is None else Path(os.path.normpath(self.folder / name))

    def command(
        self, declared: shapes.Command, *, user: str | None = None, timeout: int | None = None
    ) -> Command:
        run = declared.run
        return Command(
            text=run if isinstance(run, str) else None,
            words=run if isinstance(run, tuple) else (),
            script=self.file(declared.file),
            user=declared.user or user,
            workdir=declared.workdir or "/",
            env=dict(sorted(declared.env.items())),
            timeout=seconds(declared.timeout) if declared.timeout else timeout,
        )

    def service(self, name: str, declared: services.Service) -> Service:
        user = declared.user or self.user
        daemon = declared.start is not None
        return Service(
            name=name,
            run=None if daemon else self.command(declared, user=user),
            start=self._part(declared, declared.start),
            stop=self._part(declared, declared.stop),
            pidfile=declared.pidfile,
            match=declared.match,
            after=tuple(sorted(declared.after)),
            health=self._probe(declared.health, user) if declared.health else None,
            stop_timeout=seconds(declared.stop_timeout),
        )

    def _part(self, service: services.Service, part: shapes.Command | None) -> Command | None:
        """Start and stop take what they don't say themselves from their service."""
        if part is None:
            return None
        inherited = part.model_copy(
            update={
                "user": part.user or service.user,
                "workdir": part.workdir or service.workdir,
                "env": {**service.env, **part.env},
            }
        )
        return self.command(inherited, user=self.user, timeout=START_TIMEOUT)

    def _probe(self, declared: shapes.Probe, user: str | None) -> Probe:
        runs = declared.run is not None or declared.file is not None
        return Probe(
            http=declared.http,
            tcp=declared.tcp,
            command=self.command(declared, user=user) if runs else None,
            jq=declared.jq,
            insecure=declared.insecure,
            user=declared.user or user,
            interval=seconds(declared.interval),
            timeout=seconds(declared.timeout) if declared.timeout else PROBE_TIMEOUT,
            retries=declared.retries,
            start_period=seconds(declared.start_period),
        )

    def job(self, name: str, declared: jobs.Job) -> Job:
        command = self.command(declared, user=self.user)
        return Job(name=name, schedule=declared.schedule, command=command)

    def step(self, number: int, declared: steps.Step) -> Step:
        runs = declared.run is not None or declared.file is not None
        return Step(
            name=declared.name or str(number),
            copies=tuple(Path(os.path.normpath(self.folder / name)) for name in declared.copy_),
            exclude=declared.exclude,
            to=declared.to,
            owner=declared.owner,
            mode=declared.mode,
            command=self.command(declared) if runs else None,
        )

    def placed(self, path: str, declared: Content) -> Placed:
        return Placed(
            path=path,
            text=declared.text,
            file=self.file(declared.file),
            link=declared.link,
            owner=declared.owner,
            mode=declared.mode,
        )


def users_of(service: Service) -> Iterable[str | None]:
    commands = (service.run, service.start, service.stop)
    yield from (command.user for command in commands if command)
    if service.health:
        yield service.health.user


def log_rule(number: int, glob: str, declared: logs.Log, user: str | None) -> LogRule:
    parts = PurePosixPath(glob).parts
    fixed = next(
        (n for n, part in enumerate(parts) if any(c in part for c in "*?[")), len(parts) - 1
    )
    fixed = min(fixed, len(parts) - 1)
    return LogRule(
        name=str(number),
        root=str(PurePosixPath(*parts[:fixed])),
        pattern="/".join(parts[fixed:]),
        depth=len(parts) - fixed,
        schedule=declared.schedule,
        user=declared.user or user or "root",
        compress_after=_maybe_seconds(declared.compress_after),
        delete_after=_maybe_seconds(declared.delete_after),
    )


def _maybe_seconds(duration: str | None) -> int | None:
    return None if duration is None else seconds(duration)


def health_of(services: Sequence[Service]) -> Health | None:
    if not services:
        return None
    probes = [service.health for service in services if service.health]
    return Health(
        interval=min([HEALTH_INTERVAL, *(probe.interval for probe in probes)]),
        timeout=PROBE_TIMEOUT,
        start_period=sum(probe.start_period for probe in probes) or 60,
        retries=1,
    )
