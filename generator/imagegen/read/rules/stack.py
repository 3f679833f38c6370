"""A stack: its names, ports, hosts, dependencies and variables must fit each other."""

import re
from collections.abc import Collection, Iterator, Mapping

from imagegen.errors import Problem, quoted
from imagegen.language import Blueprint
from imagegen.language.expressions import fits
from imagegen.language.published import HostPort, host_port
from imagegen.language.references import VARIABLE
from imagegen.language.shapes import Variable
from imagegen.language.stack import Stack, StackService
from imagegen.read import overlaid
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.circles import circles
from imagegen.read.stack import variant_of

SETTING = re.compile(r"\$\$|\$\{([^}]*)\}")
_NAME = re.compile(VARIABLE)
_WHICH = (
    "which variant of the image? say variant = { AXIS = … }, or matrix.default in its blueprint"
)


def stack(c: Checked) -> Iterator[Problem | None]:
    """Look at the stack once, in the variant that stands for the image."""
    s = c.blueprint.stack
    if s is None or not c.is_home:
        return
    yield from _variants(c, s)
    yield from _order(c, s)
    yield from _names(c, s)
    yield from _variables(c, s)
    yield from _built_in(c, s)
    yield from _joined(c, s)
    yield from _settings(c, s)
    yield from _first_run(c, s)
    yield from _published(c, s)
    yield from _exclusive(c, s)


def _place(name: str, *path: str | int) -> KeyPath:
    return ("stack", "services", name, *path)


def _image(c: Checked, name: str, service: StackService) -> Blueprint | None:
    """Give the blueprint of an image of ours; None for somebody else's, and where it is wrong."""
    if service.is_foreign:
        return None
    if service.blueprint is None:
        return c.blueprint
    found = variant_of(c.scene.images.get(name, ()), service.variant)
    return found.blueprint if found else None


def _ours(c: Checked, s: Stack) -> Iterator[tuple[str, StackService, Blueprint]]:
    for name, service in s.services.items():
        if image := _image(c, name, service):
            yield name, service, image


def _variants(c: Checked, s: Stack) -> Iterator[Problem | None]:
    for name, service in s.services.items():
        if service.is_foreign:
            continue
        if service.blueprint is None:
            points = list(c.scene.points)
            default: Mapping[str, str] = c.blueprint.matrix.default
        else:
            images = c.scene.images.get(name, ())
            points = [image.axes for image in images]
            default = images[0].blueprint.matrix.default if images else {}
        wanted = {**default, **service.variant}
        wrong = list(_axes(c, name, service, points))
        yield from wrong
        fits = any(all(wanted.get(a) == v for a, v in point.items()) for point in points)
        if points and not wrong and not fits:
            axes = {axis for point in points for axis in point}
            said = "the image has no such variant" if axes <= set(wanted) else _WHICH
            yield c.wrong(_place(name, "variant"), said, key=not service.variant)


def _axes(
    c: Checked, name: str, service: StackService, points: Collection[Mapping[str, str]]
) -> Iterator[Problem | None]:
    for axis, value in service.variant.items():
        values = {point[axis] for point in points if axis in point}
        place = _place(name, "variant", axis)
        if points and not values:
            axes = sorted({axis for point in points for axis in point})
            yield c.wrong(place, f"the image has no such axis{hint(axis, axes)}", key=True)
        elif points and value not in values:
            said = hint(value, values, quoted)
            yield c.wrong(place, f"the image has no variant {quoted(value)}{said}")


def _order(c: Checked, s: Stack) -> Iterator[Problem | None]:
    for name, service in s.services.items():
        for number, other in enumerate(service.after):
            if other not in s.services:
                known = hint(other, set(s.services) - {name})
                message = f"there is no service {quoted(other)} in the stack{known}"
                yield c.wrong(_place(name, "after", number), message)
    for circle in circles({name: service.after for name, service in s.services.items()}):
        first, second = circle[:2]
        place = _place(first, "after", s.services[first].after.index(second))
        yield c.wrong(place, f"services wait in a circle: {listing(circle, ' → ')}")


