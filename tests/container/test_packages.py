"""Packages for real: from behind a proxy with a password and with a CA that nobody else knows."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
from company import APT, HOST, PASSWORD, Company, company

pytestmark = pytest.mark.container

BLUEPRINT = """
blueprint = 1
image = {{ name = "{name}", base = "debian:bookworm-slim" }}

[packages.apt]
install = ["patch", "imagegen-virtual"]

[packages.apt.repositories]
tiny = {{ url = "https://packages.invalid/apt/", suites = ["./"], key = "key.asc" }}
release.package = "https://packages.invalid/{name}/imagegen-release_1.1_all.deb"

[packages.pip]
install = ["imagegen.Other @ https://packages.invalid/imagegen_other-2.0-py3-none-any.whl"]
requirements = ["requirements.txt"]
venv = "/opt/venv"
build-packages = ["make", "patch"]
"""
DOCKER = """\
#!/bin/sh
printf '%s\\n' "$*" >>'{log}'
for word in "$@"; do
    case $word in */docker-bake.json) cat "$word" >>'{log}' ;; esac
done
ls -lR '{temporary}' >>'{log}'
exec '{docker}' "$@"
"""


@dataclass(frozen=True)
class Machine:
    """A machine that builds: its settings, temporary files, and a log of what docker saw."""

    folder: Path
    company: Company | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    @property
    def log(self) -> str:
        return (self.folder / "docker.log").read_text()

    def imagegen(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "imagegen", *map(str, words)],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def machine(
    tmp_path_factory: pytest.TempPathFactory, engine: docker.DockerClient
) -> Iterator[Callable[..., Machine]]:
    """Make a machine within the company's network, or one without settings."""
    address = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    folder = tmp_path_factory.mktemp("company")
    with company(folder, address) as inside:

        def made(*, settings: bool) -> Machine:
            home = tmp_path_factory.mktemp("machine")
            one = Machine(home, inside if settings else None)
            for name in ("bin", "temporary", "config/imagegen"):
                (home / name).mkdir(parents=True)
            shim = home / "bin" / "docker"
            found = shutil.which("docker")
            shim.write_text(
                DOCKER.format(log=home / "docker.log", temporary=one.temporary, docker=found)
            )
            shim.chmod(0o755)
            if settings:
                (home / "config/imagegen/settings.toml").write_text(
                    f'[build]\nca-bundle = "{inside.bundle}"\nhttp-proxy = "{inside.proxy}"\n'
                    f'https-proxy = "{inside.proxy}"\nno-proxy = "localhost,.debian.org"\n'
                )
            one.environment.update(
                PATH=f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
                TMPDIR=str(one.temporary),
                XDG_CONFIG_HOME=str(home / "config"),
            )
            return one

        yield made


@dataclass(frozen=True)
class Packed:
    """The image of BLUEPRINT, who built it, and where its blueprint is."""

    image: str
    machine: Machine
    folder: Path


@pytest.fixture(scope="module")
def packed(
    tmp_path_factory: pytest.TempPathFactory,
    machine: Callable[..., Machine],
    engine: docker.DockerClient,
) -> Iterator[Packed]:
    folder = tmp_path_factory.mktemp("packed")
    name = f"test-{uuid.uuid4().hex[:8]}"
    (folder / "blueprint.toml").write_text(BLUEPRINT.format(name=name))
    # The builder goes by content: with this, nothing from here on is in its cache.
    (folder / "key.asc").write_text(f"{(APT / 'key.asc').read_text()}\n{name}\n")
    (folder / "requirements.txt").write_text(
        f"--index-url https://{HOST}/simple/\nimagegen-tiny == 1.0\n"
    )
    inside = machine(settings=True)
    done = inside.imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    yield Packed(f"{name}:local", inside, folder)
    for image in engine.images.list(name=name):
        engine.images.remove(image.id, force=True)


def said(engine: docker.DockerClient, image: str, script: str) -> list[str]:
    output: bytes = engine.containers.run(image, ["sh", "-c", script], remove=True)
    return output.decode().split()


def test_packages_are_installed_from_within_a_company_which_leaves_no_trace(
    packed: Packed,
    machine: Callable[..., Machine],
    engine: docker.DockerClient,
    tmp_path: Path,
) -> None:
    """All of one image in one test: tests are dealt out to workers, and building takes its time."""
    _packages_come_from_repositories_and_indexes_behind_the_proxy(packed, engine)
    _what_was_lent_is_gone_and_what_was_asked_for_stays(packed, engine)
    _nothing_of_caches_logs_and_the_requirements_stays(packed, engine)
    _neither_password_nor_certificate_is_in_a_layer_or_the_history(packed, engine, tmp_path)
    _no_command_line_and_no_bake_file_holds_the_password(packed)
    _the_way_to_the_network_changes_nothing_that_is_built(packed, machine, engine)


