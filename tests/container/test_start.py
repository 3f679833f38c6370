"""What is laid down when a container starts, who gets a secret, and what is downloaded."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
from filelock import FileLock

from conftest import Start, imagegen

pytestmark = pytest.mark.container

BLUEPRINT = Path(__file__).parents[1] / "blueprints" / "start"
IMAGE = "test-start:local"
NEEDLE = "needle'\"$x *\n# 0f8a ü"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> str:
    """The image, built by whichever worker comes first."""
    folder = tmp_path_factory.mktemp("copy") / "start"
    shutil.copytree(BLUEPRINT, folder)
    with once("start"):
        done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    return IMAGE


# --- secrets --------------------------------------------------------------------------------------


@pytest.fixture(params=["variable", "file"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The secret, in both ways that a container can be told of one."""
    if request.param == "variable":
        return {"env": {"TOKEN": NEEDLE, "KEPT": "kept"}}
    (tmp_path / "token").write_text(f"{NEEDLE}\n")
    mounts = {str(tmp_path / "token"): {"bind": "/token", "mode": "ro"}}
    return {"env": {"TOKEN_FILE": "/token", "KEPT": "kept"}, "volumes": mounts}


def test_a_secret_reaches_only_what_names_it(
    image: str, start: Start, told: dict[str, Any], engine: docker.DockerClient
) -> None:
    box = start(image, **told).up()
    sessions = box.sh("cut -d: -f1 /run/imagegen/services/named/sessions").strip()
    named = box.sh(f"tr '\\0' '\\n' </proc/{sessions}/environ", user="app")
    assert f"GIVEN=<{NEEDLE}>\n" in named
    assert "KEPT=kept\n" in named
    assert "TOKEN=" not in named
    unnamed = box.sh("cat /tmp/unnamed")
    assert "PLAIN=plain" in unnamed
    for service in ("unnamed", "extra"):
        pids = box.sh(f"cat /run/imagegen/sv/{service}/supervise/pid").split()
        unnamed += box.sh(f"tr '\\0' '\\n' </proc/{pids[0]}/environ")
    shown = box.sh("/usr/lib/imagegen/job shows", user="root")
    assert "PLAIN" in box.sh("cat /run/imagegen/environment")
    assert box.sh("find /run/imagegen -type f -exec grep -laE 'needle|kept' {} +") == ""
    for place in (unnamed, shown, box.log()):
        assert "needle" not in place
        assert "kept" not in place
    assert box.log().count("shows: PLAIN=plain") == 1
    history = str(engine.images.get(image).history())
    assert "needle" not in history

    # A job that names it has it under the name that it says, and prints it itself.
    box.sh("/usr/lib/imagegen/job tells", user="root")
    assert f"tells: told {NEEDLE.splitlines()[0]}" in box.log()
    assert "tells: TOKEN=" not in box.log()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"env": {"TOKEN_FILE": "/nowhere"}},
            "TOKEN_FILE: /nowhere is no file that user 0 can read",
        ),
        (
            {"env": {"TOKEN_FILE": "/etc/shadow"}, "user": "2144"},
            "TOKEN_FILE: /etc/shadow is no file that user 2144 can read",
        ),
    ],
)
def test_a_secret_that_cannot_be_read_ends_the_start(
    image: str, start: Start, options: dict[str, Any], said: str
) -> None:
    box = start(image, **options)
    assert box.exit_code() == 78
    assert f"imagegen: {said}\n" in box.log()
