"""What a running container does of what the blueprint says of it."""

import io
import json
import shlex
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Box, Start, imagegen, wait_for

pytestmark = pytest.mark.container

BLUEPRINT = Path(__file__).parents[1] / "blueprints" / "running"
IMAGE = "test-running:local"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> Path:
    """The folder of a blueprint whose image is built by whichever worker comes first."""
    folder = tmp_path_factory.mktemp("copy") / "running"
    shutil.copytree(BLUEPRINT, folder)
    with once("running"):
        done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def box(running: Path, engine: docker.DockerClient) -> Iterator[Callable[..., Box]]:
    """Start a container as `imagegen run` does, with all that the blueprint says."""
    names: list[str] = []

    def run(**env: str) -> Box:
        name = f"test-{uuid.uuid4().hex[:8]}"
        names.append(name)
        variables = [word for key, value in env.items() for word in ("--env", f"{key}={value}")]
        done = imagegen("run", running, "--name", name, *variables)
        assert done.returncode == 0, done.stderr
        return Box(engine.containers.get(name))

    yield run
    for name in names:
        container = engine.containers.get(name)
        print(f"--- log of {name}\n{container.logs().decode()}")  # noqa: T201 -- pytest shows it
        container.remove(force=True, v=True)


# --- the engine -----------------------------------------------------------------------------------


def test_the_container_is_confined_as_the_blueprint_says(box: Callable[..., Box]) -> None:
    one = box(INSTANCE_ID="a").up()
    host: dict[str, Any] = one.container.attrs["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["CAP_KILL", "CAP_SETGID", "CAP_SETUID"] or sorted(host["CapAdd"]) == [
        "KILL",
        "SETGID",
        "SETUID",
    ]
    assert host["Memory"] == 256 * 2**20
    assert host["NanoCpus"] == 750_000_000
    assert one.sh("touch /x 2>&1").strip().endswith("Read-only file system")
    assert one.sh("touch /scratch/x && findmnt -n -o FSTYPE /scratch").strip() == "tmpfs"
    assert one.sh("ulimit -Sn; ulimit -Hn").split() == ["1000", "2000"]
    assert one.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start").strip() == "70"
    effective = int(one.sh("sed -n 's/CapBnd:\t//p' /proc/1/status"), 16)
    assert effective == 1 << 5 | 1 << 6 | 1 << 7  # KILL, SETGID, SETUID


