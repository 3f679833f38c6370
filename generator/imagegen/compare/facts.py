"""What a user knows of a variant: facts by topic, name and key, in the words of the language."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from imagegen.language.shapes import FIRSTBOOT
from imagegen.language.tags import KINDS
from imagegen.plan import Plan
from imagegen.plan.chain import with_bases
from imagegen.plan.model import Placed, Python, Repository, Step, Volume
from imagegen.plan.running import Command, Download, Hook, Job, LogRule, Probe, Service, Variable
from imagegen.read import Variant
from imagegen.tree import File

Said: TypeAlias = Mapping[str, str]
Facts: TypeAlias = Mapping[str, Mapping[str, Said]]
"""By topic, by name: what is said of it. A key "" is what the name itself stands for."""

_DIGEST = 12
_UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def facts(variant: Variant, plan: Plan) -> Facts:
    """Tell everything about a variant, with what comes from its own bases."""
    chain = with_bases([plan])
    return {
        "image": {"": {"name": plan.image, **_maybe(version=plan.version)}},
        "base": {"": {"": chain[0].base}},
        "registry": {name: {} for name in plan.registries},
        "tags": _tags(variant),
        "user": {
            user.name: {
                "uid": str(user.uid),
                "gid": str(user.gid),
                "groups": " ".join(user.groups),
                "home": user.home,
                "shell": user.shell,
            }
            for user in plan.users
        },
        "repository": {r.name: _repository(r) for p in chain for r in p.apt_repositories},
        "package": _packages(chain),
        "pip": {"": {k: v for p in chain if p.python for k, v in _python(p.python).items()}},
        "pip package": {
            name: said for p in chain if p.python for name, said in map(_named, p.python.install)
        },
        "npm package": {name: said for p in chain for name, said in map(_named, p.npm)},
        "step": {_step_name(p, s, chain): _step(s) for p in chain for s in p.steps},
        "file": {placed.path: _placed(placed) for p in chain for placed in p.placed},
        "container": {"": _container(plan)},
        "env": {variable.name: _variable(variable) for variable in plan.variables},
        "config": _config(plan),
        "port": {
            port.name: {
                "": f"{port.number}/{port.protocol}",
                "publish": port.publish or "no",
            }
            for port in plan.ports
        },
        "volume": {volume.name: _volume(volume) for volume in plan.volumes},
        "service": {
            **{service.name: _service(service) for service in plan.services},
            **{name: {"enabled": _yes(on)} for name, on in plan.base_services.items()},
        },
        "lifecycle": {
            **{hook.name: _hook(hook) for hook in plan.lifecycle.hooks},
            **({"volume": {"": plan.lifecycle.volume}} if plan.lifecycle.volume else {}),
        },
        "download": {download.name: _download(download) for download in plan.downloads},
        "job": {job.name: _job(job) for job in plan.jobs},
        "log": {f"{rule.root}/{rule.pattern}": _log(rule) for rule in plan.logs},
        "label": _labels(plan),
    }


def _tags(variant: Variant) -> Mapping[str, Said]:
    """Tell the rules: which of them acts depends on the event of git."""
    tags, matrix = variant.blueprint.tags, variant.blueprint.matrix
    said: dict[str, Said] = {
        kind if glob is None else f"{kind} {glob}": {"": ", ".join(names)}
        for kind in KINDS
        for glob, names in tags.rule(kind)
    }
    if matrix.suffix:
        said["suffix"] = {"": matrix.suffix}
    if matrix.default and dict(matrix.default) == dict(variant.axes):
        said["default variant"] = {}
    return said


def _packages(chain: Iterable[Plan]) -> Mapping[str, Said]:
    found: dict[str, Said] = {}
    for plan in chain:
        for names, more in ((plan.packages, ""), (plan.recommended, "with recommended ones")):
            for package in names:
                name, _, version = package.partition("=")
                found[name] = {"": " ".join(filter(None, (version, more)))}
    return found


def _repository(repository: Repository) -> Said:
    return {
        "": repository.url or repository.package or "",
        **_maybe(
            suites=" ".join(repository.suites),
            components=" ".join(repository.components),
            key=_own(repository.key) if repository.key else None,
        ),
    }


def _python(python: Python) -> Said:
    files = {f"requirements {name}": _own(file) for name, file in python.requirements}
    more = {"build-packages": " ".join(python.build_packages)} if python.build_packages else {}
    return {**_maybe(venv=python.venv), **more, **files}


def _named(package: str) -> tuple[str, Said]:
    """Part the name of a package from its version or origin; an npm scope is of the name."""
    found = re.match("@?[A-Za-z0-9._/~-]+", package)
    name = found[0] if found else package
    return name, {"": package.removeprefix(name).lstrip(" @=")}


def _step_name(plan: Plan, step: Step, chain: tuple[Plan, ...]) -> str:
    return step.name if plan is chain[-1] else f"{step.name} of {plan.image}"


def _source(step: Step) -> dict[str, str | None]:
    """Tell what is downloaded, and what is lent to the command."""
    fetched, cloned = step.fetched, step.cloned
    source = fetched or cloned
    return {
        "fetch": fetched.url if fetched else None,
        "checksum": fetched.sha256 if fetched else None,
        "headers": " ".join(f"{k}={v}" for k, v in fetched.headers.items()) if fetched else None,
        "unpack": f"strip {fetched.strip}" if fetched and fetched.unpack else None,
        "git": cloned.url if cloned else None,
        "ref": cloned.ref if cloned else None,
        "netrc": source.netrc if source else None,
        "build-packages": " ".join(step.build_packages),
        "secrets": " ".join(step.secrets),
        "cache": " ".join(step.cache),
        "dockerfile": _quoted(step.dockerfile) if step.dockerfile else None,
    }


def _step(step: Step) -> Said:
    return {
        **_maybe(
            **_source(step),
            copy=" ".join(path.name for path in step.copies),
            exclude=" ".join(step.exclude),
            to=step.to,
            owner=step.owner,
            mode=step.mode,
        ),
        **(_command("", step.command) if step.command else {}),
    }


def _placed(placed: Placed) -> Said:
    text = None if placed.text is None else _quoted(placed.text)
    return _maybe(
        text=text,
        file=_own(placed.file) if placed.file else None,
        link=placed.link,
        owner=placed.owner,
        mode=placed.mode,
        render=placed.format and f"as {placed.format}",
        once="yes" if placed.once else None,
        laid="at each start" if placed.at_start else None,
    )


def _variable(variable: Variable) -> Said:
    default = {} if variable.default is None else {"": _quoted(variable.default)}
    required = "at the first boot" if variable.required == FIRSTBOOT else "always"
    laid = {"owner": variable.owner, "mode": variable.mode} if variable.to else {}
    return {
        **default,
        **_maybe(
            pattern=variable.pattern,
            required=required if variable.required else None,
            secret="yes" if variable.secret else None,
            to=variable.to,
        ),
        **laid,
    }


def _config(plan: Plan) -> Mapping[str, Said]:
    if plan.config is None:
        return {}
    said = {"variable": plan.config.variable}
    if plan.config.schema:
        said["schema"] = _own(plan.config.schema)
    return {"": said, **dict(_leaves("", plan.config.defaults))}


def _container(plan: Plan) -> Said:
    r = plan.resources
    sizes = {"shm-size": r.shm_size, "memory": r.memory}
    return {
        **_maybe(
            user=plan.user,
            init=" ".join(filter(None, (plan.init, "as root" if plan.init_as_root else None))),
            workdir=plan.workdir,
            timezone=plan.timezone,
            locale=plan.locale,
            syslog="yes" if plan.syslog else None,
            cpus=r.cpus,
            tmpfs=" ".join(r.tmpfs),
            capabilities=" ".join([*(f"-{c}" for c in r.dropped_capabilities), *r.capabilities]),
        ),
        **({"read-only": "yes"} if r.read_only else {}),
        **{key: f"{size} bytes" for key, size in sizes.items() if size},
        **({"stop budget": _time(plan.stop_budget)} if plan.stop_budget else {}),
        **{f"ulimits.{name}": value for name, value in r.ulimits.items()},
        **{f"sysctls.{name}": value for name, value in r.sysctls.items()},
    }


def _volume(volume: Volume) -> Said:
    return {
        "": volume.path,
        "owner": volume.owner,
        "source": volume.source,
        "read-only": _yes(volume.read_only),
        "exclusive": _yes(volume.exclusive),
    }


def _service(service: Service) -> Said:
    said: dict[str, str] = {}
    for key in ("run", "start", "stop", "reload"):
        if command := getattr(service, key):
            said |= _command("" if key == "run" else key, command)
    said |= _maybe(
        pidfile=service.pidfile, match=service.match, after=" ".join(service.after) or None
    )
    if service.health:
        said |= _probe(service.health)
    return {
        **said,
        "enabled": _yes(service.enabled),
        "essential": _yes(service.essential),
        "restart": service.restart,
        "restart-limit": f"{service.restart_limit} in {_time(service.restart_window)}",
        "stop-timeout": _time(service.stop_timeout),
        "stop-signal": service.stop_signal,
        **{f"flags.{name}": flag for name, flag in service.flags.items()},
        "log": _rotated(service.log.file or "stdout", service.log.rotate_at, service.log.keep),
    }


def _rotated(what: str, rotate_at: int | None, keep: int | None) -> str:
    return what if rotate_at is None else f"{what}, {keep} files of {rotate_at} bytes"


def _hook(hook: Hook) -> Said:
    return {
        **_command("", hook.command),
        **_maybe(after=" ".join(hook.after), runs="at every boot" if hook.every_boot else None),
    }


def _download(download: Download) -> Said:
    strip = f", without {download.strip} folders" if download.strip else ""
    return {
        "": download.url,
        **_maybe(checksum=download.checksum, netrc=download.netrc, mode=download.mode),
        "to": download.to,
        "owner": download.owner,
        "refresh": download.refresh,
        **({"unpack": f"yes{strip}"} if download.unpack else {}),
        **{f"headers.{name}": _quoted(value) for name, value in download.headers.items()},
    }


def _job(job: Job) -> Said:
    said = _maybe(schedule=job.schedule, talks="with a person" if job.interactive else None)
    return {**said, **_command("", job.command)}


def _probe(probe: Probe) -> Said:
    said = {
        **_maybe(http=probe.http, tcp=probe.tcp, jq=probe.jq, user=probe.user),
        "interval": _time(probe.interval),
        "timeout": _time(probe.timeout),
        "retries": str(probe.retries),
        "start-period": _time(probe.start_period),
        **({"insecure": "yes"} if probe.insecure else {}),
    }
    command = _command("health", probe.command) if probe.command else {}
    return {**command, **{f"health.{key}": value for key, value in said.items()}}


def _command(key: str, command: Command) -> Said:
    """Tell what runs; a key "start" gives start.run, start.user and so on."""
    run = command.text if command.text is not None else shlex.join(command.words)
    said = {
        **({"file": _own(command.script)} if command.script else {"run": _quoted(run)}),
        **_maybe(user=command.user),
        **({"workdir": command.workdir} if command.workdir != "/" else {}),
        **{f"env.{name}": _quoted(value) for name, value in command.env.items()},
        **({"timeout": _time(command.timeout)} if command.timeout else {}),
    }
    return {f"{key}.{name}" if key else name: value for name, value in said.items()}


def _log(rule: LogRule) -> Said:
    times = {"compress-after": rule.compress_after, "delete-after": rule.delete_after}
    rotated = _rotated("", rule.rotate_at, rule.keep).removeprefix(", ")
    return {
        "schedule": rule.schedule,
        "user": rule.user,
        **_maybe(rotate=rotated, forward="yes" if rule.forward else None),
        **{key: _time(value) for key, value in times.items() if value is not None},
    }


def _labels(plan: Plan) -> Mapping[str, Said]:
    """Leave out what other facts say."""
    ours = (
        "io.imagegen.",
        "org.opencontainers.image.base.name",
        "org.opencontainers.image.version",
    )
    everything = {**plan.labels, **plan.event_labels}
    return {k: {"": _quoted(v)} for k, v in everything.items() if not k.startswith(ours)}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Said]]:  # noqa: ANN401 -- JSON
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, item)
    elif path:
        yield path, {"": json.dumps(value, ensure_ascii=False)}


def _own(path: Path) -> str:
    """Name an own file by its name and content: the folder may be another one."""
    return f"{path.name} ({File(path).digest()[:_DIGEST]})" if path.is_file() else f"{path.name}/"


def _maybe(**values: str | None) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds and not seconds % size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
