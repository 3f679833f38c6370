"""From variants to plans."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath

from imagegen import language
from imagegen.errors import BlueprintError, Problem, quoted
from imagegen.language import shapes, start
from imagegen.language.blueprint import Blueprint
from imagegen.language.build import Step as DeclaredStep
from imagegen.language.families import family_of
from imagegen.language.scalars import seconds, size_in_bytes
from imagegen.plan.event import LOCAL, Event
from imagegen.plan.model import (
    Command,
    Health,
    Job,
    LogRule,
    Placed,
    Plan,
    Port,
    Probe,
    Service,
    Step,
    User,
    Volume,
)
from imagegen.plan.tags import (
    LEGAL,
    LOCAL_TAG,
    UnknownFact,
    event_tags,
    foreseen,
    names_git,
    settled,
)
from imagegen.read import Variant
from imagegen.read.document import Node

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
START_TIMEOUT = 60
PROBE_TIMEOUT = 5
HEALTH_INTERVAL = 30


def plan(variants: Sequence[Variant], event: Event = LOCAL) -> tuple[Plan, ...]:
    """Decide everything for every variant.

    Raises BlueprintError for what only the whole matrix or the event shows: tags that are not
    legal, or that two variants would share.
    """
    return _plans(variants, event, {})


def _plans(variants: Sequence[Variant], event: Event, done: dict[int, Plan]) -> tuple[Plan, ...]:
    """Plan the bases, then what is on them; each variant once, whoever stands on it."""
    bases = {id(variant.base): variant.base for variant in variants if variant.base}
    if left := [base for key, base in bases.items() if key not in done]:
        _plans(left, event, done)
    problems = list(_unforeseeable(variants))
    if problems:
        raise BlueprintError(problems)
    for variant in variants:
        done[id(variant)] = _plan(variant, event, done.get(id(variant.base)))
    plans = tuple(done[id(variant)] for variant in variants)
    problems = [*_clashes(variants, plans), *_confusions(variants, plans)]
    if problems:
        raise BlueprintError(problems)
    return plans


def _plan(variant: Variant, event: Event, parent: Plan | None) -> Plan:
    b = variant.blueprint
    user = b.container.user or (next(iter(b.users)) if len(b.users) == 1 else None)
    names = _event_tags(variant, event)
    version = b.image.version
    own = _Own(variant.folder, user)
    services = tuple(
        own.service(name, b.services[name])
        for name in _ordered({n: s.after for n, s in b.services.items()})
    )
    jobs = tuple(own.job(name, job) for name, job in sorted(b.jobs.items()))
    logs = tuple(_log(n, glob, b.logs[glob], user) for n, glob in enumerate(sorted(b.logs), 1))
    labels = _labels(variant, services, parent)
    as_root = bool(jobs or logs) or any(
        runs != user for service in services for runs in _users_of(service)
    )
    return Plan(
        image=b.image.name,
        variant=slug(variant.axes),
        axes=dict(variant.axes),
        version=None if version is None or names_git(version) else version,
        registries=b.image.registries,
        event=str(event),
        released=bool(names),
        repositories=_repositories(b, released=bool(names)),
        tags=_tags(variant, names) if names else _local_tags(variant),
        base=b.image.base.image or "",
        parent=parent,
        family=_family(b, parent),
        labels={key: value for key, value in labels.items() if not names_git(value)},
        event_labels={
            key: said
            for key, value in labels.items()
            if names_git(value) and (said := settled(value, event)) is not None
        },
        users=tuple(_user(name, b) for name in sorted(b.users)),
        packages=_packages(b, services, parent, timed=bool(jobs or logs)),
        recommended=tuple(sorted(b.packages.apt.install)) if b.packages.apt.recommends else (),
        steps=tuple(own.step(number, step) for number, step in enumerate(b.steps, 1)),
        placed=tuple(own.placed(path, b.files[path]) for path in sorted(b.files)),
        env=_environment(b),
        config=b.config.defaults,
        ports=tuple(
            Port(name=name, number=port.port, protocol=port.protocol, publish=port.publish)
            for name, port in sorted(b.ports.items(), key=lambda item: (item[1].port, item[0]))
        ),
        volumes=tuple(
            Volume(
                name=name,
                path=volume.path,
                owner=volume.owner or user or "root",
                source=_source(variant, name) or f"{b.image.name}-{name}",
                read_only=volume.read_only,
            )
            for name, volume in sorted(b.volumes.items())
        ),
        services=services,
        jobs=jobs,
        logs=logs,
        user=user,
        init_as_root=as_root,
        stop_budget=sum(service.stop_timeout for service in services),
        shm_size=size_in_bytes(b.container.shm_size) if b.container.shm_size else None,
        ulimits=dict(sorted(b.container.ulimits.items())),
        health=_health(services),
    )


def slug(axes: Iterable[str] | dict[str, str]) -> str:
    """Name a variant by its values: fit for folders, build targets and people."""
    values = axes.values() if isinstance(axes, dict) else axes
    name = "-".join(re.sub(r"[^A-Za-z0-9_.-]+", "-", value) for value in values) or "default"
    return re.sub(r"^[.-]", "_", name)


class _Own:
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

    def service(self, name: str, declared: start.Service) -> Service:
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

    def _part(self, service: start.Service, part: shapes.Command | None) -> Command | None:
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

    def job(self, name: str, declared: start.Job) -> Job:
        command = self.command(declared, user=self.user)
        return Job(name=name, schedule=declared.schedule, command=command)

    def step(self, number: int, declared: DeclaredStep) -> Step:
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

    def placed(self, path: str, declared: language.build.Content) -> Placed:
        return Placed(
            path=path,
            text=declared.text,
            file=self.file(declared.file),
            link=declared.link,
            owner=declared.owner,
            mode=declared.mode,
        )


def _ordered(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Order names so that each comes after those it needs; else by name. There are no circles."""
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def _environment(b: Blueprint) -> dict[str, str]:
    """Order variables so that each comes after those that it names; else by name.

    An ENV instruction sees what the ones before it have set, so only the order makes `${NAME}`
    mean the blueprint's own variable. One that names itself means the base's.
    """
    values = {name: v.default for name, v in sorted(b.env.items()) if v.default is not None}
    named = {
        name: {other for other in VARIABLE.findall(value) if other in values and other != name}
        for name, value in values.items()
    }
    return {name: values[name] for name in _ordered(named)}


