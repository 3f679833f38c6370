"""What happens once: at boot, at the first one, after an upgrade, before and after the end."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.scalars import Key, Many
from imagegen.language.shapes import Command
from imagegen.language.table import Table, Wrong


class Hook(Command):
    """A command that runs at a moment in the container's life."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/hooks/NAME"

    after: Annotated[Many[Key], Field(examples=[["db"]])] = ()
    """Services that are up meanwhile, though the others are not started yet."""
    every_boot: bool = False
    """For `upgrade`: not only when `image.version` has changed."""


class Lifecycle(Table):
    """[lifecycle]: what happens at boot and around it, in this order; a failing hook ends it."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/hooks"

    volume: Annotated[Key | None, Field(examples=["data"])] = None
    """Which volume remembers the first boot and the version; default: the only one."""
    boot: Annotated[Hook | None, Field(examples=["rm -f /srv/app/*.lock"])] = None
    """At each start, before all else."""
    firstboot: Annotated[Hook | None, Field(examples=[{"file": "hooks/firstboot"}])] = None
    """When the volume is new; again at the next start if it failed."""
    upgrade: Annotated[Hook | None, Field(examples=[{"file": "hooks/upgrade"}])] = None
    """When the volume was written by another `image.version`."""
    warmup: Annotated[Hook | None, Field(examples=[["/opt/app/fill-caches"]])] = None
    """When all services are well, before the container is UP."""
    pre_stop: Annotated[Hook | None, Field(examples=[["/opt/app/drain"]])] = None
    """Before the first service is stopped."""
    post_stop: Annotated[Hook | None, Field(examples=[["/opt/app/clean"]])] = None
    """When the last service is stopped."""
    notify: Annotated[Hook | None, Field(examples=[{"file": "hooks/notify"}])] = None
    """At each change of state, with the new one."""
    stats: Annotated[Hook | None, Field(examples=[{"file": "hooks/stats"}])] = None
    """Gets the figures of the container, as JSON on its standard input, at the least interval of
    the health probes, or 30s."""

    @property
    def hooks(self) -> dict[str, Hook]:
        """List the hooks that there are, by their keys, in the order in which they run."""
        found = {
            name.replace("_", "-"): getattr(self, name)
            for name in type(self).model_fields
            if name != "volume"
        }
        return {key: hook for key, hook in found.items() if hook is not None}

    @model_validator(mode="after")
    def _hooks_fit(self) -> Self:
        for key, hook in self.hooks.items():
            if hook.every_boot and key != "upgrade":
                raise Wrong("goes with `upgrade`", key, "every-boot")
            if hook.after and key not in EARLY:
                early = ", ".join(f"`{name}`" for name in EARLY)
                raise Wrong(f"goes with what runs before the services: {early}", key, "after")
        return self


TOLD = ("notify", "stats")
"""The hooks that are told something; they run beside all else, and hold nothing up."""

EARLY = ("boot", "firstboot", "upgrade")
"""The hooks that run before the services are started."""
