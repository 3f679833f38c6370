"""The ready-made parts, all in one container: they start, answer, keep their data, and stop."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from conftest import Start, imagegen
from imagegen.read.parts import ready_made

pytestmark = pytest.mark.container

BLUEPRINT = """\
blueprint = 1
extends = [{parts}]
image = {{ name = "{name}", base = "debian:bookworm-slim" }}
users.app.uid = 1200
files."/srv/www/index.html".text = "hello"
[[steps]]
run = "{{{{ venv }}}}/bin/pip --version >/srv/pip"
"""


@pytest.fixture
def image(tmp_path: Path, engine: docker.DockerClient) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    parts = ", ".join(f'"{part}"' for part in ready_made())
    (tmp_path / "blueprint.toml").write_text(BLUEPRINT.format(parts=parts, name=name))
    done = imagegen("build", tmp_path)
    assert done.returncode == 0, done.stderr
    yield f"{name}:local"
    for image in engine.images.list(name=name):
        engine.images.remove(image.id, force=True)


def test_the_ready_made_parts_work_together(image: str, start: Start) -> None:
    box = start(image).up()
    assert box.get("/") == "hello"
    assert "/opt/venv/" in box.sh("cat /srv/pip; which python")
    assert box.sh("redis-cli set key kept").strip() == "OK"
    assert box.sh("ps -o user= -C nginx,redis-server 2>/dev/null || id -un").split()[0] == "app"
    assert box.stop()[0] == 0
    box.container.start()
    box.up()
    assert box.sh("redis-cli get key").strip() == "kept"
    assert box.stop()[0] == 0
