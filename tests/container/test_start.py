"""What is laid down when a container starts, who gets a secret, and what is downloaded."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import docker
import pytest
import yaml
from filelock import FileLock
from web import served

from conftest import Box, Start, imagegen, wait_for

pytestmark = pytest.mark.container

BLUEPRINT = Path(__file__).parents[1] / "blueprints" / "start"
IMAGE = "test-start:local"
NEEDLE = "needle'\"$x *\n# 0f8a ü"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> str:
    """The image, built by whichever worker comes first."""
    folder = tmp_path_factory.mktemp("copy") / "start"
    shutil.copytree(BLUEPRINT, folder, symlinks=True)
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
    sessions = wait_for(
        lambda: box.sh("cut -d: -f1 /run/imagegen/services/named/sessions 2>/dev/null").strip()
    )
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
    assert box.sh("cat /etc/app/kept") == "kept"
    assert json.loads(box.sh("cat /etc/app/app.json"))["token"] == NEEDLE
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


# --- files ----------------------------------------------------------------------------------------

LOOK = "find /data /etc/app /opt -mindepth 1 -printf '%y %m %u:%g %p %l\\n' | sort -k 4"


def laid(box: Box) -> list[str]:
    return [line.rstrip() for line in box.sh(LOOK).splitlines()]


def test_files_are_laid_at_each_start_with_owner_and_mode(image: str, start: Start) -> None:
    box = start(image, env={"TOKEN": "t", "KEPT": "kept\n"}, volumes=["/data"]).up()
    there = [
        "f 644 root:root /data/app.ini",
        "d 750 other:other /data/empty",
        "l 777 root:root /data/link once",
        "d 755 app:app /data/new folder",
        "f 640 other:other /data/new folder/door",
        "f 644 root:root /data/once",
        "d 755 app:app /data/tree",
        "f 644 app:app /data/tree/one",
        "d 755 app:app /data/tree/sub",
        "l 777 root:root /data/tree/sub/link ../one",
        "f 755 app:app /data/tree/sub/two",
        "f 600 app:app /etc/app/app.json",
        "f 600 app:app /etc/app/kept",
        "f 644 root:root /opt/once",
    ]
    assert laid(box) == there
    assert box.sh("cat '/data/new folder/door'; cat /etc/app/kept") == "frontkept\n"
    written = json.loads(box.sh("cat /etc/app/app.json"))
    assert written == {"token": "t", "port": 8080, "not": "${TOKEN}"}

    # What was changed or taken away is there again at the next start, but for what is laid once.
    box.sh(
        "echo mine | tee /data/app.ini /data/tree/one /data/once /opt/once;"
        "rm /data/tree/sub/two /data/link"
    )
    box.container.restart(timeout=40)
    box.up()
    assert laid(box) == there
    assert box.sh("cat /data/app.ini /data/tree/one /data/once /opt/once").split("\n")[:-1] == [
        *("[app]", "name = plain", "one", "mine", "mine"),
    ]


def test_hup_fills_in_anew_and_a_wrong_value_touches_nothing(
    image: str, start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "cfg.json"
    config.write_text('{"name": "first"}')
    mounts = {str(tmp_path): {"bind": "/cfg", "mode": "ro"}}
    box = start(image, env={"TOKEN": "t", "CFG_FILE": "/cfg/cfg.json"}, volumes=mounts).up()
    config.write_text('{"name": "second"}')
    box.container.kill("SIGHUP")
    wait_for(lambda: "name = second" in box.sh("cat /data/app.ini"))
    wait_for(lambda: box.log().count("imagegen: UP") == 2)
    config.write_text('{"name": "a\\nb"}')
    box.container.kill("SIGHUP")
    said = (
        "imagegen: /data/app.ini: cfg.name holds a line break, which no value of an INI file can\n"
    )
    wait_for(lambda: said in box.log())
    assert "name = second" in box.sh("cat /data/app.ini")
    assert box.state() == "UP"


def test_a_link_that_a_service_planted_is_not_followed(image: str, start: Start) -> None:
    box = start(image, env={"TOKEN": "t"}, volumes=["/data"]).up()
    box.sh(
        "cd /data; rm -rf tree app.ini 'new folder';"
        "ln -s /etc tree; ln -s /etc 'new folder'; ln -s /etc/passwd app.ini",
        user="app",
    )
    before = box.sh("cat /etc/passwd; ls /etc")
    box.container.restart(timeout=40)
    assert box.exit_code() == 73
    lines = box.log().splitlines()
    assert "imagegen: /data/tree is a symbolic link, and is not followed" in lines
    assert "imagegen: /data/new folder is a symbolic link, and is not followed" in lines
    assert lines[-1] == "imagegen: ERROR: not everything could be laid down; exit code 73"

    # The name itself is taken back from whoever made a link of it.
    other = start(image, volumes_from=[box.container.id], entrypoint=["sleep", "inf"])
    other.sh("rm /data/tree '/data/new folder'")
    box.container.start()
    box.up()
    assert box.sh("cat /etc/passwd; ls /etc") == before
    assert "name = plain" in box.sh("cat /data/app.ini")
    assert box.sh("stat -c %F /data/app.ini").strip() == "regular file"


def test_what_is_itself_mounted_is_left_alone(image: str, start: Start, tmp_path: Path) -> None:
    for name in ("app.json", "kept"):
        (tmp_path / name).write_text("mine")
    mounts = {
        str(tmp_path / name): {"bind": f"/etc/app/{name}", "mode": "rw"}
        for name in ("app.json", "kept")
    }
    box = start(image, env={"TOKEN": "t", "KEPT": "k"}, volumes=mounts).up()
    assert box.sh("cat /etc/app/app.json /etc/app/kept") == "minemine"


@pytest.mark.parametrize("user", ["2143", "1000660000:0"])
def test_without_root_files_belong_to_who_runs(
    image: str, start: Start, tmp_path: Path, user: str
) -> None:
    mounts = {}
    for place in ("opt", "data", "etc/app"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place).chmod(0o777)
        mounts[str(tmp_path / place)] = {"bind": f"/{place}"}
    tmpfs = {"/tmp": ""}  # noqa: S108
    options = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
    box = start(image, user=user, tmpfs=tmpfs, env={"TOKEN": "t"}, volumes=mounts, **options)
    for time_of_start in (1, 2):
        wait_for(lambda n=time_of_start: box.log().count("imagegen: UP") == n)
        uid = user.partition(":")[0]
        assert box.sh("stat -c '%u %a' /etc/app/app.json /data/tree/sub/two").splitlines() == [
            f"{uid} 600",
            f"{uid} 755",
        ]
        code, took = box.stop()
        assert (code, took < 10) == (0, True)
        box.container.start()


def test_a_place_that_cannot_be_written_is_told_in_one_line(image: str, start: Start) -> None:
    began = time.monotonic()
    box = start(image, read_only=True, env={"TOKEN": "t"}, tmpfs={"/run/imagegen": ""})
    assert box.exit_code() == 73
    assert time.monotonic() - began < 10
    assert box.log().splitlines()[1:] == [
        "imagegen: /etc/app cannot be made: Read-only file system",
        "imagegen: /opt/once cannot be written: Read-only file system",
        "imagegen: ERROR: not everything could be laid down; exit code 73",
    ]


# --- values in files ------------------------------------------------------------------------------

VALUES = [
    *(
        "",
        "plain",
        "two words",
        " blanks at both ends ",
        "tab\there",
        "'",
        '"',
        "\\",
        "\\n",
        "$HOME",
    ),
    *(
        "$(id)",
        "`id`",
        "${NOT}",
        "*",
        "%s %%",
        "a % b",
        "]]>",
        "<a href='x'>&amp;</a>",
        "-->",
        "--",
    ),
    *(
        "# no comment",
        "a # b",
        "; no comment",
        "a: b",
        "- a",
        "{a}",
        "[a]",
        "!x",
        "&x",
        "|",
        ">",
        "@x",
    ),
    *(
        "two\nlines",
        "\nfirst",
        "last\n",
        "a\r\nb",
        "a\rb",
        "\u0085\u2028\u2029",
        "ü€\U0001f600",
        "\ufeff",
    ),
    *(
        "true ",
        "null",
        "~",
        "yes",
        "0x1f",
        "1e5",
        "012",
        "1_000",
        "-",
        "=",
        "a=b",
        "EOF",
        "\x7f",
        "}",
    ),
    "'\"'\"\\$`!*?[]{}()<>|&;#~%=,:+@^-/",
]
TEMPLATES = {
    "json": ("[", '{{"quoted": "<${{{0}}}>", "value": ${{{0}}}, "ok": 1}}', ",\n", "]\n"),
    "yaml": (
        "",
        (
            '- quoted: "<${{{0}}}>"\n  value: ${{{0}}}  # ${{{0}}}\n'
            '  flow: [${{{0}}}, "${{{0}}}"]\n  ok: 1\n'
        ),
        "",
        "",
    ),
    "xml": (
        "<r>",
        (
            "<a b=\"${{{0}}}\" c='${{{0}}}'><!-- ${{{0}}} -->"
            "<d>${{{0}}}</d><e><![CDATA[${{{0}}}]]></e></a>\n"
        ),
        "",
        "</r>",
    ),
    "sh": (
        "#!/bin/sh\n",
        (
            "# ${{{0}}}\n"
            'a=${{{0}}} b="<${{{0}}}>" c=\'${{{0}}}\' d=$(printf %s "${{{0}}}"; echo x)\n'
            'printf \'%s\\0\' "$a" "$b" "$c" "$d"\n'
        ),
        "",
        "",
    ),
    "text": ("", "<${{{0}}}>", "\n=====\n", ""),
}


def template(kind: str) -> str:
    """Write a file of that format with every variable in all places that a value may have."""
    head, item, between, tail = TEMPLATES[kind]
    return head + between.join(item.format(f"V{n}") for n, _ in enumerate(VALUES)) + tail


def read_as(kind: str, content: str) -> list[list[object]]:
    """Read a filled-in file with a reader of its format: for each variable what is found of it."""
    if kind == "json":
        return [[one["quoted"][1:-1], one["value"]] for one in json.loads(content)]
    if kind == "yaml":
        read = yaml.safe_load(content)
        return [[one["quoted"][1:-1], one["value"], *one["flow"]] for one in read]
    if kind == "xml":
        root = ET.fromstring(content)  # noqa: S314 -- imagegen wrote it
        return [[a.get("b"), a.get("c"), a.findtext("d"), a.findtext("e")] for a in root]
    if kind == "sh":
        done = subprocess.run(["sh", "-c", content], capture_output=True, check=True, env={})
        said = done.stdout.decode().split("\0")[:-1]
        fours = zip(*[iter(said)] * 4, strict=True)
        return [[a, b[1:-1], c, d.removesuffix("x")] for a, b, c, d in fours]
    return [[one[1:-1]] for one in content.split("\n=====\n")]


def test_every_value_comes_out_of_every_format_as_it_went_in(
    start: Start, tmp_path: Path, once: Callable[[str], FileLock]
) -> None:
    lines = [
        'blueprint = 1\nimage.name = "test-filled"\nimage.base = "debian:bookworm-slim"',
        'users.app.uid = 2143\nservices.s.run = ["sleep", "inf"]',
        *(f"env.V{n}.secret = {str(n % 2 == 1).lower()}" for n, _ in enumerate(VALUES)),
    ]
    for kind in TEMPLATES:
        (tmp_path / kind).write_text(template(kind))
        lines.append(
            f'files."/filled/{kind}" = {{ file = "{kind}", render = true, format = "{kind}" }}'
        )
    (tmp_path / "blueprint.toml").write_text("\n".join(lines))
    with once("filled"):
        done = imagegen("build", tmp_path)
    assert done.returncode == 0, done.stderr
    box = start("test-filled:local", env={f"V{n}": value for n, value in enumerate(VALUES)}).up()
    packed = box.container.get_archive("/filled")[0]
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed))) as archive:
        for kind in TEMPLATES:
            member = archive.extractfile(f"filled/{kind}")
            assert member
            found = read_as(kind, member.read().decode())
            for value, places in zip(VALUES, found, strict=True):
                assert places == [value] * len(places), kind


# --- downloads ------------------------------------------------------------------------------------

ARCHIVE = "app.tar.gz"
NETRC = "machine mirror.test login reader password pass-needle-0f8a\n"


def downloading(address: str, more: str = "") -> str:
    return f"""
