"""What is downloaded when a container starts."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from imagegen.language.fetch import Address, Fetch
from imagegen.language.scalars import ImagePath, VariableName, matching
from imagegen.language.shapes import Place
from imagegen.language.table import Wrong


class Download(Fetch, Place):
    """[downloads.NAME]: looked at before the services start, at boot and at HUP."""

    goes_to: ClassVar[str] = "rootfs: /etc/imagegen/downloads/NAME"

    fetch: Annotated[Address, Field(examples=["https://example.org/app.jar"])]
    """Where it is downloaded from, by http or https; redirects are followed."""
    netrc: Annotated[VariableName | None, Field(examples=["MIRROR_NETRC"])] = None
    """A secret of [env] in netrc form, with users and passwords by host."""
    to: Annotated[ImagePath, Field(examples=["/srv/app/app.jar"])]
    """Where it is put; with `unpack`, the folder that it is unpacked into."""
    refresh: Annotated[str, matching("changed|missing", "rule; use changed or missing")] = "changed"
    """Downloaded when it has changed there, or only when it is missing here."""

    @model_validator(mode="after")
    def _unpacks(self) -> Self:
        if self.strip and not self.unpack:
            raise Wrong("goes with `unpack`", "strip")
        if self.to.endswith("/") and not self.unpack:
            raise Wrong("is a folder; name the file, or set `unpack = true`", "to")
        return self
