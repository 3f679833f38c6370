"""Run recipes as text: a docker command, a compose file."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

from imagegen.plan.recipe import Mount, Published, Recipe
from imagegen.plan.running import Resources
from imagegen.render.dumped import as_yaml


def docker_run(recipe: Recipe) -> str:
    """Write the recipe as a command for a shell, one option a line."""
    options: list[tuple[str, ...]] = [("--name", recipe.name)]
    options += [("--publish", docker_port(port)) for port in recipe.ports]
    options += [("--volume", docker_mount(mount)) for mount in recipe.mounts]
    options += [("--env", k if v is None else f"{k}={v}") for k, v in recipe.environment.items()]
    if recipe.stop_timeout is not None:
        options.append(("--stop-timeout", str(recipe.stop_timeout)))
    options += _resources(recipe.resources)
    lines = ["docker run --detach", *map(shlex.join, options)]
    return " \\\n    ".join([*lines, shlex.join([recipe.image, *recipe.command])]) + "\n"


def _resources(r: Resources) -> Iterator[tuple[str, ...]]:
    if r.read_only:
        yield ("--read-only",)
    yield from (("--cap-drop", name) for name in r.dropped_capabilities)
    yield from (("--cap-add", name) for name in r.capabilities)
    yield from (("--tmpfs", path) for path in r.tmpfs)
    for option, value in (("--shm-size", r.shm_size), ("--memory", r.memory), ("--cpus", r.cpus)):
        if value is not None:
            yield option, str(value)
    yield from (("--ulimit", f"{name}={limit}") for name, limit in r.ulimits.items())
    yield from (("--sysctl", f"{name}={value}") for name, value in r.sysctls.items())


def compose(recipe: Recipe) -> str:
    """Write the recipe as a compose file with one service."""
    service: dict[str, Any] = {"image": _literal(recipe.image), "restart": "unless-stopped"}
    if recipe.command:
        service["command"] = [_literal(word) for word in recipe.command]
    if recipe.environment:
        service["environment"] = {
            k: None if v is None else _literal(v) for k, v in recipe.environment.items()
        }
    if recipe.ports:
        service["ports"] = [docker_port(port) for port in recipe.ports]
    if recipe.mounts:
        service["volumes"] = [_literal(docker_mount(mount)) for mount in recipe.mounts]
    if recipe.stop_timeout is not None:
        service["stop_grace_period"] = f"{recipe.stop_timeout}s"
    service |= _composed(recipe.resources)
    content: dict[str, Any] = {"name": _project(recipe.name), "services": {recipe.name: service}}
    named = [mount.source for mount in recipe.mounts if not mount.source.startswith("/")]
    if named:
        # Named as `docker run` names it, so that both recipes mean the same volume.
        content["volumes"] = {source: {"name": source} for source in named}
    return as_yaml(content)


def _composed(r: Resources) -> dict[str, Any]:
    said = {
        "read_only": r.read_only,
        "cap_drop": list(r.dropped_capabilities),
        "cap_add": list(r.capabilities),
        "tmpfs": [_literal(path) for path in r.tmpfs],
        "shm_size": r.shm_size,
        "mem_limit": r.memory,
        "cpus": r.cpus and float(r.cpus),
        "ulimits": {name: _limit(limit) for name, limit in r.ulimits.items()},
        "sysctls": {name: _literal(value) for name, value in r.sysctls.items()},
    }
    return {key: value for key, value in said.items() if value}


def docker_port(port: Published) -> str:
    """Write a published port as docker and compose take it."""
    address = f"[{port.address}]" if ":" in port.address else port.address
    protocol = "" if port.protocol == "tcp" else f"/{port.protocol}"
    return f"{address}:{port.host}:{port.container}{protocol}"


def docker_mount(mount: Mount) -> str:
    """Write a mount as docker and compose take it."""
    return f"{mount.source}:{mount.path}{':ro' if mount.read_only else ''}"


def _project(name: str) -> str:
    """Name a project: compose takes small letters, digits, _ and - only."""
    return re.sub(r"[^a-z0-9_-]", "-", name.lower())


def _limit(limit: str) -> int | dict[str, int]:
    soft, _, hard = limit.partition(":")
    return {"soft": int(soft), "hard": int(hard)} if hard else int(soft)


def _literal(value: str) -> str:
    """Compose fills in $NAME and ${NAME}; a doubled $ is one."""
    return value.replace("$", "$$")