def _users_of(service: Service) -> Iterable[str | None]:
    commands = (service.run, service.start, service.stop)
    yield from (command.user for command in commands if command)
    if service.health:
        yield service.health.user


def _user(name: str, b: Blueprint) -> User:
    user = b.users[name]
    return User(
        name=name,
        uid=user.uid,
        gid=user.uid if user.gid is None else user.gid,
        groups=user.groups,
        home=user.home or f"/home/{name}",
        shell=user.shell,
    )


def _family(b: Blueprint, parent: Plan | None) -> str:
    if parent:
        return parent.family
    return b.image.base.family or family_of(b.image.base.image or "") or "debian"


def _packages(
    b: Blueprint, services: Iterable[Service], parent: Plan | None, *, timed: bool
) -> tuple[str, ...]:
    """List what is asked for and what the runtime needs for it, each once; the base has its own."""
    there = {*parent.packages, *parent.recommended} if parent else set()
    while parent and (parent := parent.parent):
        there |= {*parent.packages, *parent.recommended}
    probes = [service.health for service in services if service.health]
    web = [probe.http for probe in probes if probe.http]
    needed = {
        "runit": bool(b.services) or timed,
        "cron": timed,
        "jq": b.config.defaults is not None or any(probe.jq for probe in probes),
        "curl": bool(web),
        "ca-certificates": any(address.startswith("https:") for address in web),
    }
    asked = set(b.packages.apt.install)
    named = {package.partition("=")[0] for package in asked}
    ours = {name for name, wanted in needed.items() if wanted and name not in named | there}
    return tuple(sorted(ours if b.packages.apt.recommends else asked | ours))


def _log(number: int, glob: str, declared: start.Log, user: str | None) -> LogRule:
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


def _source(variant: Variant, volume: str) -> str | None:
    """Find a folder of the host from the blueprint that names it: engines want it absolute."""
    source = variant.blueprint.volumes[volume].source
    if source is None or not source.startswith("."):
        return source
    node = variant.document.nearest(("volumes", volume, "source"))
    return os.path.normpath(node.source.path.resolve().parent / source)


def _maybe_seconds(duration: str | None) -> int | None:
    return None if duration is None else seconds(duration)


def _health(services: Sequence[Service]) -> Health | None:
    if not services:
        return None
    probes = [service.health for service in services if service.health]
    return Health(
        interval=min([HEALTH_INTERVAL, *(probe.interval for probe in probes)]),
        timeout=PROBE_TIMEOUT,
        start_period=sum(probe.start_period for probe in probes) or 60,
        retries=1,
    )


def _labels(variant: Variant, services: Sequence[Service], parent: Plan | None) -> dict[str, str]:
    b = variant.blueprint
    image = b.image
    opencontainers = {
        "title": image.title or image.name,
        "description": image.description,
        "version": image.version,
        "authors": image.authors,
        "vendor": image.vendor,
        "licenses": image.licenses,
        "url": image.url,
        "source": image.source,
        "documentation": image.documentation,
        "base.name": image.base.image or (parent.references[0] if parent else None),
    }
    labels = {
        f"org.opencontainers.image.{key}": value
        for key, value in opencontainers.items()
        if value is not None
    }
    labels["io.imagegen.variant"] = " ".join(f"{k}={v}" for k, v in variant.axes.items())
    labels["io.imagegen.stop-budget"] = str(sum(service.stop_timeout for service in services))
    return dict(sorted((labels | image.labels).items()))


