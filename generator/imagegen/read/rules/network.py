"""Ports, and what the host shows of them."""

from collections.abc import Iterator

from imagegen.errors import Problem
from imagegen.read.rules.checked import Checked


def ports(c: Checked) -> Iterator[Problem | None]:
    seen: dict[tuple[int, str], str] = {}
    for name, port in c.blueprint.ports.items():
        first = seen.setdefault((port.port, port.protocol), name)
        if first != name:
            yield c.wrong(("ports", name, "port"), f"{port.port} is the port {first} already")


def published(c: Checked) -> Iterator[Problem | None]:
    """An address of the host has one taker; a wildcard takes all addresses."""
    taken: list[tuple[str, str, str, str]] = []
    for name, port in c.blueprint.ports.items():
        if port.publish is None:
            continue
        address, _, number = port.publish.rpartition(":")
        address = address or "127.0.0.1"
        for first, its, same, protocol in taken:
            is_everywhere = {"0.0.0.0", "[::]"} & {its, address}  # noqa: S104 -- only looked for
            if (number, port.protocol) == (same, protocol) and (is_everywhere or its == address):
                message = f"the port {first} is published there already"
                yield c.wrong(("ports", name, "publish"), message)
                break
        taken.append((name, address, number, port.protocol))
