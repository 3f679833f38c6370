"""The settings of the machine that builds: what belongs to no blueprint."""

import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from imagegen.language.scalars import Filled, Kind
from imagegen.language.table import Table


def _proxy(value: str) -> str:
    """Check the address of a proxy, without repeating it: it may hold a password."""
    try:
        address = urlsplit(value)
        is_right = address.scheme in ("http", "https") and address.hostname and address.port != 0
        is_right = (
            is_right and address.path in ("", "/") and not (address.query or address.fragment)
        )
    except ValueError:
        is_right = False
    if not is_right or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError(
            "is no address of a proxy; write http://host:port, with a user "
            "http://user:password@host:port (other signs than letters and digits as %XX)"
        )
    return value


Proxy = Annotated[str, AfterValidator(_proxy), Kind("proxy", example="http://proxy:3128")]


class Build(Table):
    """[build]: how build steps reach the network. Nothing of it gets into an image."""

    goes_to: ClassVar[str] = "build steps"

    ca_bundle: Annotated[Filled | None, Field(examples=["/etc/ssl/certs/acme.pem"])] = None
    """A file of PEM certificates that build steps trust too; ~ is your home."""
    http_proxy: Annotated[Proxy | None, Field(examples=["http://proxy.example.org:3128"])] = None
    """The proxy for http."""
    https_proxy: Annotated[Proxy | None, Field(examples=["http://proxy.example.org:3128"])] = None
    """The proxy for https."""
    no_proxy: Annotated[Filled | None, Field(examples=["localhost,.example.org"])] = None
    """Hosts that are reached without it, separated by commas."""


class Settings(Table):
    """The file settings.toml."""

    build: Build = Build()
    """How build steps reach the network."""
