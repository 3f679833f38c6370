"""Containers under test: images are built once for all workers, containers end with their test."""

import http
import io
import json
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest
from docker.models.containers import Container
from filelock import FileLock

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30.0
"""Seconds after which waiting is given up; what is waited for takes far less."""

REGISTRY = """
version: 0.1
storage: { filesystem: { rootdirectory: ROOT } }
http: { addr: 127.0.0.1:PORT }
"""

T = TypeVar("T")


def imagegen(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "imagegen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def wait_for(question: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask until the answer is true; the last answer is in the failure."""
    deadline = time.monotonic() + patience
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience} s in vain; the last answer was {answer!r}")
        time.sleep(0.02)


@dataclass(frozen=True)
class Box:
    """A container under test."""

    container: Container

    def state(self) -> str:
        """Ask for the state word of the runtime; empty while there is none."""
        self.container.reload()
        if self.container.status != "running":
            return f"container {self.container.status}"
        return self.sh("cut -d' ' -f1 /run/imagegen/state 2>/dev/null").strip()

    def up(self) -> "Box":
        wait_for(lambda: self.state() == "UP" or self._ended())
        return self

    def _ended(self) -> bool:
        if self.container.status in ("exited", "dead"):
            pytest.fail(f"the container ended:\n{self.log()}")
        return False

    def sh(self, script: str, user: str = "") -> str:
        """Run a script inside and give its output, whatever its status."""
        output: bytes = self.container.exec_run(["sh", "-c", script], user=user).output
        return output.decode()

    def log(self) -> str:
        logged: bytes = self.container.logs()
        return logged.decode()

    def file(self, path: str) -> list[str]:
        """Read a file's lines; works when the container has ended, too."""
        chunks, _ = self.container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            assert member
            return member.read().decode().splitlines()

    def get(self, path: str, port: str = "8080/tcp") -> str:
        """Ask the app over HTTP, through the published port; the body also of an error."""
        self.container.reload()
        published = self.container.ports[port][0]["HostPort"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{published}{path}", timeout=5) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            content = error.read()
        return content.decode()

    def json(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        return json.loads(self.get(path))

    def stop(self, seconds: int = 40) -> tuple[int, float]:
        """Stop it as `docker stop` does; give the exit code and what it took."""
        began = time.monotonic()
        self.container.stop(timeout=seconds)
        took = time.monotonic() - began
        return self.exit_code(), took

    def exit_code(self) -> int:
        code: int = self.container.wait(timeout=PATIENCE)["StatusCode"]
        return code


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], FileLock]:
    """A lock by name that all workers of this run share."""
    shared = tmp_path_factory.getbasetemp().parent
    return lambda name: FileLock(shared / f"{name}.lock")


@pytest.fixture(scope="session")
def hello(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> str:
    """The image of examples/hello, default variant, built by whichever worker comes first.

    It is built from a copy, so that the tags do not depend on the state of this repository.
    """
    folder = tmp_path_factory.mktemp("hello") / "hello"
    shutil.copytree(EXAMPLES / "hello", folder)
    with once("hello"):
        done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    return "hello:local"


Start = Callable[..., Box]


@pytest.fixture
def start(engine: docker.DockerClient) -> Iterator[Start]:
    """Start containers as `docker run -d` does; they go when the test ends, log on failure."""
    boxes: list[Box] = []

    def run(
        image: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        **options: Any,  # noqa: ANN401 -- whatever the SDK takes
    ) -> Box:
        container = engine.containers.run(
            image,
            list(command),
            detach=True,
            environment=dict(env or {}),
            ports={"8080/tcp": ("127.0.0.1", None)},
            **options,
        )
        boxes.append(Box(container))
        return boxes[-1]

    yield run
    for box in boxes:
        print(f"--- log of {box.container.short_id}\n{box.log()}")  # noqa: T201 -- pytest shows it
        box.container.remove(force=True, v=True)


@dataclass(frozen=True)
class Registry:
    """A registry on the loopback."""

    address: str

    def tags(self, repository: str) -> set[str]:
        """Ask what the registry itself holds."""
        url = f"http://{self.address}/v2/{repository}/tags/list"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return set(json.load(answer)["tags"] or ())
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise
            return set()

    def digest(self, repository: str, tag: str) -> str:
        """Ask for the digest behind a tag."""
        accepted = "application/vnd.docker.distribution.manifest.v2+json"
        url = f"http://{self.address}/v2/{repository}/manifests/{tag}"
        request = urllib.request.Request(url, headers={"Accept": accepted}, method="HEAD")
        with urllib.request.urlopen(request, timeout=5) as answer:
            digest: str = answer.headers["Docker-Content-Digest"]
        return digest


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """Debian's docker-registry on a free port, with an empty store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "registry.yml"
    config.write_text(REGISTRY.replace("ROOT", str(tmp_path / "store")).replace("PORT", str(port)))
    program = Path(sys.executable).parent / "docker-registry"
    with (tmp_path / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        except OSError:
            assert time.monotonic() < deadline, (tmp_path / "registry.log").read_text()
            time.sleep(0.05)
    yield Registry(f"127.0.0.1:{port}")
    process.terminate()
    process.wait(30)
