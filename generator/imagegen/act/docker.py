"""The Docker engine: the SDK for images, `docker buildx bake` for building."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from imagegen.act.engine import KEY_LABEL, Progress, StoredImage, TargetResult
from imagegen.act.solve import Solve
from imagegen.errors import EngineError
from imagegen.render.bake import Target

_CURE = "start Docker, or point DOCKER_HOST at an engine that runs"


class DockerEngine:
    """Implements `Engine` with Docker 23 or newer and its buildx plugin."""

    def __init__(self) -> None:
        """Connect. Raises EngineError if no engine answers."""
        try:
            self._client = docker.from_env()
            self._client.ping()
        except (DockerException, RequestException) as error:
            raise EngineError(f"no Docker engine answers: {_reason(error)}\n    {_CURE}") from None

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

    def tag(self, image: str, reference: str) -> None:
        repository, _, tag = reference.rpartition(":")
        self._ask(lambda: self._client.api.tag(image, repository, tag))

    def bake(
        self, file: str, targets: Sequence[Target], progress: Progress
    ) -> Mapping[str, TargetResult]:
        solve = Solve([target.name for target in targets], progress)
        with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
            path = Path(folder) / "docker-bake.json"
            path.write_text(file)
            command = ["docker", "buildx", "bake", "--file", str(path), "--progress", "rawjson"]
            status = _run(command, solve)
        results = solve.results()
        if status and not any(result.failure for result in results.values()):
            raise EngineError(f"docker buildx bake: {_explained(solve.rest)}")
        return results

    def _ask(self, request: Any) -> Any:  # noqa: ANN401 -- the SDK is not typed
        try:
            return request()
        except (DockerException, RequestException) as error:
            raise EngineError(f"the Docker engine refused: {_reason(error)}") from None


def _run(command: list[str], solve: Solve) -> int:
    """Run the build to its end, or end it with us: an interrupt must leave nothing running."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        message = "the `docker` command is missing; install Docker's CLI with the buildx plugin"
        raise EngineError(message) from None
    try:
        assert process.stderr  # noqa: S101 -- it was asked for
        while chunk := process.stderr.read1(65536):  # type: ignore[attr-defined]
            solve.feed(chunk)
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _explained(said: str) -> str:
    if "is not a docker command" in said or "unknown command" in said:
        return "the buildx plugin is missing; install docker-buildx (or docker-buildx-plugin)"
    if "rawjson" in said:
        return "the buildx plugin is too old; 0.13 or newer is needed"
    return said.strip() or "failed without a word"


def _reason(error: Exception) -> str:
    """Find the sentence that helps in an error of the SDK, which wraps several others."""
    explanation = getattr(error, "explanation", None)
    if explanation:
        return str(explanation)
    deepest: BaseException = error
    while deepest.__cause__ or deepest.__context__:
        deepest = deepest.__cause__ or deepest.__context__ or deepest
    return getattr(deepest, "strerror", None) or str(deepest)
