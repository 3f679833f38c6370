"""From a git event to a registry: the generated workflow's own commands, a real registry."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from conftest import EXAMPLES, Registry, imagegen

pytestmark = pytest.mark.container

VERSIONS = ("2.7.18", "3.11.2", "3.13.5")
TITLE = "org.opencontainers.image.title"


@pytest.fixture
def repository(tmp_path: Path, registry: Registry, engine: docker.DockerClient) -> Iterator[Path]:
    """A git repository with examples/overwatch in it, which is pushed to the registry."""
    folder = tmp_path / "repository"
    shutil.copytree(EXAMPLES / "overwatch", folder)
    for file, name in (("blueprint.toml", "overwatch"), ("base/blueprint.toml", "overwatch-base")):
        text = (folder / file).read_text()
        line = f'name = "{name}"'
        assert line in text
        text = text.replace(line, f'{line}\nregistries = ["{registry.address}/rehlers"]')
        (folder / file).write_text(text)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    assert imagegen("ci", "github", folder, "--install", "imagegen --version").returncode == 0
    _commit(folder, "begin")
    yield folder
    for image in engine.images.list(filters={"label": f"{TITLE}=Overwatch X"}):
        engine.images.remove(image.id, force=True)
    for image in engine.images.list():
        for tag in image.tags:
            if tag.startswith(registry.address):
                engine.images.remove(tag)


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def _workflow(folder: Path) -> dict[str, Any]:
    found = list((folder / ".github/workflows").iterdir())
    assert [file.name for file in found] == ["overwatch.yml"]
    content: dict[str, Any] = yaml.safe_load(found[0].read_text())
    return content


def _play(folder: Path, ref: str, event: str = "push") -> None:
    """Do what a runner does: each step's own commands, with the environment of the event."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": ref,
        "GITHUB_SHA": _git(folder, "rev-parse", "HEAD"),
    }
    for step in _workflow(folder)["jobs"]["image"]["steps"]:
        if "run" not in step:
            assert step["uses"].startswith("actions/checkout@")  # the work tree is here already
            continue
        if "if" in step:
            assert step["if"] == "github.event_name != 'pull_request'"
            if event == "pull_request":
                continue
        given = {k: "" if "secrets." in v else v for k, v in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder,
            env=environment | given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step['name']}:\n{done.stdout}{done.stderr}"


def _names(tag: str) -> set[str]:
    """The tag with the suffix of each variant, and bare for the default one."""
    return {tag, *(f"{tag}-py{version}" for version in VERSIONS)}


def test_the_registry_holds_exactly_the_right_tags_after_each_event(
    repository: Path, registry: Registry
) -> None:
    bases = {f"py{version}" for version in VERSIONS}
    app: set[str] = set()

    _play(repository, "refs/heads/main")
    app |= _names("latest")
    assert registry.tags("rehlers/overwatch") == app
    assert registry.tags("rehlers/overwatch-base") == bases
    first = registry.digest("rehlers/overwatch", "latest")
    assert first == registry.digest("rehlers/overwatch", "latest-py3.11.2")
    assert first != registry.digest("rehlers/overwatch", "latest-py2.7.18")

    _git(repository, "switch", "--quiet", "--create", "x-docker")
    blueprint = repository / "blueprint.toml"
    blueprint.write_text(blueprint.read_text().replace('"Overwatch"', '"Overwatch X"'))
    _commit(repository, "try something")
    _play(repository, "refs/heads/x-docker")
    app |= _names("x-docker")
    assert registry.tags("rehlers/overwatch") == app
    assert registry.tags("rehlers/overwatch-base") == bases
    assert registry.digest("rehlers/overwatch", "latest") == first
    assert registry.digest("rehlers/overwatch", "x-docker") != first

    _git(repository, "switch", "--quiet", "main")
    _git(repository, "tag", "1.3.1")
    _play(repository, "refs/tags/1.3.1")
    app |= _names("1.3.1") | _names("1.3")
    assert registry.tags("rehlers/overwatch") == app
    assert registry.digest("rehlers/overwatch", "1.3.1") == first

    _play(repository, "refs/pull/7/merge", event="pull_request")
    assert registry.tags("rehlers/overwatch") == app

    _git(repository, "tag", "1.3.0")
    _play(repository, "refs/tags/1.3.0")  # an older release: its own tag, 1.3 stays where it is
    app |= _names("1.3.0")
    assert registry.tags("rehlers/overwatch") == app


def test_nothing_is_pushed_when_a_variant_is_not_up_to_date(
    repository: Path, registry: Registry
) -> None:
    app = repository / "app/overwatch.py"
    app.write_text(app.read_text() + "# changed\n")
    _commit(repository, "change the app, but do not build")
    done = imagegen("push", repository)
    assert done.returncode == 1
    assert "not built, or not up to date: overwatch 2.7.18, overwatch 3.11.2, " in done.stderr
    assert "run `imagegen build` first" in done.stderr
    assert registry.tags("rehlers/overwatch") == set()


def test_a_changed_work_tree_is_nobodys_release(repository: Path) -> None:
    blueprint = repository / "blueprint.toml"
    blueprint.write_text(blueprint.read_text() + "\n")
    done = imagegen("push", repository)
    assert done.returncode == 1
    assert "nothing was pushed: the work tree has changes that are not committed" in done.stderr


def test_a_registry_that_is_not_there_is_a_clear_error(
    repository: Path, registry: Registry
) -> None:
    for file in ("blueprint.toml", "base/blueprint.toml"):
        path = repository / file
        path.write_text(path.read_text().replace(registry.address, "127.0.0.1:1"))
    _commit(repository, "a registry that nobody serves")
    assert imagegen("build", repository).returncode == 0
    done = imagegen("push", repository)
    assert done.returncode == 5
    assert "was not pushed" in done.stderr
    assert "Traceback" not in done.stderr
