"""From an empty folder to a running container and a CI job, without an edit."""

import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import docker
import pytest

from conftest import Box, wait_for

pytestmark = pytest.mark.container


@pytest.fixture
def port() -> int:
    """A free port: the scaffold publishes the one that it is told."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imagegen", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_new_check_build_run_and_ci_succeed_without_an_edit(
    tmp_path: Path, engine: docker.DockerClient, port: int
) -> None:
    name = f"new-{port}"
    _run(tmp_path, "new", "--no-input", "--set", f"name={name}", "--set", f"port={port}")
    folder = tmp_path / name
    assert "ok, 1 variant" in _run(folder, "check", ".").stdout
    _run(folder, "build", ".")
    try:
        started = _run(folder, "run", ".")
        assert f"port {port} is at 127.0.0.1:{port}" in started.stdout
        box = Box(engine.containers.get(name)).up()
        wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read())
        code, _ = box.stop()
        assert code == 0
        assert engine.api.inspect_container(name)["Config"]["StopTimeout"] == 25
    finally:
        for container in engine.containers.list(all=True, filters={"name": name}):
            container.remove(force=True, v=True)
        engine.volumes.get(f"{name}-data").remove()
        for image in engine.images.list(name=name):
            engine.images.remove(image.id, force=True)
    assert "written" in _run(folder, "ci", "github", ".").stdout
    assert "up to date" in _run(folder, "ci", "github", ".").stdout


def test_the_printed_recipes_are_what_docker_takes(tmp_path: Path) -> None:
    _run(tmp_path, "new", "--no-input")
    folder = tmp_path / "my-daemon"
    recipe = _run(folder, "run", ".", "--print", "docker", "-e", 'CFG={"greeting": "it\'s $5"}')
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {recipe.stdout[len('docker') :]}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "127.0.0.1:8080:8080" in words
    assert "my-daemon-data:/srv/my-daemon" in words
    assert 'CFG={"greeting": "it\'s $5"}' in words
    assert words[words.index("--stop-timeout") + 1] == "25"

    compose = folder / "compose.yaml"
    compose.write_text(
        _run(folder, "run", ".", "--print", "compose", "-e", "PRICE=$5 and ${X}").stdout
    )
    done = subprocess.run(
        ["docker", "compose", "-f", compose, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    service = json.loads(done.stdout)["services"]["my-daemon"]
    assert service["environment"] == {"PRICE": "$$5 and $${X}"}
    assert service["stop_grace_period"] == "25s"
    assert service["ports"][0]["host_ip"] == "127.0.0.1"