blueprint = 1
image = {{ name = "test-downloads", base = "debian:bookworm-slim" }}
users.app.uid = 2143
volumes.data = "/data"
env.MIRROR = {{ secret = true }}
services.s.run = ["sleep", "inf"]
{more}
[downloads.pinned]
fetch = "{address}/files/pinned"
checksum = "sha256:{hashlib.sha256(b"pinned").hexdigest()}"
to = "/data/deep/pinned"
owner = "app"
mode = "0640"
[downloads.summed]
fetch = "{address}/auth/files/summed"
checksum = "md5:{address}/auth/files/summed.md5"
netrc = "MIRROR"
headers = {{ Accept = "text/plain" }}
to = "/data/summed"
[downloads.free]
fetch = "{address}/redirect/busy/files/free"
to = "/opt/free"
[downloads.unpacked]
fetch = "{address}/files/{ARCHIVE}"
to = "/data/unpacked"
owner = "app"
unpack = true
strip = 1
"""


def archive(**content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in content.items():
            member = tarfile.TarInfo(f"app-1/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """The files of a web server, and its address."""
    folder = tmp_path / "web"
    (folder / "files").mkdir(parents=True)
    for name in ("pinned", "summed", "free"):
        (folder / "files" / name).write_text(name)
    (folder / "files/summed.md5").write_text(f"{hashlib.md5(b'summed').hexdigest()}  summed\n")  # noqa: S324
    (folder / "files" / ARCHIVE).write_bytes(archive(one="one", two="two"))
    with served(folder) as address:
        yield folder / "files", address


SHOWN = (
    "cd /data; head -n 9 deep/pinned summed unpacked/one unpacked/two /opt/free 2>&1 | tr -s '\\n'"
)


def test_downloads_are_fetched_kept_and_renewed(
    start: Start, tmp_path: Path, once: Callable[[str], FileLock], web: tuple[Path, str]
) -> None:
    files, address = web
    blueprint = tmp_path / "image"
    blueprint.mkdir()
    (blueprint / "blueprint.toml").write_text(downloading("http://mirror.test"))
    with once("downloads"):
        done = imagegen("build", blueprint)
    assert done.returncode == 0, done.stderr
    image = "test-downloads:local"
    env = {"MIRROR": NETRC, "http_proxy": address}

    # Nothing can be had and nothing is there: 75, and no part of anything under its name.
    alone = start(image, env=env, network_mode="none")
    assert alone.exit_code() == 75
    log = alone.log()
    for name in ("pinned", "summed", "free", "unpacked"):
        assert f"{name}: " in log
    assert log.splitlines()[-1].endswith("not everything could be downloaded; exit code 75")

    box = start(image, env=env, volumes=["/data"]).up()
    there = box.sh(SHOWN)
    for word in ("pinned", "summed", "one", "two", "free"):
        assert f"\n{word}" in there
    look = "stat -c '%a %U:%G' /data/deep/pinned /data/summed /opt/free /data/unpacked/one"
    assert box.sh(look).splitlines() == [
        "640 app:app",
        "644 root:root",
        "644 root:root",
        "644 app:app",
    ]
    assert "pass-needle" not in box.log() + box.sh("grep -rla pass-needle /run /data /opt || :")
    assert box.log().count("is downloaded") == 4

    # Looked at again on HUP: what has changed is replaced, what is broken is not.
    (files / "free").write_text("other")
    (files / "summed").write_text("broken")
    (files / ARCHIVE).write_bytes(archive(one="newer")[:-40])
    box.container.kill("SIGHUP")
    wait_for(lambda: box.log().count("imagegen: UP") == 2)
    there = box.sh(SHOWN)
    for word in ("pinned", "summed", "one", "two", "other"):
        assert f"\n{word}" in there
    assert "unpacked: " in box.log()
    assert "goes on with what is there" in box.log()
    (files / ARCHIVE).write_bytes(archive(one="newer"))
    (files / "pinned").unlink()  # a verified copy needs no server
    box.container.restart(timeout=40)
    box.up()
    assert "\nnewer" in box.sh(SHOWN)
    assert not box.sh("find /data /opt -name '.imagegen-*-*' -o -name '*.archive' -o -name '*.new'")

    # Without a network, what is there will do; and what is changed from what is pinned will not.
    off = start(image, env=env, volumes_from=[box.container.id], network_mode="none")
    assert off.exit_code() == 75  # /opt/free is not on the volume
    assert "summed: " in off.log()
    none = start(image, env={**env, "IMAGEGEN_DOWNLOADS": "off"}, network_mode="none").up()
    assert "IMAGEGEN_DOWNLOADS=off" in none.log()
    box.sh("echo spoilt >/data/deep/pinned")
    box.container.restart(timeout=40)
    assert box.exit_code() == 75
    assert "pinned: /data/deep/pinned: " in box.log()