def _packages_come_from_repositories_and_indexes_behind_the_proxy(
    packed: Packed, engine: docker.DockerClient
) -> None:
    script = (
        "cat /usr/share/imagegen-tiny/said; command -v pip;"
        "python3 -c 'import imagegen_tiny, imagegen_other; print(imagegen_other.said)';"
        "ls /etc/apt/keyrings /etc/apt/sources.list.d"
    )
    assert said(engine, packed.image, script) == [
        *("tiny", "/opt/venv/bin/pip", "tiny"),
        *("/etc/apt/keyrings:", "tiny.asc", "/etc/apt/sources.list.d:"),
        *("debian.sources", "imagegen-release.sources", "tiny.sources"),
    ]
    assert packed.machine.company
    asked = packed.machine.company.asked
    assert f"CONNECT {HOST}:443" in asked
    assert f"GET http://{HOST}/released/./InRelease" in asked
    assert not any("debian" in one for one in asked)


def _what_was_lent_is_gone_and_what_was_asked_for_stays(
    packed: Packed, engine: docker.DockerClient
) -> None:
    script = "for program in patch make curl git python3; do command -v $program; done; true"
    assert said(engine, packed.image, script) == ["/usr/bin/patch", "/opt/venv/bin/python3"]
    automatic = said(
        engine, packed.image, "apt-mark showauto make patch; apt-mark showmanual patch"
    )
    assert automatic == ["patch"]


def _nothing_of_caches_logs_and_the_requirements_stays(
    packed: Packed, engine: docker.DockerClient
) -> None:
    script = "find /root /mnt /tmp /run/secrets /var/log /var/cache /var/lib/apt/lists -type f"
    there = said(engine, "debian:bookworm-slim", f"{script} 2>/dev/null; true")
    left = set(said(engine, packed.image, f"{script} 2>/dev/null; true")) - set(there)
    # debconf keeps its answers there, and the file before the last change.
    assert {one for one in left if not one.startswith("/var/cache/debconf/")} == set()


def _neither_password_nor_certificate_is_in_a_layer_or_the_history(
    packed: Packed, engine: docker.DockerClient, tmp_path: Path
) -> None:
    assert packed.machine.company
    certificate = packed.machine.company.bundle.read_text().splitlines()[5]
    marks = [PASSWORD.encode(), certificate.encode(), b"END_OF_CERTIFICATES"]
    image = engine.images.get(packed.image)
    saved = tmp_path / "image.tar"
    with saved.open("wb") as stream:
        stream.writelines(image.save())
    with tarfile.open(saved) as archive:
        seen = 0
        for member in archive:
            content = archive.extractfile(member)
            whole = content.read() if content else b""
            assert not [mark for mark in marks if mark in whole], member.name
            seen += len(whole)
    assert seen > 100_000_000
    told = json.dumps([image.history(), image.attrs]).encode()
    assert not [mark for mark in marks if mark in told]


def _no_command_line_and_no_bake_file_holds_the_password(packed: Packed) -> None:
    log = packed.machine.log
    assert "imagegen-network" in log
    assert re.search(r"^-rw------- .* network\.sh$", log, re.MULTILINE)
    assert PASSWORD not in log
    assert [*packed.machine.temporary.iterdir()] == []


def _the_way_to_the_network_changes_nothing_that_is_built(
    packed: Packed, machine: Callable[..., Machine], engine: docker.DockerClient
) -> None:
    built = engine.images.get(packed.image).id
    outside = machine(settings=False)
    again = outside.imagegen("build", packed.folder)
    assert "nothing to do: 1 variant up to date" in again.stdout
    forced = outside.imagegen("build", packed.folder, "--force")
    assert forced.returncode == 0, forced.stderr
    assert engine.images.get(packed.image).id == built


def test_a_build_that_fails_leaves_no_secret_and_covers_the_password(
    tmp_path: Path, machine: Callable[..., Machine]
) -> None:
    (tmp_path / "blueprint.toml").write_text(
        'blueprint = 1\nimage = { name = "test-fails", base = "debian:bookworm-slim" }\n'
        'packages.pip = ["x"]\n[packages.apt]\ninstall = ["patch+"]\n'
    )
    inside = machine(settings=True)
    done = inside.imagegen("build", tmp_path)
    assert done.returncode == 6
    assert "imagegen: patch+ was asked for, but is not installed" in done.stderr
    assert PASSWORD not in done.stderr + done.stdout
    assert [*inside.temporary.iterdir()] == []


NODE = """
blueprint = 1
image = {{ name = "{name}", base = {{ blueprint = "base.toml" }} }}
packages.npm = ["imagegen-tiny@1.0.0"]
"""
NODE_BASE = """
blueprint = 1
image = {{ name = "{name}-base", base = "debian:bookworm-slim" }}
[files]
"/etc/npmrc".text = "registry=https://packages.invalid/npm/\\n# {name}\\n"
"""


@pytest.mark.long
def test_npm_is_lent_and_node_stays(
    tmp_path: Path, machine: Callable[..., Machine], engine: docker.DockerClient
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    (tmp_path / "blueprint.toml").write_text(NODE.format(name=name))
    (tmp_path / "base.toml").write_text(NODE_BASE.format(name=name))
    done = machine(settings=True).imagegen("build", tmp_path)
    try:
        assert done.returncode == 0, done.stderr
        script = "imagegen-tiny; command -v node npm; ls -A /root /tmp | grep npm; true"
        assert said(engine, f"{name}:local", script) == ["tiny", "/usr/bin/node"]
    finally:
        for image in (*engine.images.list(name=name), *engine.images.list(name=f"{name}-base")):
            engine.images.remove(image.id, force=True)
