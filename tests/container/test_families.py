"""Bases whose name tells nothing: an engine that has the image looks into it.

No registry is needed: the images are made here, and named for what they are. The stand-in for
phusion has what imagegen relies on (runit, cron, /sbin/my_init, /etc/service), and not the rest.
"""

import io
import json
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from conftest import Start, imagegen
from imagegen.act.docker import DockerEngine
from imagegen.language.families import family_in

pytestmark = pytest.mark.container

PHUSION = """
FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -q -y --no-install-recommends runit cron curl \
    && rm -f /etc/service && mkdir -p /etc/service/cron /etc/service/greeter \
    && printf '#!/bin/sh\\nexec cron -f\\n' >/etc/service/cron/run \
    && printf '#!/bin/sh\\nid -u >/greeted\\nexec sleep 1000000\\n' >/etc/service/greeter/run \
    && printf '#!/bin/sh\\necho this is no my_init >&2\\nexit 1\\n' >/sbin/my_init \
    && chmod 0755 /etc/service/*/run /sbin/my_init
CMD ["/sbin/my_init"]
"""
SUPERVISED = 'FROM debian:bookworm-slim\nENTRYPOINT ["/usr/bin/supervisord", "-n"]\n'


@pytest.fixture(scope="module")
def made(engine: docker.DockerClient) -> Iterator[dict[str, str]]:
    """Images of this test alone, by what they stand for."""
    key = uuid.uuid4().hex[:8]
    names = {
        "phusion": f"test-stand-in-for-phusion:{key}",
        "alpine": f"test-says-it-is-alpine:{key}",
        "supervised": f"test-starts-supervisord:{key}",
    }
    for kind, text in (("phusion", PHUSION), ("supervised", SUPERVISED)):
        engine.images.build(fileobj=io.BytesIO(text.encode()), tag=names[kind], rm=True)
    repository, _, tag = names["alpine"].partition(":")
    engine.api.import_image_from_data(_alpine(), repository=repository, tag=tag)
    yield names
    for name in names.values():
        engine.images.remove(name, force=True)


def _alpine() -> bytes:
    """A root with nothing but an os-release, behind a link as Alpine has it."""
    content = b'ID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n'
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("etc/os-release")
        link.type, link.linkname = tarfile.SYMTYPE, "../usr/lib/os-release"
        archive.addfile(link)
        file = tarfile.TarInfo("usr/lib/os-release")
        file.size = len(content)
        archive.addfile(file, io.BytesIO(content))
    return stream.getvalue()


def write(folder: Path, base: str, more: str = "") -> Path:
    path = folder / "blueprint.toml"
    path.write_text(f'blueprint = 1\n[image]\nname = "{folder.name}"\nbase = "{base}"\n{more}')
    return path


def test_an_image_is_looked_into_and_left_as_it_was(
    made: dict[str, str], engine: docker.DockerClient
) -> None:
    found = {kind: DockerEngine().system(name) for kind, name in made.items()}
    kinds = {kind: family_in(system).name for kind, system in found.items() if system}
    assert kinds == {"phusion": "phusion", "alpine": "alpine", "supervised": "debian"}
    left = [engine.api.containers(all=True, filters={"ancestor": n}) for n in made.values()]
    assert left == [[], [], []]
    assert DockerEngine().system("test-of-nobody:never") is None


def test_check_refuses_what_can_not_be_served(made: dict[str, str], tmp_path: Path) -> None:
    done = imagegen("check", write(tmp_path, made["alpine"]))
    assert done.returncode == 3
    assert "the family alpine (Alpine Linux v3.20) is not served" in done.stderr
    done = imagegen("check", write(tmp_path, made["supervised"]))
    assert 'starts "/usr/bin/supervisord", whose programs would not run' in done.stderr
    done = imagegen("check", write(tmp_path, "test-of-nobody:never"))
    assert "no engine here has the image: pull it" in done.stderr


APP = """
[users.app]
uid = 2143
[services.web]
run = ["sleep", "1000000"]
health.run = "test -e /greeted"
[jobs.tick]
schedule = "@daily"
run = "true"
"""


def test_an_image_on_phusion_uses_what_is_there(
    made: dict[str, str], tmp_path: Path, engine: docker.DockerClient, start: Start
) -> None:
    folder = tmp_path / f"test-on-phusion-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    write(folder, made["phusion"], APP)
    (planned,) = json.loads(imagegen("plan", folder, "--json").stdout)
    assert (planned["family"], planned["packages"]) == ("phusion", [])
    done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    try:
        box = start(f"{folder.name}:local").up()
        assert box.sh("cat /greeted").split() == ["0"]  # the base's own service, as root
        assert box.sh("cat /proc/[0-9]*/comm").count("cron") == 1
        assert box.stop()[0] == 0
    finally:
        for image in engine.images.list(name=folder.name):
            engine.images.remove(image.id, force=True)
