"""Services: their order, and what is added to their commands."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.circles import circles


def order(c: Checked) -> Iterator[Problem | None]:
    services = c.blueprint.services
    for name, service in services.items():
        for number, other in enumerate(service.after):
            yield known_service(c, ("services", name, "after", number), other, but=name)
    for circle in circles({name: service.after for name, service in services.items()}):
        first, second = circle[:2]
        place = ("services", first, "after", services[first].after.index(second))
        yield c.wrong(place, f"services wait in a circle: {listing(circle, ' → ')}")


def known_service(c: Checked, place: KeyPath, name: str, *, but: str = "") -> Problem | None:
    """Complain of a service that nobody can wait for."""
    known = c.declared("services")
    if name not in known:
        near = hint(name, known - {but})
        return c.wrong(place, f"there is no service {quoted(name)}{near}")
    if name in c.blueprint.services and not c.blueprint.services[name].is_ours:
        return c.wrong(place, f"{quoted(name)} is the base's own: nobody knows when it is well")
    return None


def clock(c: Checked) -> Iterator[Problem | None]:
    """What runs by the clock needs a service of ours, which another would be hidden by."""
    b = c.blueprint
    service = b.services.get("cron")
    by_clock = any(job.schedule for job in b.jobs.values()) or any(
        rule.compress_after or rule.delete_after for rule in b.logs.values()
    )
    if service and service.is_ours and by_clock:
        message = "is the name of the service that runs [jobs] and cleans [logs]; choose another"
        yield c.wrong(("services", "cron"), message, key=True)


def flags(c: Checked) -> Iterator[Problem | None]:
    known = c.declared("env")
    for name, service in c.blueprint.services.items():
        place = ("services", name, "flags")
        if service.flags and isinstance(service.run, str):
            message = "needs `run` as a list, or `file`: shell text has no end to add them to"
            yield c.wrong(place, message, key=True)
        for variable in service.flags:
            declared = c.blueprint.env.get(variable)
            if variable not in known:
                message = f"{quoted(variable)} is not declared in [env]{hint(variable, known)}"
                yield c.wrong((*place, variable), message, key=True)
            elif declared and declared.secret:
                message = f"{quoted(variable)} is a secret, which `ps` would show"
                yield c.wrong((*place, variable), message, key=True)
