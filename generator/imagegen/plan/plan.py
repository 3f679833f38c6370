"""From variants to plans."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from imagegen.errors import BlueprintError
from imagegen.language.blueprint import Blueprint
from imagegen.language.families import SERVED
from imagegen.plan.declared import Declared, health_of, log_rule, stop_budget, users_of
from imagegen.plan.event import LOCAL, Event
from imagegen.plan.host import mounted
from imagegen.plan.model import Placed, Plan, Port, User, Volume
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
from imagegen.plan.order import ordered
from imagegen.plan.packages import apt_repositories, packages, packages_first, python
from imagegen.plan.running import Service, Variable
from imagegen.plan.settings import config, downloads, environment, resources, variables
from imagegen.plan.stack import home_of, stack
from imagegen.plan.steps import secrets
from imagegen.plan.tags import names_git, settled
from imagegen.read import Variant


def plan(variants: Sequence[Variant], event: Event = LOCAL) -> tuple[Plan, ...]:
    """Decide everything for every variant.

    Raises BlueprintError for what only the whole matrix or the event shows: tags that are not
    legal, or that two variants would share.
    """
    done: dict[int, Plan] = {}
    plans = _plans(variants, event, done)

    def plan_of(variant: Variant) -> Plan:
        if id(variant) not in done:
            _plans([variant], event, done)
        return done[id(variant)]

    planned, home = stack(variants, plan_of), home_of(variants)
    return tuple(
        replace(one, stack=planned) if variant is home else one
        for variant, one in zip(variants, plans, strict=True)
    )


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
    event = replace(event, versioning=b.image.versioning)
    names = names_of_event(variant, event)
    version = b.image.version
    own = Declared(variant.folder, user, b.container.workdir)
    services = _services(b, own)
    lifecycle = own.lifecycle(b.lifecycle, next(iter(b.marks), None))
    jobs = tuple(own.job(name, job) for name, job in sorted(b.jobs.items()))
    logs = tuple(log_rule(n, glob, b.logs[glob], user) for n, glob in enumerate(sorted(b.logs), 1))
    placed = tuple(
        own.placed(path, b.files[path], hidden=_is_hidden(path, b)) for path in sorted(b.files)
    )
    declared = variables(b, user)
    budget = stop_budget(services, lifecycle)
    labels = labels_of(variant, budget)
    timed = any(job.schedule for job in jobs) or any(rule.cleans for rule in logs)
    family = parent.family if parent else variant.family.name if variant.family else SERVED[0]
    run_as = [
        *(runs for service in services for runs in users_of(service)),
        *(hook.command.user for hook in lifecycle.hooks),
        *(job.command.user for job in jobs),
    ]
    return Plan(
        image=b.image.name,
        variant=slug(variant.axes),
        axes=dict(variant.axes),
        version=None if version is None or names_git(version) else version,
        registries=b.image.registries,
        platforms=b.image.platforms,
        event=str(event),
        released=bool(names),
        repositories=repositories(b, released=bool(names)),
        tags=suffixed_tags(variant, names) if names else local_tags(variant),
        base=b.image.base.image or "",
        parent=parent,
        family=family,
        labels={key: value for key, value in labels.items() if not names_git(value)},
        event_labels=_event_labels(labels, event, parent),
        users=tuple(_user(name, b) for name in sorted(b.users)),
        apt_repositories=apt_repositories(b, own),
        packages_first=packages_first(b, parent, family),
        packages=packages(b, services, parent, family, timed=timed),
        recommended=tuple(sorted(b.packages.apt.install)) if b.packages.apt.recommends else (),
        python=python(b, own),
        npm=tuple(sorted(b.packages.npm.install)),
        steps=tuple(own.step(number, step) for number, step in enumerate(b.steps, 1)),
        secrets=secrets(variant),
        placed=placed,
        env=environment(b),
        variables=declared,
        config=config(b.config, variant.folder),
        ports=_ports(b),
        volumes=_volumes(variant, user),
        services=services,
        base_services={n: s.enabled for n, s in sorted(b.services.items()) if not s.is_ours},
        lifecycle=lifecycle,
        downloads=downloads(b),
        jobs=jobs,
        tests=tuple(own.test(name, test) for name, test in sorted(b.tests.items())),
        ci=own.ci(b.ci, b.tags),
        stack=None,
        logs=logs,
        user=user,
        # Cron needs root, as do several users, and the services of phusion's base.
        init_as_root=timed
        or any(runs != user for runs in run_as)
        or _lays_as_root(b, user, (*placed, *(parent.placed if parent else ())), declared)
        or (family == "phusion" and bool(services)),
        stop_budget=budget,
        init=b.container.init or ("runit" if services or lifecycle.hooks or jobs or logs else None),
        workdir=b.container.workdir,
        timezone=b.container.timezone,
        locale=b.container.locale,
        syslog=b.container.syslog,
        resources=resources(b.container),
        health=health_of(services, lifecycle.hooks),
    )


def _services(b: Blueprint, own: Declared) -> tuple[Service, ...]:
    """Plan the services that are ours to run, in the order of their start."""
    run = {name: service for name, service in b.services.items() if service.is_ours}
    order = ordered({n: [o for o in s.after if o in run] for n, s in run.items()})
    return tuple(own.service(name, run[name]) for name in order)


def _event_labels(labels: Mapping[str, str], event: Event, parent: Plan | None) -> dict[str, str]:
    """Write the labels that name git, as far as the event knows it."""
    known = {key: settled(value, event) for key, value in labels.items() if names_git(value)}
    return {
        **({BASE_NAME: parent.references[0]} if parent else {}),
        **{key: said for key, said in known.items() if said is not None},
    }


def _ports(b: Blueprint) -> tuple[Port, ...]:
    return tuple(
        Port(name=name, number=port.port, protocol=port.protocol, publish=port.publish)
        for name, port in sorted(b.ports.items(), key=lambda item: (item[1].port, item[0]))
    )


def _volumes(variant: Variant, user: str | None) -> tuple[Volume, ...]:
    b = variant.blueprint
    return tuple(
        Volume(
            name=name,
            path=volume.path,
            owner=volume.owner or user or "root",
            source=mounted(volume.source, variant.document.nearest(("volumes", name, "source")))
            or f"{b.image.name}-{name}",
            read_only=volume.read_only,
            exclusive=volume.exclusive,
        )
        for name, volume in sorted(b.volumes.items())
    )


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


def _is_hidden(path: str, b: Blueprint) -> bool:
    """Tell whether a volume is mounted at the path, or above it."""
    return any(PurePosixPath(path).is_relative_to(v.path) for v in b.volumes.values())


def _lays_as_root(
    b: Blueprint, user: str | None, placed: Sequence[Placed], declared: Sequence[Variable]
) -> bool:
    """Tell whether something is laid at the start that only root can give away, or reach.

    Whoever else runs the container may write to volumes of its own, and owns what it writes.
    """
    mine = [v.path for v in b.volumes.values() if (v.owner or user) == user]
    laid = [(one.path, one.owner) for one in placed if one.at_start]
    laid += [(one.to, one.owner) for one in declared if one.to]
    laid += [(one.to, one.owner) for one in b.downloads.values()]
    return any(
        owner != user or not any(PurePosixPath(path).is_relative_to(v) for v in mine)
        for path, owner in laid
    )
