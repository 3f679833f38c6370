"""Hooks: what remembers that they ran, and which services are up meanwhile."""

from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.services import known_service


def mark(c: Checked) -> Iterator[Problem | None]:
    """Who runs once must be able to remember it, and where must be decidable."""
    b = c.blueprint
    place = ("lifecycle", "volume")
    named = b.lifecycle.volume
    if named is not None:
        known = c.declared("volumes")
        if named not in known:
            yield c.wrong(place, f"there is no volume {quoted(named)}{hint(named, known)}")
        elif named in b.volumes and b.volumes[named].read_only:
            yield c.wrong(place, "is read-only, and can't remember the first boot")
    elif len(b.marks) != 1 and len(c.declared("volumes")) == len(b.volumes):
        for where, what in _rememberers(c):
            yield c.wrong(where, f"{what} {_undecided(b.marks)}", key=True)


def _undecided(marks: tuple[str, ...]) -> str:
    if not marks:
        return "needs a volume that remembers it; declare one in [volumes] that is not read-only"
    listed = listing(map(quoted, marks))
    return f"needs to know which volume remembers it; write lifecycle.volume = one of {listed}"


def _rememberers(c: Checked) -> Iterator[tuple[KeyPath, str]]:
    hooks = c.blueprint.lifecycle.hooks
    if "firstboot" in hooks:
        yield ("lifecycle", "firstboot"), "what runs at the first boot only"
    if "upgrade" in hooks and not hooks["upgrade"].every_boot:
        yield ("lifecycle", "upgrade"), "what runs after an upgrade only"
    for name, variable in c.blueprint.env.items():
        if variable.required == "firstboot":
            yield ("env", name, "required"), "what is required at the first boot only"


def after(c: Checked) -> Iterator[Problem | None]:
    for key, hook in c.blueprint.lifecycle.hooks.items():
        for number, name in enumerate(hook.after):
            yield known_service(c, ("lifecycle", key, "after", number), name)


def versions(c: Checked) -> Iterator[Problem | None]:
    """An upgrade is from one version to another."""
    upgrade = c.blueprint.lifecycle.upgrade
    if upgrade and not upgrade.every_boot and c.blueprint.image.version is None:
        message = "runs when image.version has changed, which is missing; or set every-boot = true"
        yield c.wrong(("lifecycle", "upgrade"), message, key=True)
