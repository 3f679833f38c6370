"""From variants to plans."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter

from imagegen.errors import BlueprintError
from imagegen.language.blueprint import Blueprint
from imagegen.language.families import SERVED
from imagegen.language.scalars import size_in_bytes
from imagegen.plan.declared import Declared, health_of, log_rule, users_of
from imagegen.plan.event import LOCAL, Event
from imagegen.plan.model import Plan, Port, Service, User, Volume
from imagegen.plan.naming import (
    BASE_NAME,
    clashes,
    confusions,
    labels_of,
    local_tags,
    names_of_event,
    repositories,
    slug,
    suffixed_tags,
    unforeseeable,
)
from imagegen.plan.packages import packages
from imagegen.plan.tags import names_git, settled
from imagegen.read import Variant

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


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
    problems = list(unforeseeable(variants))
    if problems:
        raise BlueprintError(problems)
    for variant in variants:
        done[id(variant)] = _plan(variant, event, done.get(id(variant.base)))
    plans = tuple(done[id(variant)] for variant in variants)
    problems = [*clashes(variants, plans), *confusions(variants, plans)]
    if problems:
        raise BlueprintError(problems)
    return plans


def _plan(variant: Variant, event: Event, parent: Plan | None) -> Plan:
    b = variant.blueprint
    user = b.container.user or (next(iter(b.users)) if len(b.users) == 1 else None)
    names = names_of_event(variant, event)
    version = b.image.version
    own = Declared(variant.folder, user)
    services = tuple(
        own.service(name, b.services[name])
        for name in _ordered({n: s.after for n, s in b.services.items()})
    )
    jobs = tuple(own.job(name, job) for name, job in sorted(b.jobs.items()))
    logs = tuple(log_rule(n, glob, b.logs[glob], user) for n, glob in enumerate(sorted(b.logs), 1))
    labels = labels_of(variant, services)
    family = parent.family if parent else variant.family.name if variant.family else SERVED[0]
    as_root = _needs_root(family, services, user, timed=bool(jobs or logs))
    return Plan(
        image=b.image.name,
        variant=slug(variant.axes),
        axes=dict(variant.axes),
        version=None if version is None or names_git(version) else version,
        registries=b.image.registries,
        event=str(event),
        released=bool(names),
        repositories=repositories(b, released=bool(names)),
        tags=suffixed_tags(variant, names) if names else local_tags(variant),
        base=b.image.base.image or "",
        parent=parent,
        family=family,
        labels={key: value for key, value in labels.items() if not names_git(value)},
        event_labels={
            **({BASE_NAME: parent.references[0]} if parent else {}),
            **{
                key: said
                for key, value in labels.items()
                if names_git(value) and (said := settled(value, event)) is not None
            },
        },
        users=tuple(_user(name, b) for name in sorted(b.users)),
        packages=packages(b, services, parent, family, timed=bool(jobs or logs)),
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
        health=health_of(services),
    )


def _needs_root(family: str, services: Sequence[Service], user: str | None, *, timed: bool) -> bool:
    """Cron needs root, and services of several users; so do the services of phusion's base."""
    several = any(runs != user for service in services for runs in users_of(service))
    return timed or several or (family == "phusion" and bool(services))


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


def _source(variant: Variant, volume: str) -> str | None:
    """Find a folder of the host from the blueprint that names it: engines want it absolute."""
    source = variant.blueprint.volumes[volume].source
    if source is None or not source.startswith("."):
        return source
    node = variant.document.nearest(("volumes", volume, "source"))
    return os.path.normpath(node.source.path.resolve().parent / source)