def test_docker_takes_the_recipe_as_it_is_printed(running: Path) -> None:
    done = imagegen("run", running, "--print", "docker", "--env", "INSTANCE_ID=a")
    words = [word for word in shlex.split(done.stdout) if word != "\n"]
    words[words.index("--detach")] = "--rm"
    words[words.index("--name") + 1] = f"test-{uuid.uuid4().hex[:8]}"
    asked = subprocess.run(
        [*words, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert "70" in asked.stdout.splitlines()


def test_a_command_that_succeeds_at_once_is_no_failure_and_a_name_in_use_says_which(
    running: Path, engine: docker.DockerClient
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    words = ["--name", name, "--env", "INSTANCE_ID=a"]
    try:
        done = imagegen("run", running, *words, "true")
        assert done.returncode == 0, done.stderr
        assert f"started {name}" in done.stdout or f"{name} ran the command" in done.stdout
        engine.containers.get(name).wait()
        again = imagegen("run", running, *words)
        assert again.returncode == 5
        assert f"remove it (docker rm -f {name})" in again.stderr
    finally:
        engine.containers.get(name).remove(force=True, v=True)


# --- zone, locale, folder -------------------------------------------------------------------------


def test_zone_locale_and_folder_are_those_of_the_blueprint(box: Callable[..., Box]) -> None:
    one = box(INSTANCE_ID="a").up()
    assert one.sh("cat /scratch/zone").strip() in ("CET", "CEST")
    assert one.sh("env -u TZ date +%Z").strip() in ("CET", "CEST")
    assert one.sh("cat /etc/timezone").strip() == "Europe/Rome"
    assert one.sh("locale 2>&1 | grep LC_TIME").strip() == 'LC_TIME="de_DE.UTF-8"'
    assert one.sh("date -d 2024-03-05 +%A").strip() == "Dienstag"
    assert one.sh("dpkg -s locales 2>&1 | head -1").startswith("dpkg-query: ")
    assert one.sh("cat /scratch/pwd; pwd").split() == ["/srv/app", "/srv/app"]


# --- services -------------------------------------------------------------------------------------


def test_flags_come_from_variables_unless_they_are_given(box: Callable[..., Box]) -> None:
    one = box(INSTANCE_ID="-a b'$x", HUB="wss://other").up()
    assert one.sh("cat /scratch/argv").splitlines() == [
        *("--hub=ws://own", "--instance-id", "-a b'$x", "--level=info"),
    ]
    assert one.sh("cat /scratch/filled") == "<-a b'$x> ${LEVEL}\n"


def test_a_service_that_is_not_essential_gives_up_alone_and_at_its_limit(
    box: Callable[..., Box],
) -> None:
    one = box(INSTANCE_ID="a").up()
    wait_for(lambda: "fragile: gives up and stays down: 1 failures within 600 s" in one.log())
    assert one.state() == "UP"


def test_a_service_that_is_not_enabled_waits_until_it_is_asked_for(
    box: Callable[..., Box],
) -> None:
    one = box(INSTANCE_ID="a").up()
    sv = "SVDIR=/run/imagegen/sv sv"
    assert one.sh(f"{sv} status resting").startswith("down: ")
    assert one.sh(f"{sv} status extra").startswith("run: ")
    assert "ready" in one.sh("cat /scratch/polite")  # though it comes after one that rests
    one.sh(f"{sv} up resting")
    wait_for(lambda: one.sh("cat /run/imagegen/services/resting/state").startswith("up"))
    one.container.kill("SIGHUP")
    wait_for(lambda: one.log().count("imagegen: UP") == 2)
    assert one.sh(f"{sv} status resting").startswith("run: ")
    code, took = one.stop()
    assert (code, took < 10) == (0, True)
    assert "resting: stopped after" in one.log()


def test_a_service_is_stopped_by_its_own_signal(box: Callable[..., Box]) -> None:
    one = box(INSTANCE_ID="a").up()
    wait_for(lambda: "ready" in one.sh("cat /scratch/polite"))
    code, _ = one.stop()
    assert code == 0
    assert "farewell by quit" in one.log()


# --- variables ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("running")
def test_all_variables_that_are_wrong_are_told_at_once_and_no_secret(start: Start) -> None:
    one = start(IMAGE, env={"LEVEL": "loud\x07", "TOKEN": "open sesame", "HUB": "a\nb"})
    assert one.exit_code() == 78
    assert one.log().splitlines()[1:] == [
        "imagegen: HUB=a b does not match wss?://.+",
        "imagegen: INSTANCE_ID is required, and not set: which one it is",
        "imagegen: LEVEL=loud  does not match debug|info|warn",
        "imagegen: TOKEN does not match [0-9a-f]{8}",
        "imagegen: ERROR: the variables are not as they must be; exit code 78",
    ]


@pytest.mark.usefixtures("running")
def test_a_secret_may_come_in_a_file(start: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123abcd\n")
    mount = {str(tmp_path / "token"): {"bind": "/token", "mode": "ro"}}
    told = {"INSTANCE_ID": "a", "TOKEN_FILE": "/token"}
    options = {"volumes": mount, "tmpfs": {"/scratch": "", "/run/imagegen": ""}}
    start(IMAGE, env=told, **options).up()
    for env, said in (
        ({"TOKEN": "0123abcd"}, "TOKEN and TOKEN_FILE are both set: only one can be meant"),
        ({"TOKEN_FILE": "/nowhere"}, "TOKEN_FILE: /nowhere is no file that user 2143 can read"),
    ):
        wrong = start(IMAGE, env=told | env, **options)
        assert wrong.exit_code() == 78
        assert f"imagegen: {said}\n" in wrong.log()
        assert "0123abcd" not in wrong.log()


# --- every string comes out as it went in ---------------------------------------------------------

PARTS = [
    *"\"'\\$`{}()[]<>|&;#!*?~%=,:+@^- a/",
    *("ü", "€", "\U0001f600", "$HOME", "${PATH}", "$${", "${", "{{", "{{ x }}", "$(id)", "<<EOF"),
    *("\\n", "\\\\", "''", "# c", "-n", "--x", "%s", "&& exit", "; exit 1"),
]
MANY = 40


def strings(parts: list[str]) -> list[str]:
    """Make strings of all kinds, the same at each run."""
    made: dict[str, None] = dict.fromkeys(part for part in parts if part.strip())

    @settings(max_examples=4 * MANY, database=None, derandomize=True)
    @given(st.lists(st.sampled_from(parts), min_size=2, max_size=6).map("".join))
    def collect(text: str) -> None:
        if text.strip():
            made[text] = None

    collect()
    return [*made]


def toml(text: str) -> str:
    """Write a string of TOML as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(text: str, *, fills_in: bool = False) -> str:
    """Write a string so that it means itself, though {{ x }} and ${NAME} mean something there."""
    plain = text.replace("{{", "{{{{")
    return toml(plain.replace("${", "$${") if fills_in else plain)


SHOW = """#!/bin/sh
# show PLACE [WORD...]: writes down what has come in, for the test.
place=$1
shift
printf '%s\\0' "$@" >"/out/$place.argv"
env -0 >"/out/$place.env"
touch /out/done
"""


def hostile_blueprint(lines: list[str], texts: list[str]) -> str:
    numbered = list(enumerate(lines))
    env = [f"V{n} = {value(line, fills_in=True)}" for n, line in numbered]
    own = [f"C{n} = {value(line, fills_in=True)}" for n, line in numbered]
    words = ", ".join(value(line) for line in lines)
    return "\n".join(
        [
            'blueprint = 1\nimage.name = "test-hostile"\nimage.base = "debian:bookworm-slim"',
            'users.app.uid = 2143\npackages.apt = ["jq"]',
            *(f"image.labels.l{n} = {value(line)}" for n, line in numbered),
            *("[env]", *env, *(f"F{n} = {{}}" for n, _ in numbered)),
            *("[config.defaults]", *(f"{toml(t)} = {value(t)}" for t in texts)),
            '[files]\n"/show" = { file = "show" }\n"/out/" = { owner = "app" }',
            *(
                f'"/texts/{n}" = {{ text = {value(text)} }}'
                for n, text in enumerate(files_of(texts))
            ),
            "[services.s]",
            f'run = ["sh", "-c", \'/show service "$@"; exec sleep inf\', "s", {words}]',
            *("[services.s.env]", *own),
            *("[services.s.flags]", *(f'F{n} = "--f{n}="' for n, _ in numbered)),
            f'[jobs.j]\nrun = ["/show", "job", {words}]\n[jobs.j.env]',
            *own,
        ]
    )


def files_of(texts: list[str]) -> list[str]:
    """Some files, for an image has no more than 127 layers: the last has all that is left."""
    return [*texts[:20], "".join(texts[20:])]


def zeros(box: Box, path: str) -> list[str]:
    return box.sh(f"cat {path}").split("\0")[:-1]


def test_every_string_arrives_as_it_is_written(
    engine: docker.DockerClient, start: Start, tmp_path: Path, once: Callable[[str], FileLock]
) -> None:
    lines = strings(PARTS)
    texts = [text for text in strings([*PARTS, "\n", "\t", "\r", "\n\n"]) if text not in lines]
    (tmp_path / "blueprint.toml").write_text(hostile_blueprint(lines, texts))
    (tmp_path / "show").write_text(SHOW)
    (tmp_path / "show").chmod(0o755)
    with once("hostile"):
        done = imagegen("build", tmp_path)
    assert done.returncode == 0, done.stderr
    box = start("test-hostile:local", env={f"F{n}": line for n, line in enumerate(lines)}).up()

    labels = engine.images.get("test-hostile:local").labels
    assert [labels[f"l{n}"] for n, _ in enumerate(lines)] == lines
    flags = [f"--f{n}={line}" for n, line in enumerate(lines)]
    wait_for(lambda: "done" in box.sh("ls /out"))
    assert sorted(zeros(box, "/out/service.argv")) == sorted([*lines, *flags])
    box.sh("/usr/lib/imagegen/job j", user="app")
    assert zeros(box, "/out/job.argv") == lines
    for place in ("service", "job"):
        env = dict(pair.split("=", 1) for pair in zeros(box, f"/out/{place}.env"))
        assert [env[f"V{n}"] for n, _ in enumerate(lines)] == lines
        assert [env[f"C{n}"] for n, _ in enumerate(lines)] == lines
    assert json.loads(box.sh("imagegen-cfg")) == {text: text for text in texts}
    packed = box.container.get_archive("/texts")[0]
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed))) as archive:
        for number, text in enumerate(files_of(texts)):
            member = archive.extractfile(f"texts/{number}")
            assert member
            assert member.read().decode() == text
