"""examples/overwatch: an app on a base of its own, for Python 2 and 3."""

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from filelock import FileLock

from conftest import EXAMPLES, Start, imagegen

pytestmark = pytest.mark.container

VERSIONS = ("2.7.18", "3.11.2", "3.13.5")


@pytest.fixture(scope="session")
def overwatch(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> Path:
    """A copy of the example, built; outside git, so that its tags are local ones."""
    folder = tmp_path_factory.mktemp("overwatch") / "overwatch"
    shutil.copytree(EXAMPLES / "overwatch", folder)
    with once("overwatch"):
        done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.usefixtures("overwatch")
@pytest.mark.parametrize("version", VERSIONS)
def test_each_image_runs_its_own_interpreter_with_the_app(start: Start, version: str) -> None:
    box = start(f"overwatch:local-py{version}").up()
    assert box.json("/") == {"app": "overwatch", "python": version}
    assert box.sh("id -un", user="2143").strip() == "overwatch"
    code, _ = box.stop()
    assert code == 0


@pytest.mark.usefixtures("overwatch")
def test_each_image_stands_on_its_base(engine: docker.DockerClient) -> None:
    for version in VERSIONS:
        base = engine.images.get(f"overwatch-base:local-{version}").attrs["RootFS"]["Layers"]
        layers = engine.images.get(f"overwatch:local-py{version}").attrs["RootFS"]["Layers"]
        assert layers[: len(base)] == base
        assert len(layers) > len(base)


def test_a_second_build_does_nothing_and_a_change_in_the_app_spares_the_bases(
    overwatch: Path, tmp_path: Path, engine: docker.DockerClient
) -> None:
    done = imagegen("build", overwatch)
    assert "nothing to do: 6 variants up to date" in done.stdout

    copy = tmp_path / "overwatch"
    shutil.copytree(overwatch, copy)
    blueprint = copy / "blueprint.toml"
    name = f"test-{uuid.uuid4().hex[:8]}"
    blueprint.write_text(blueprint.read_text().replace('name = "overwatch"', f'name = "{name}"'))
    built = json.loads(imagegen("build", copy, "--json").stdout)
    states = {(one["image"], one["variant"]): one["state"] for one in built}
    for image in engine.images.list(name=name):
        engine.images.remove(image.id, force=True)
    assert {states["overwatch-base", version] for version in VERSIONS} == {"unchanged"}
    assert {states[name, version] for version in VERSIONS} == {"built"}


def test_the_override_makes_one_variant_differ(overwatch: Path) -> None:
    plans = json.loads(imagegen("plan", overwatch, "--json").stdout)
    bases = {plan["variant"]: plan["parent"]["base"] for plan in plans}
    assert bases == {
        "2.7.18": "debian:bullseye-slim",
        "3.11.2": "debian:bookworm-slim",
        "3.13.5": "debian:trixie-slim",
    }
