"""Ports as the host shows them: "9999", "0.0.0.0:9999", "[::1]:9999"."""

from dataclasses import dataclass
from ipaddress import ip_address

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port on an address of the host, both as they are written: a stack may name settings."""

    address: str
    port: str

    @property
    def is_everywhere(self) -> bool:
        """Tell whether the address is a wildcard, which stands for all."""
        try:
            return ip_address(self.address.strip("[]")).is_unspecified
        except ValueError:
            return False

    def meets(self, other: "HostPort") -> bool:
        """Tell whether both want the same: an address has one taker, a wildcard takes all."""
        is_same = self.address == other.address
        return self.port == other.port and (is_same or self.is_everywhere or other.is_everywhere)


def host_port(publish: str) -> HostPort:
    """Read it; without an address it is this machine alone."""
    address, _, port = publish.rpartition(":")
    return HostPort(address or LOOPBACK, port)