def _names(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """A name that the image does not have would be laid over nothing."""
    for name, service, image in _ours(c, s):
        for table, own, known, what in (
            ("env", service.env, image.env, "variable"),
            ("secrets", service.secrets, image.env, "variable"),
            ("ports", service.ports, image.ports, "port"),
            ("volumes", service.volumes, image.volumes, "volume"),
        ):
            for key in own:
                if key not in known:
                    message = f"the image has no {what} {quoted(key)}{hint(key, known)}"
                    yield c.wrong(_place(name, table, key), message, key=True)
        for number, role in enumerate(service.services or ()):
            if role not in image.services:
                message = f"the image has no service {quoted(role)}{hint(role, image.services)}"
                yield c.wrong(_place(name, "services", number), message)


def _variables(c: Checked, s: Stack) -> Iterator[Problem | None]:
    for name, service in s.services.items():
        for key in sorted(set(service.env) & set(service.secrets)):
            message = "is a variable of `env` too; keep one of the two"
            yield c.wrong(_place(name, "secrets", key), message, key=True)
    for name, service, image in _ours(c, s):
        for key, variable in image.env.items():
            own = service.env.get(key)
            if own and own.default is not None:
                yield from _value(c, _place(name, "env", key, "default"), own.default, variable)
            elif variable.required and variable.default is None and key not in service.secrets:
                where = "secrets" if variable.secret else "env"
                message = f"the image needs the variable {key}; give it in `{where}`"
                yield c.wrong(_place(name), message, key=True)
        for key in service.secrets:
            if (declared := image.env.get(key)) and not declared.secret:
                message = "is no secret of the image, which would not read the file; use `env`"
                yield c.wrong(_place(name, "secrets", key), message, key=True)


def _value(c: Checked, place: KeyPath, value: str, variable: Variable) -> Iterator[Problem | None]:
    if variable.secret:
        yield c.wrong(place, "is a secret, which `env` would show; give it in `secrets`")
    elif variable.pattern and "$" not in value and not fits(variable.pattern, value):
        message = f"does not match the pattern of the image, {quoted(variable.pattern)}"
        yield c.wrong(place, message)


_BUILT_IN = ("init", "user", "workdir", "timezone", "locale", "syslog")
_OURS = ("init", "timezone", "locale", "syslog")


def _built_in(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """Some of [container] is decided when the image is built."""
    for name, service in s.services.items():
        keys, message = (
            (_OURS, "is for images of yours")
            if service.is_foreign
            else (_BUILT_IN, "is built into the image; say it there")
        )
        for key in sorted(service.container.model_fields_set & set(keys)):
            yield c.wrong(_place(name, "container", key), message, key=True)


def _joined(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """What services share must be declared."""
    secrets = c.declared("secrets")
    for name, service in s.services.items():
        for number, network in enumerate(service.networks):
            if network not in s.networks:
                message = f"is not in stack.networks{hint(network, s.networks)}"
                yield c.wrong(_place(name, "networks", number), message)
        for variable, secret in service.secrets.items():
            if secret not in secrets:
                message = f"{quoted(secret)} is not in [secrets]{hint(secret, secrets)}"
                yield c.wrong(_place(name, "secrets", variable), message)
        for volume, own in service.volumes.items():
            source = own.source
            if source and source[0] not in "./$" and source not in s.volumes:
                message = (
                    f"{quoted(source)} is not in stack.volumes, and no folder, which begins with ./"
                    f"{hint(source, s.volumes)}"
                )
                yield c.wrong(_place(name, "volumes", volume, "source"), message)


def _settings(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """`${NAME}` is filled in by compose, and nothing else is."""
    node = c.root.get("stack")
    for key, part in node.items() if node else ():
        if key != "settings":
            for text in _texts(part):
                yield from _named(text, s.settings)


def _texts(node: Node) -> Iterator[Node]:
    if isinstance(node.value, str):
        yield node
    for below in (*node.listed(), *(item for _, item in node.items())):
        yield from _texts(below)


def _named(text: Node, settings: Collection[str]) -> Iterator[Problem]:
    for found in SETTING.finditer(str(text.value)):
        name = found[1]
        if name is None or name in settings:
            continue
        if _NAME.fullmatch(name):
            message = f"{found[0]} is not in stack.settings{hint(name, settings)}"
        else:
            message = f"{found[0]} is no name of a setting, which has a default of its own"
        yield text.problem(f"{message}; a plain $ before {{ is written $$", within=found[0])


def _first_run(c: Checked, s: Stack) -> Iterator[Problem | None]:
    for number, entry in enumerate(s.first_run):
        name, _, job = entry.partition("/")
        place = ("stack", "first-run", number)
        service = s.services.get(name)
        if service is None:
            message = f"there is no service {quoted(name)} in the stack{hint(name, s.services)}"
            yield c.wrong(place, message)
        elif service.is_foreign:
            yield c.wrong(place, f"{name} is somebody else's image, which has no jobs")
        elif (image := _image(c, name, service)) and job not in image.jobs:
            message = f"the image of {name} has no job {quoted(job)}{hint(job, image.jobs)}"
            yield c.wrong(place, message)


def _published(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """An address of the host has one taker, whatever the project."""
    taken: list[tuple[str, HostPort, str]] = []
    for name, service in s.services.items():
        for port, laid in overlaid.ports(service, _image(c, name, service)).items():
            if laid.publish is None:
                continue
            place = _place(name, "ports", port, "publish")
            if service.replicas > 1:
                message = f"{service.replicas} containers can't have the one port {laid.publish}"
                yield c.wrong(_place(name, "replicas"), f"{message} of the host ({port})")
                continue
            wanted = host_port(laid.publish)
            for first, there, protocol in taken:
                if laid.protocol == protocol and wanted.meets(there):
                    message = f"the service {first} has the port {wanted.port} of the host already"
                    yield c.wrong(place, message if port in service.ports else f"{port}: {message}")
                    break
            taken.append((name, wanted, laid.protocol))


def _exclusive(c: Checked, s: Stack) -> Iterator[Problem | None]:
    """What is for one container at a time is not shared."""
    holders: dict[str, tuple[str, bool]] = {}
    for name, service in s.services.items():
        for volume, laid in overlaid.volumes(service, _image(c, name, service)).items():
            place = _place(name, "volumes", volume)
            if laid.exclusive and service.replicas > 1:
                message = f"the volume {volume} is for one container at a time"
                yield c.wrong(_place(name, "replicas"), message)
            source = laid.source or f"{name}-{volume}"
            first, was = holders.setdefault(source, (name, laid.exclusive))
            if first != name and (was or laid.exclusive):
                message = f"{first} has {quoted(source)} too, which is for one container at a time"
                yield c.wrong((*place, "source"), message)
