"""[stack]: services laid over those that they extend, and what they call each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from imagegen.errors import Problem, quoted
from imagegen.language import Blueprint
from imagegen.language.published import LOOPBACK, host_port
from imagegen.language.stack import Stack, StackService
from imagegen.read.document import Node
from imagegen.read.merge import Merge
from imagegen.read.names import Names
from imagegen.read.near import hint, listing
from imagegen.read.normal import shape_of

SHAPE = shape_of(StackService)
STACK = shape_of(Stack)
HOST = "host"

_MOST_LEVELS = 40


class Neighbour(Protocol):
    """A variant of a blueprint, as far as a stack must know."""

    @property
    def axes(self) -> Mapping[str, str]: ...

    @property
    def blueprint(self) -> Blueprint: ...


N = TypeVar("N", bound=Neighbour)


def variant_of(variants: Sequence[N], wanted: Mapping[str, str]) -> N | None:
    """Pick the variant of an image that a service runs; None where that is not told."""
    default = variants[0].blueprint.matrix.default if variants else {}
    point = {**default, **wanted}
    found = (one for one in variants if all(point.get(a) == v for a, v in one.axes.items()))
    return next(found, None)


# --- extends --------------------------------------------------------------------------------------


def extended(root: Node) -> tuple[Node, list[Problem]]:
    """Lay each service of the stack over those that it extends."""
    stack, services = root.get("stack"), root.get("stack", "services")
    if stack is None or services is None or not isinstance(services.value, dict):
        return root, []
    merged = _Extended(services.value)
    done = services.with_items({name: merged.of(name) for name in services.value})
    stack = stack.with_items({**dict(stack.items()), "services": done})
    return root.with_items({**dict(root.items()), "stack": stack}), merged.problems


class _Extended:
    """Services with what lies below them, each made once."""

    def __init__(self, services: Mapping[str, Node]) -> None:
        self._services = services
        self._done: dict[str, Node] = {}
        self._open: list[str] = []
        self._merge = Merge(in_stack=True)
        self._said: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        return [*self._said, *self._merge.problems]

    def of(self, name: str) -> Node:
        if name not in self._done:
            self._open.append(name)
            self._done[name] = self._laid(self._services[name])
            self._open.pop()
        return self._done[name]

    def _laid(self, own: Node) -> Node:
        """Lay the parts over each other, the first one lowest, and the service itself on top."""
        if not isinstance(own.value, dict):
            return own
        extends = own.get("extends")
        lower: Node | None = None
        for item in extends.listed() if extends else ():
            if part := self._part(item):
                lower = self._merge.over(lower, part, SHAPE)
        laid = self._merge.over(lower, own, SHAPE)
        return laid.with_items({**dict(laid.items()), **({"extends": extends} if extends else {})})

    def _part(self, item: Node) -> Node | None:
        """Find a service to lie below; without what it extends itself, which it holds already."""
        name = item.value
        if not isinstance(name, str):
            return None  # the language refuses it
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            message = f"services extend each other in a circle: {listing(circle, ' → ')}"
            self._said.append(item.problem(message))
            return None
        if len(self._open) > _MOST_LEVELS:
            message = f"services extend services, more than {_MOST_LEVELS} times over"
            self._said.append(item.problem(message))
            return None
        if name not in self._services:
            known = set(self._services) - set(self._open)
            message = f"there is no service {quoted(name)} in the stack{hint(name, known)}"
            self._said.append(item.problem(message))
            return None
        part = self.of(name)
        return part.with_value({k: n for k, n in part.items() if k != "extends"})


# --- names ----------------------------------------------------------------------------------------


def filled(stack: Node, names: Names, images: Mapping[str, Sequence[Neighbour]]) -> Node:
    """Fill in the names of [stack]: ports first, for by these others are addressed."""
    services = stack.get("services")
    if services is None or not isinstance(services.value, dict):
        return names.fill(stack, STACK)
    with_ports = {name: _ports_filled(service, names) for name, service in services.items()}
    known = _Known(names.root, with_ports, images)
    done = {}
    for name, service in with_ports.items():
        own = names.seen_from(known.addresses(name))
        done[name] = own.fill(service, SHAPE)
        names.used |= own.used
    rest = {k: names.fill(n, STACK.key(k)) for k, n in stack.items() if k != "services"}
    return stack.with_items({**rest, "services": services.with_items(done)})


def _ports_filled(service: Node, names: Names) -> Node:
    ports = service.get("ports")
    if ports is None:
        return service
    return service.with_items(
        {**dict(service.items()), "ports": names.fill(ports, SHAPE.key("ports"))}
    )


class _Known:
    """What services call each other: their ports, modes and networks."""

    def __init__(
        self,
        root: Node,
        services: Mapping[str, Node],
        images: Mapping[str, Sequence[Neighbour]],
    ) -> None:
        self._root = root
        self._services = services
        self._images = images

    def addresses(self, this: str) -> Mapping[str, str]:
        """List the addresses as a service has them; with a reason, not to be had, after a NUL."""
        return {
            f"address.{other}.{port}": self._address(this, other, number, publish)
            for other in self._services
            for port, (number, publish) in self._ports(other).items()
        }

    def _address(self, this: str, other: str, number: int, publish: str | None) -> str:
        if this == other:
            return f"localhost:{number}"
        if reason := self._hidden(this, other, publish):
            return f"\0{reason}"
        if self._mode(this) != HOST:
            return f"{other}:{number}"
        if self._mode(other) == HOST or publish is None:
            return f"{LOOPBACK}:{number}"
        at_host = host_port(publish)
        return f"{LOOPBACK if at_host.is_everywhere else at_host.address}:{at_host.port}"

    def _hidden(self, this: str, other: str, publish: str | None) -> str | None:
        """Say why a service does not reach another one."""
        here, there = self._mode(this), self._mode(other)
        nameless = next((mode for mode in (here, there) if mode in ("none", "bridge")), None)
        if nameless:
            return f"has no address here: with the network mode {nameless} there are no names"
        if here == HOST and there != HOST and publish is None:
            return f"is not published, and {this} is in the network of the host"
        if there == HOST and here != HOST:
            return f"is in the network of the host, which {this} can't reach by a name"
        if not here and not there and not self._networks(this) & self._networks(other):
            return f"can't be reached: {this} and {other} share no network"
        return None

    def _mode(self, name: str) -> str:
        node = self._services[name].get("network-mode")
        return node.value if node and isinstance(node.value, str) else ""

    def _networks(self, name: str) -> set[str]:
        service = self._services[name]
        networks, project = service.get("networks"), service.get("project")
        listed = {str(item.value) for item in networks.listed()} if networks else set()
        return listed or {f"\0{project.value if project else ''}"}

    def _ports(self, name: str) -> dict[str, tuple[int, str | None]]:
        service = self._services[name]
        found: dict[str, tuple[Any, Any]] = {}
        if name in self._images:
            variant = service.get("variant")
            wanted = {axis: str(n.value) for axis, n in variant.items()} if variant else {}
            image = variant_of(self._images[name], wanted)
            ports = image.blueprint.ports if image else {}
            found = {port: (p.port, p.publish) for port, p in ports.items()}
        elif not service.get("image") and (declared := self._root.get("ports")):
            found = {
                port: (_value(n, "port"), _value(n, "publish")) for port, n in declared.items()
            }
        laid = service.get("ports")
        for port, node in laid.items() if laid else ():
            number, publish = found.get(port, (None, None))
            found[port] = (_value(node, "port") or number, _value(node, "publish") or publish)
        return {
            port: (number, None if publish is None else str(publish))
            for port, (number, publish) in found.items()
            if isinstance(number, int)
        }


def _value(port: Node, key: str) -> Any:  # noqa: ANN401 -- whatever is written there
    node = port.get(key)
    return node.value if node else None