def _repositories(b: Blueprint, *, released: bool) -> tuple[str, ...]:
    """Name the image for each registry; what no event released keeps to this machine."""
    if not released or not b.image.registries:
        return (b.image.name,)
    return tuple(f"{registry}/{b.image.name}" for registry in b.image.registries)


def _event_tags(variant: Variant, event: Event) -> tuple[str, ...]:
    tags = variant.blueprint.tags
    node = variant.document.get("tags", "release")
    written = zip(tags.release or (), node.listed() if node else (), strict=False)
    fixed = {name for name, item in written if "image.version" in item.raw()}
    try:
        return event_tags(tags, event, fixed)
    except UnknownFact as unknown:
        place = variant.document.get("tags") or variant.document
        raise BlueprintError([place.problem(str(unknown), key=True)]) from None


def _tags(variant: Variant, names: Sequence[str]) -> tuple[str, ...]:
    """Add the suffix of the variant; the default variant gets the bare tags too."""
    suffixed = [name + variant.blueprint.matrix.suffix for name in names]
    return tuple(dict.fromkeys([*suffixed, *(names if _is_default(variant) else ())]))


def _local_tags(variant: Variant) -> tuple[str, ...]:
    """Name what no event released; without a suffix the variant's own name tells them apart."""
    if variant.blueprint.matrix.suffix or not variant.axes:
        return _tags(variant, (LOCAL_TAG,))
    return (f"{LOCAL_TAG}-{slug(variant.axes)}", *((LOCAL_TAG,) if _is_default(variant) else ()))


def _is_default(variant: Variant) -> bool:
    default = dict(variant.blueprint.matrix.default)
    return bool(default) and default == dict(variant.axes)


def _unforeseeable(variants: Sequence[Variant]) -> Iterable[Problem]:
    """Find tags that will lack what they name when their event comes."""
    for variant in variants:
        for rule in foreseen(variant.blueprint.tags):
            if rule.lacks:
                yield variant.document.nearest(rule.path).problem(rule.lacks)


def _clashes(variants: Sequence[Variant], plans: Sequence[Plan]) -> Iterable[Problem]:
    """Find names that two variants share, and tags that no registry would take.

    Now, and when the events come that [tags] has rules for; each once.
    """
    holders: dict[tuple[str, str, str], Plan] = {}
    told: set[object] = set()
    for variant, planned in zip(variants, plans, strict=True):
        matrix = variant.document.get("matrix") or variant.document
        place = matrix.get("suffix") or variant.document.get("tags") or matrix
        for occasion, tag, node in _all_tags(variant, planned, place):
            other = holders.setdefault((planned.image, occasion, tag), planned)
            if other is not planned and (other.variant, planned.variant) not in told:
                told.add((other.variant, planned.variant))
                yield place.problem(
                    f"the variants {other.variant} and {planned.variant} would both be tagged "
                    f'"{tag}"{occasion}; give matrix.suffix the name of each axis',
                    key=True,
                )
            if not LEGAL.fullmatch(tag) and (planned.variant, node.path) not in told:
                told.add((planned.variant, node.path))
                yield node.problem(
                    f"{quoted(tag)} is no legal tag: letters, digits, _ . and -, 128 at most, "
                    "and no . or - first",
                    key=node is place,
                )
        first = holders.setdefault((planned.image, "", f"variant {planned.variant}"), planned)
        if first is not planned:
            message = f'two combinations of axes would both be called "{planned.variant}"'
            yield (matrix.get("axes") or matrix).problem(message, key=True)


def _all_tags(variant: Variant, planned: Plan, place: Node) -> Iterable[tuple[str, str, Node]]:
    """Give the tags of now and of every event to come: when, what, and where it is written."""
    yield from (("", tag, place) for tag in planned.tags)
    for rule in foreseen(variant.blueprint.tags):
        node = variant.document.nearest(rule.path)
        for tag in _tags(variant, (rule.example,)):
            yield f" for {rule.occasion}", tag, node if node.path == rule.path else place


def _confusions(variants: Sequence[Variant], plans: Sequence[Plan]) -> Iterable[Problem]:
    """Find images that have the full name of a base below them."""
    for variant, planned in zip(variants, plans, strict=True):
        below = planned.parent
        while below:
            if both := set(planned.references) & set(below.references):
                place = variant.document.get("image", "name") or variant.document
                yield place.problem(
                    f'a blueprint below has the name "{min(both)}" too; call this image otherwise'
                )
            below = below.parent
