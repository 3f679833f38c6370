"""What a blueprint says of an image is so in the image: base, args, users, files, variables."""

import json
import shutil
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from conftest import Registry, imagegen

pytestmark = pytest.mark.container

BLUEPRINTS = Path(__file__).parents[1] / "blueprints"

Built = Callable[[str], "Image"]


class Image:
    """A built image, and what its files and its configuration say."""

    def __init__(self, engine: docker.DockerClient, reference: str) -> None:
        self._engine = engine
        self.reference = reference
        self.config: dict[str, Any] = engine.images.get(reference).attrs["Config"]
        self.history = json.dumps(engine.images.get(reference).history())

    def sh(self, script: str) -> list[str]:
        """Run a script in a new container, without the init, and give its lines."""
        output: bytes = self._engine.containers.run(
            self.reference, ["-c", script], entrypoint="sh", user="root", remove=True
        )
        return output.decode().splitlines()


@pytest.fixture
def built(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Built]:
    """Build a blueprint given as text; the images go with the test."""
    name = f"test-{uuid.uuid4().hex[:8]}"

    def build(text: str) -> Image:
        blueprint = f'blueprint = 1\nimage.name = "{name}"\n{textwrap.dedent(text)}'
        (tmp_path / "blueprint.toml").write_text(blueprint)
        done = imagegen("build", tmp_path)
        assert done.returncode == 0, done.stderr
        return Image(engine, f"{name}:local")

    yield build
    for image in engine.images.list(name=name):
        engine.images.remove(image.id, force=True)


def test_users_have_the_ids_groups_homes_and_shells_that_are_declared(built: Built) -> None:
    image = built(
        """
        image.base = "debian:bookworm-slim"
        users.app = { uid = 2143, groups = ["adm", "reports"], shell = "/bin/bash" }
        users.batch = { uid = 2150, gid = 2143, home = "/srv/the batch" }
        container.user = "batch"
        volumes = { data = "/data", spool = { path = "/spool", owner = "app" } }
        """
    )
    assert image.sh("getent passwd app batch") == [
        "app:x:2143:2143::/home/app:/bin/bash",
        "batch:x:2150:2143::/srv/the batch:/usr/sbin/nologin",
    ]
    assert image.sh("id -Gn app") == ["app adm reports"]
    assert image.sh("stat -c '%u:%g %n' '/srv/the batch' /home/app /data /spool") == [
        "2150:2143 /srv/the batch",
        "2143:2143 /home/app",
        "2150:2143 /data",
        "2143:2143 /spool",
    ]
    assert image.sh("head -n 1 /etc/shadow-") != ["app"]  # no second try left its traces
    assert image.config["User"] == "2150"


def test_files_have_the_content_owner_mode_and_target_that_are_declared(
    tmp_path: Path, engine: docker.DockerClient
) -> None:
    """The golden blueprint `files`, built."""
    folder = tmp_path / "files"
    shutil.copytree(BLUEPRINTS / "files", folder, symlinks=True)
    done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    image = Image(engine, "files:local")
    assert image.sh(
        "cd /etc/app && stat -c '%u:%g %a %n' app.conf conf.d/one.conf conf.d/nested/two.conf "
        "/usr/local/bin/app /var/spool/app /var/spool/empty"
    ) == [
        "1700:1701 640 app.conf",
        "1700:1701 640 conf.d/one.conf",
        "1700:1701 640 conf.d/nested/two.conf",
        "0:0 755 /usr/local/bin/app",
        "1700:1701 750 /var/spool/app",
        "0:0 755 /var/spool/empty",
    ]
    assert image.sh("cat /etc/app/app.conf") == ["listen = 8080", 'name = "größer"']
    assert image.sh("readlink /etc/app/current '/opt/odd link'") == [
        "conf.d",
        "-target with blanks",
    ]
    assert image.sh("cat '/etc/app/strange name [1]*?.conf'") == [
        "a name that COPY would take for a pattern"
    ]
    assert image.sh("""cat '/etc/app/$HOME/it'"'"'s "quoted"'""") == [
        "a name that Docker would expand and unquote"
    ]


def test_args_reach_everything_but_the_environment(built: Built) -> None:
    image = built(
        """
        image.base = "debian:{{ debian }}-slim"
        image.version = "{{ app }}"
        args = { app = "2.7.15", debian = "trixie", greeting = "hello", archive = "app-{{ app }}" }
        matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}", default.lang = "fr" }
        override = [{ when.lang = "fr", args.greeting = "bonjour" }]
        files."/opt/{{ archive }}/greeting".text = "{{ greeting }} {{ app.major }}\\n"
        steps = ["echo {{ archive }} > /built-from"]
        """
    )
    assert image.sh("cat /opt/app-2.7.15/greeting /built-from") == ["bonjour 2", "app-2.7.15"]
    assert image.sh(". /etc/os-release; echo $VERSION_CODENAME") == ["trixie"]
    assert image.config["Labels"]["org.opencontainers.image.version"] == "2.7.15"
    names = {variable.partition("=")[0] for variable in image.config["Env"] or ()}
    assert names <= {"PATH"}
    assert "ARG" not in image.history


def test_a_base_may_be_pinned_by_its_digest(
    built: Built, registry: Registry, engine: docker.DockerClient
) -> None:
    name = f"{registry.address}/pinned"
    engine.images.get("debian:bookworm-slim").tag(name, "1")
    engine.images.push(name, "1")
    pinned = f"{name}@{registry.digest('pinned', '1')}"
    engine.images.remove(f"{name}:1")
    image = built(f'image.base = {{ image = "{pinned}", family = "debian" }}\n')
    assert image.sh("cat /etc/debian_version") < ["13"]
    assert image.config["Labels"]["org.opencontainers.image.base.name"] == pinned
