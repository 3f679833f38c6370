"""The Docker engine: the SDK for images, `docker buildx bake` for building."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound
from docker.types import Ulimit
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ReadTimeout

from imagegen.act import files
from imagegen.act.engine import (
    KEY_LABEL,
    Container,
    Ended,
    Progress,
    StoredImage,
    TargetResult,
)
from imagegen.act.refusals import REFUSALS, explained, reason
from imagegen.act.solve import Solve
from imagegen.errors import EngineError
from imagegen.language.families import System
from imagegen.plan.recipe import Recipe
from imagegen.plan.running import Resources
from imagegen.render.bake import Target, bake_file, levels
from imagegen.render.recipes import docker_mount

CONTEXTS_SINCE = 23
"""The first engine whose BuildKit knows named contexts."""

ENDED_LINES = 10

OS_RELEASE = "/etc/os-release"
MY_INIT = "/sbin/my_init"

_START = "start Docker, or point DOCKER_HOST at an engine that runs"


class DockerEngine:
    """Implements `Engine` with Docker 23 or newer and its buildx plugin."""

    def __init__(self) -> None:
        """Connect. Raises EngineError if no engine answers."""
        try:
            self._client = docker.from_env()
            self._client.ping()
        except REFUSALS as error:
            raise EngineError(f"no Docker engine answers: {reason(error)}\n    {_START}") from None

    def images(self) -> Sequence[StoredImage]:
        listed: list[dict[str, Any]] = self._ask(self._client.api.images)
        return [
            StoredImage(
                id=image["Id"],
                references=frozenset(image.get("RepoTags") or ()) - {"<none>:<none>"},
                key=(image.get("Labels") or {}).get(KEY_LABEL, ""),
                size=image["Size"],
            )
            for image in listed
        ]

    def system(self, reference: str) -> System | None:
        with explained():
            try:
                image = self._client.images.get(reference).attrs
            except NotFound:
                return None
        config = image.get("Config") or {}
        starts = (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))
        # A container that is never started; one needs a command to be created, whatever it is.
        made = self._ask(lambda: self._client.api.create_container(image["Id"], ["-"]))["Id"]
        try:
            return System(
                release=files.text(self._client.api, made, OS_RELEASE),
                has_my_init=files.is_there(self._client.api, made, MY_INIT),
                starts=starts,
            )
        finally:
            self._ask(lambda: self._client.api.remove_container(made, v=True))

    def layers(self, image: str) -> Sequence[str]:
        attributes: dict[str, Any] = self._ask(lambda: self._client.images.get(image)).attrs
        return attributes["RootFS"].get("Layers") or []

    def in_use(self) -> frozenset[str]:
        listed: list[dict[str, Any]] = self._ask(lambda: self._client.api.containers(all=True))
        return frozenset(container["ImageID"] for container in listed)

    def remove(self, image: StoredImage) -> None:
        # Without `force` the engine refuses what a container came to use meanwhile.
        for name in sorted(image.references) or [image.id]:
            self._ask(lambda name=name: self._client.api.remove_image(name))

    def tag(self, image: str, reference: str) -> None:
        repository, _, tag = reference.rpartition(":")
        self._ask(lambda: self._client.api.tag(image, repository, tag))

    def bake(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        """Bases are named contexts of one solve; an engine before 23 builds level by level."""
        rounds = [list(targets)] if self._has_contexts() else levels(targets)
        results: dict[str, TargetResult] = {}
        for number, some in enumerate(rounds):
            if number:
                some = [replace(target, bases={}) for target in some]  # noqa: PLW2901
            results |= self._solve(some, progress)
            if any(result.failure for result in results.values()):
                break
        return results

    def _has_contexts(self) -> bool:
        version: str = self._ask(self._client.version)["Version"]
        major = version.partition(".")[0]
        return not major.isdigit() or int(major) >= CONTEXTS_SINCE

    def _solve(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        solve = Solve([target.name for target in targets], progress)
        with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
            path = Path(folder) / "docker-bake.json"
            path.write_text(bake_file(targets))
            command = ["docker", "buildx", "bake", "--file", str(path), "--progress", "rawjson"]
            status = _run(command, solve)
        results = solve.results()
        if status and not any(result.failure for result in results.values()):
            raise EngineError(f"docker buildx bake: {_explained(solve.rest)}")
        return results

    def push(self, reference: str) -> str:
        repository, _, tag = reference.rpartition(":")
        digest = ""
        try:
            lines = self._client.api.push(repository, tag=tag, stream=True, decode=True)
            for line in lines:
                if "error" in line:
                    raise EngineError(f"{reference} was not pushed: {line['error']}")
                digest = (line.get("aux") or {}).get("Digest", digest)
        except REFUSALS as error:
            raise EngineError(f"{reference} was not pushed: {reason(error)}") from None
        return digest

    def run(self, recipe: Recipe) -> Container:
        # The SDK's own `run` knows no stop time-out; the call below it does.
        api = self._client.api
        created = self._ask(
            lambda: api.create_container(
                recipe.image,
                list(recipe.command) or None,
                name=recipe.name,
                environment={k: v for k, v in recipe.environment.items() if v is not None},
                ports=[(port.container, port.protocol) for port in recipe.ports],
                stop_timeout=recipe.stop_timeout,
                host_config=api.create_host_config(
                    port_bindings=_bindings(recipe),
                    binds=[docker_mount(mount) for mount in recipe.mounts],
                    **_resources(recipe.resources),
                ),
            )
        )
        try:
            self._ask(lambda: api.start(created["Id"]))
        except EngineError:
            self._ask(lambda: api.remove_container(created["Id"]))
            raise
        return Container(id=created["Id"], name=recipe.name)

    def ended(self, container: Container, patience: int) -> Ended | None:
        """Wait so many seconds for the container to end; None if it still runs."""
        api = self._client.api
        with explained():
            try:
                code: int = api.wait(container.id, timeout=patience)["StatusCode"]
            except (ReadTimeout, RequestsConnectionError):
                return None  # the SDK's way to say that the time is up
        log: bytes = self._ask(lambda: api.logs(container.id, tail=ENDED_LINES))
        return Ended(code=code, log=log.decode(errors="replace"))

    def _ask(self, request: Any) -> Any:  # noqa: ANN401 -- the SDK is not typed
        with explained():
            return request()


def _bindings(recipe: Recipe) -> dict[int | str, Any]:
    bindings: dict[int | str, list[tuple[str, int]]] = {}
    for port in recipe.ports:
        name = f"{port.container}/{port.protocol}"
        bindings.setdefault(name, []).append((port.address, port.host))
    return bindings


def _resources(r: Resources) -> dict[str, Any]:
    return {
        "read_only": r.read_only,
        "cap_drop": list(r.dropped_capabilities),
        "cap_add": list(r.capabilities),
        "tmpfs": dict.fromkeys(r.tmpfs, ""),
        "shm_size": r.shm_size,
        "mem_limit": r.memory,
        "nano_cpus": int(float(r.cpus) * 10**9) if r.cpus else None,
        "ulimits": [_ulimit(name, limit) for name, limit in r.ulimits.items()],
        "sysctls": dict(r.sysctls),
    }


def _ulimit(name: str, limit: str) -> Ulimit:
    soft, _, hard = limit.partition(":")
    return Ulimit(name=name, soft=int(soft), hard=int(hard or soft))


def _run(command: list[str], solve: Solve) -> int:
    """Run the build to its end, or end it with us: an interrupt must leave nothing running."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        message = "the `docker` command is missing; install Docker's CLI with the buildx plugin"
        raise EngineError(message) from None
    assert process.stderr  # noqa: S101 -- it was asked for
    with process:
        try:
            while chunk := process.stderr.read1(65536):  # type: ignore[attr-defined]
                solve.feed(chunk)
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()


def _explained(said: str) -> str:
    if "is not a docker command" in said or "unknown command" in said:
        return "the buildx plugin is missing; install docker-buildx (or docker-buildx-plugin)"
    if "rawjson" in said:
        return "the buildx plugin is too old; 0.13 or newer is needed"
    return said.strip() or "failed without a word"
