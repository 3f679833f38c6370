"""What a stack is made of: every container with what its image says and what is laid over it."""

from collections.abc import Callable, Sequence

from imagegen.errors import BlueprintError
from imagegen.language import stack as language
from imagegen.language.blueprint import Blueprint
from imagegen.language.container import Container
from imagegen.plan.composed import (
    FirstRun,
    Log,
    Member,
    MemberMount,
    MemberPort,
    Setting,
    Shared,
    Stack,
)
from imagegen.plan.declared import Declared
from imagegen.plan.host import mounted
from imagegen.plan.model import Plan
from imagegen.plan.order import ordered
from imagegen.plan.recipe import GRACE
from imagegen.plan.settings import resources
from imagegen.read import Variant, overlaid
from imagegen.read.stack import variant_of

PlanOf = Callable[[Variant], Plan]


def home_of(variants: Sequence[Variant]) -> Variant:
    """Find the variant that stands for the image: the default one, or the first."""
    return variant_of(variants, {}) or variants[0]


def stack(variants: Sequence[Variant], plan_of: PlanOf) -> Stack | None:
    """Plan the stack of a blueprint, if it has one."""
    home = home_of(variants)
    declared = home.blueprint.stack
    if declared is None:
        return None
    members = {
        name: _member(name, service, home, variants, plan_of)
        for name, service in declared.services.items()
    }
    return Stack(
        name=declared.name or home.blueprint.image.name,
        settings=_settings(declared),
        volumes=tuple(_shared(name, one) for name, one in sorted(declared.volumes.items())),
        networks=tuple(_shared(name, one) for name, one in sorted(declared.networks.items())),
        logging=_log(declared.logging),
        services=tuple(
            members[name] for name in ordered({n: s.after for n, s in declared.services.items()})
        ),
        first_run=tuple(
            FirstRun(service=service, job=job)
            for service, _, job in (entry.partition("/") for entry in declared.first_run)
        ),
    )


def _settings(declared: language.Stack) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            name=name,
            default=one.default,
            required=bool(one.required),
            pattern=one.pattern,
            description=one.description,
        )
        for name, one in sorted(declared.settings.items())
    )


def _shared(name: str, one: language.Driven) -> Shared:
    return Shared(
        name=name,
        driver=one.driver,
        options=dict(sorted(one.options.items())),
        external=one.external,
    )


def _log(one: language.Logging | None) -> Log | None:
    if one is None:
        return None
    return Log(driver=one.driver, options=dict(sorted(one.options.items())))


def _member(
    name: str,
    service: language.StackService,
    home: Variant,
    variants: Sequence[Variant],
    plan_of: PlanOf,
) -> Member:
    image = _image(name, service, home, variants)
    b = image.blueprint if image else None
    planned = plan_of(image) if image else None
    container = _container(service, b)
    own = Declared(home.folder, container.user, container.workdir)
    return Member(
        name=name,
        image=planned.references[0] if planned else service.image or "",
        variant=planned.variant if planned else "",
        roles=service.services,
        after=tuple(sorted(service.after)),
        command=own.command(service.run, user=None) if service.run else None,
        env={k: v.default for k, v in sorted(service.env.items()) if v.default is not None},
        secrets=dict(sorted(service.secrets.items())),
        ports=_ports(service, b),
        mounts=_mounts(name, service, image, home),
        resources=resources(container),
        user=service.container.user,
        workdir=service.container.workdir
        if "workdir" in service.container.model_fields_set
        else None,
        health=own.probe(service.health, container.user) if service.health else None,
        stop_grace=_grace(service, planned),
        project=service.project,
        restart=service.restart,
        replicas=service.replicas,
        hostname=service.hostname,
        network_mode=service.network_mode,
        networks=tuple(sorted(service.networks)),
        logging=_log(service.logging),
        compose=service.compose,
    )


def _image(
    name: str, service: language.StackService, home: Variant, variants: Sequence[Variant]
) -> Variant | None:
    """Find the variant of an image of ours that a service runs; None for somebody else's."""
    if service.is_foreign:
        return None
    found = variant_of(home.images.get(name) or variants, service.variant)
    if found is None:
        place = home.document.nearest(("stack", "services", name, "variant"))
        raise BlueprintError([place.problem("the image has no such variant")])
    return found


def _container(service: language.StackService, b: Blueprint | None) -> Container:
    """Lay what is said of [container] over what the image says."""
    if b is None:
        return service.container
    said = {key: getattr(service.container, key) for key in service.container.model_fields_set}
    for key in ("ulimits", "sysctls"):
        if key in said:
            said[key] = {**getattr(b.container, key), **said[key]}
    return b.container.model_copy(update=said)


def _ports(service: language.StackService, b: Blueprint | None) -> tuple[MemberPort, ...]:
    return tuple(
        MemberPort(name=name, number=p.number, protocol=p.protocol, publish=p.publish)
        for name, p in overlaid.ports(service, b).items()
    )


def _mounts(
    name: str, service: language.StackService, image: Variant | None, home: Variant
) -> tuple[MemberMount, ...]:
    """Decide about the mounts; a folder of the host lies beside the file that names it."""
    found = overlaid.volumes(service, image.blueprint if image else None)
    mounts = []
    for volume, one in found.items():
        own = service.volumes.get(volume)
        path = ("stack", "services", name, "volumes", volume, "source")
        if not (own and own.source) and image:
            node = image.document.nearest(("volumes", volume, "source"))
        else:
            node = home.document.nearest(path)
        mounts.append(
            MemberMount(
                name=volume,
                path=one.path,
                source=mounted(one.source, node) or f"{name}-{volume}",
                read_only=one.read_only,
                exclusive=one.exclusive,
            )
        )
    return tuple(mounts)


def _grace(service: language.StackService, planned: Plan | None) -> int | None:
    """Add up what the services need that run here."""
    if planned is None or not planned.services:
        return None
    roles = service.services
    absent = (one for one in planned.services if roles is not None and one.name not in roles)
    return planned.stop_budget - sum(one.stop_timeout for one in absent) + GRACE
