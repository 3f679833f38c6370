"""Rules about containers of the image: who runs what, ports, volumes, health, jobs and logs."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.errors import quoted
from imagegen.language.published import host_port
from imagegen.lint.finding import Found
from imagegen.lint.subject import Subject
from imagegen.plan.recipe import GRACE
from imagegen.read.locate import KeyPath

ROOT = "root"
DOCKER_STOP = 10
"""Seconds that `docker stop` waits by default."""

_FREE = 1024
_HOST = frozenset(
    {
        *("/", "/boot", "/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/usr", "/var"),
        *("/var/run", "/var/lib", "/var/lib/docker", "/var/lib/containerd"),
    }
)
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")


def _root(s: Subject) -> Iterator[Found]:
    if s.blueprint.container.user == ROOT:
        if s.plan.has_runtime:
            message = "whatever says nothing else runs as root"
            yield s.found("IG302", ("container", "user"), message)
        return
    for path, command in s.commands:
        if path[0] in ("services", "jobs") and command.user == ROOT:
            yield s.found("IG301", (*path, "user"), "runs as root")


def _runs_as_root(s: Subject) -> bool:
    services = [c for service in s.plan.services for c in (service.run, service.start)]
    commands = [*services, *(job.command for job in s.plan.jobs)]
    return any(command.user == ROOT for command in commands if command)


def _ports(s: Subject) -> Iterator[Found]:
    for port in s.plan.ports:
        place = ("ports", port.name, "port")
        if port.number < _FREE and s.plan.services and not _runs_as_root(s):
            message = f"{port.number} is below 1024, and nothing here runs as root"
            yield s.found("IG303", place, message)
        if port.publish and host_port(port.publish).is_everywhere:
            message = "the port is open to every network that the host is in"
            yield s.found("IG304", ("ports", port.name, "publish"), message)


def _volumes(s: Subject) -> Iterator[Found]:
    for volume in s.plan.volumes:
        place: KeyPath = ("volumes", volume.name)
        source = PurePosixPath(volume.source)
        if source.is_absolute() and (str(source) in _HOST or source.name in _SOCKETS):
            message = f"{quoted(volume.source)} gives the container power over the host"
            yield s.found("IG305", (*place, "source"), message)
        runs = s.plan.services or s.plan.jobs
        if volume.owner == ROOT and runs and not volume.read_only and not _runs_as_root(s):
            message = "belongs to root, and nothing here runs as root"
            yield s.found("IG404", (*place, "owner"), message)


def _health(s: Subject) -> Iterator[Found]:
    services = {n: one for n, one in s.blueprint.services.items() if one.is_ours}
    if not services:
        return
    if not any(service.health for service in services.values()):
        place: KeyPath = ("services", *services) if len(services) == 1 else ("services",)
        yield s.found("IG401", place, "nothing tells whether they are well", key=True)
        return
    for name, service in services.items():
        for number, other in enumerate(service.after):
            if services[other].health is None:
                message = f"{quoted(other)} has no health check: it counts as well once it runs"
                yield s.found("IG402", ("services", name, "after", number), message)


def _stop(s: Subject) -> Iterator[Found]:
    budget = s.plan.stop_budget
    if budget > DOCKER_STOP:
        message = (
            f"stopping may take {budget} s, plain `docker stop` waits {DOCKER_STOP}; imagegen run "
            f"and compose pass {budget + GRACE} s on, the label io.imagegen.stop-budget says it"
        )
        place = "services" if s.plan.services else "lifecycle"
        yield s.found("IG403", (place,), message, key=True)


def _clock(s: Subject) -> Iterator[Found]:
    for name, job in s.blueprint.jobs.items():
        if job.timeout is None and job.schedule is not None:
            message = "has no timeout: if it hangs, it never runs again"
            yield s.found("IG701", ("jobs", name), message, key=True)
    for glob, log in s.blueprint.logs.items():
        if log.compress_after is not None and log.delete_after is None:
            message = "are compressed, but never deleted"
            yield s.found("IG702", ("logs", glob), message, key=True)


CHECKS = (_root, _ports, _volumes, _health, _stop, _clock)
