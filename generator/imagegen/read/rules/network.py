"""Ports, and what the host shows of them."""

from collections.abc import Iterator

from imagegen.errors import Problem
from imagegen.language.published import HostPort, host_port
from imagegen.read.rules.checked import Checked


def ports(c: Checked) -> Iterator[Problem | None]:
    seen: dict[tuple[int, str], str] = {}
    for name, port in c.blueprint.ports.items():
        first = seen.setdefault((port.port, port.protocol), name)
        if first != name:
            yield c.wrong(("ports", name, "port"), f"{port.port} is the port {first} already")


def published(c: Checked) -> Iterator[Problem | None]:
    taken: list[tuple[str, HostPort, str]] = []
    for name, port in c.blueprint.ports.items():
        if port.publish is None:
            continue
        wanted = host_port(port.publish)
        for first, there, protocol in taken:
            if port.protocol == protocol and wanted.meets(there):
                message = f"the port {first} is published there already"
                yield c.wrong(("ports", name, "publish"), message)
                break
        taken.append((name, wanted, port.protocol))
