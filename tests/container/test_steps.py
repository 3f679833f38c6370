"""Steps for real: what they fetch, clone, copy and are lent, and that nothing else is left."""

import base64
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import docker
import pytest
from filelock import FileLock
from web import HEADER, PASSWORD, USER, address, served

from conftest import imagegen
from imagegen.render import sources

pytestmark = pytest.mark.container

TOKEN = "token-needle-6b21"  # noqa: S105 -- it is looked for in every layer
LENT = "lent-needle-93d7"
CACHED = "cached-needle-71ce"
OWN = "own-needle-4e05"
OUTSIDE = "outside-needle-c3f8"
STAGES = Path(sources.__file__).parent / "stages"
LONG_AGO = "2020-01-02T03:04:05Z"


# --- what the server has --------------------------------------------------------------------------


@dataclass
class Site:
    """A folder to be served."""

    folder: Path

    def file(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def checksum(self, name: str) -> str:
        return f"sha256:{hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}"


def git(folder: Path, *words: str) -> str:
    who = {
        f"GIT_{w}_{k}": "test@example.org"
        for w in ("AUTHOR", "COMMITTER")
        for k in ("NAME", "EMAIL")
    }
    when = {f"GIT_{w}_DATE": LONG_AGO for w in ("AUTHOR", "COMMITTER")}
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-C", folder, *words],
        env={**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tar(mode: str, members: Mapping[str, bytes | str | int]) -> bytes:
    """Make an archive. A text is the target of a link, a number makes a pipe."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.uid = member.gid = 4711
            member.mode = 0o4777
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
                continue
            member.type = tarfile.SYMTYPE if isinstance(content, str) else tarfile.FIFOTYPE
            member.linkname = content if isinstance(content, str) else ""
            archive.addfile(member)
    return out.getvalue()


def packed(members: Mapping[str, bytes | str]) -> bytes:
    """Make a zip. A text is the target of a link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            kind = stat.S_IFREG if isinstance(content, bytes) else stat.S_IFLNK
            member.external_attr = (kind | 0o777) << 16
            archive.writestr(member, content)
    return out.getvalue()


APP = {"app-1/bin/run": b"#!/bin/sh\necho run\n", "app-1/link": "bin/run", "app-1/lib/a": b"a"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.file("tool", b"#!/bin/sh\necho tool\n")
    site.file("lent.txt", LENT.encode())
    for kind in ("gz", "bz2", "xz"):
        site.file(f"app.tar.{kind}", tar(f"w:{kind}", APP))
    site.file("download", packed(APP))
    site.file("absolute.tar", tar("w", {"/abs/file": b"x", "/etc/link": "/etc/passwd"}))
    site.file("dots.tar", tar("w", {"a": b"a", "../../../outside": OUTSIDE.encode()}))
    site.file("dots.zip", packed({"a": b"a", "../../../outside": OUTSIDE.encode()}))
    through = {"way": "/usr/local/bin", "way/outside": OUTSIDE.encode()}
    site.file("through.tar", tar("w", through))
    site.file("through.zip", packed(through))
    site.file("pipe.tar", tar("w", {"a": b"a", "pipe": 1}))
    repositories(site.folder)
    return site


def repositories(folder: Path) -> None:
    """Make app.git with a submodule, a tag on an older state and a branch; also as mere files."""
    work = folder / "work"
    (folder / "git").mkdir()
    (work / "lib").mkdir(parents=True)
    git(work / "lib", "init", "-q", "-b", "main")
    (work / "lib" / "inside").write_text("of the library\n")
    git(work / "lib", "add", ".")
    git(work / "lib", "commit", "-qm", "lib")
    git(folder, "clone", "-q", "--bare", str(work / "lib"), "git/lib.git")
    (work / "app").mkdir()
    git(work / "app", "init", "-q", "-b", "main")
    git(work / "app", "remote", "add", "origin", str(folder / "git" / "app.git"))
    for number in ("1", "2", "3"):
        (work / "app" / "version").write_text(number)
        (work / "app" / "run").write_text("#!/bin/sh\n")
        (work / "app" / "run").chmod(0o755)
        if number == "1":
            git(
                work / "app",
                "submodule",
                "--quiet",
                "add",
                str(folder / "git/lib.git"),
                "third/lib",
            )
            git(
                work / "app", "config", "-f", ".gitmodules", "submodule.third/lib.url", "../lib.git"
            )
        git(work / "app", "add", ".")
        git(work / "app", "commit", "-qm", LENT)
        if number == "2":
            git(work / "app", "tag", "-a", "-m", "two", "v2")
    git(folder, "clone", "-q", "--bare", str(work / "app"), "git/app.git")
    shutil.copytree(folder / "git", folder / "files")
    for name in ("app", "lib"):
        git(folder / "files" / f"{name}.git", "update-server-info")


# --- one image of everything ----------------------------------------------------------------------

EVERYTHING = """
blueprint = 1
image = {{ name = "{name}", base = "debian:bookworm-slim" }}

[users.app]
uid = 1800
gid = 1801
home = "/srv/app"
shell = "/bin/bash"
groups = ["adm", "extra"]

[secrets]
token = {{ env = "STEPS_TOKEN" }}
mirror = {{ file = "secret/netrc" }}

[[steps]]
name = "password"
fetch = "{site}/auth/tool"
checksum = "{tool}"
netrc = "mirror"
to = "/opt/tool"
owner = "app"
mode = "0751"

[[steps]]
name = "header"
fetch = "{site}/redirect/header/tool"
checksum = "{tool}"
headers = {{ {header} = "{value}" }}
to = "/opt/in/"
mode = "0755"

[[steps]]
name = "bad-moment"
fetch = "{site}/busy/lent.txt?x=1"
checksum = "{lent}"
run = "cp lent.txt again; cmp lent.txt again; wc -c <lent.txt >/lent; test ! -e command"

{archives}

[[steps]]
name = "zip"
fetch = "{site}/download"
checksum = "{zip}"
unpack = true
strip = 2
to = "/opt/zip"
mode = "0640"
owner = "app"

[[steps]]
name = "absolute"
fetch = "{site}/absolute.tar"
checksum = "{absolute}"
unpack = true
to = "/opt/absolute"

[[steps]]
name = "tag"
git = "{site}/git/app.git"
ref = "v2"
netrc = "mirror"
to = "/opt/tag"
owner = "app"

[[steps]]
name = "commit"
git = "{site}/git/app.git"
ref = "{commit}"
netrc = "mirror"
user = "app"
run = '''
cat version third/lib/inside >/tmp/commit
: >made
rm -r third
'''

[[steps]]
name = "plain-files"
git = "{site}/files/app.git"
ref = "{commit}"
to = "/opt/plain-commit"

[[steps]]
git = "{site}/files/app.git"
ref = "v2"
to = "/opt/plain-tag"

[[steps]]
name = "own"
copy = [".."]
exclude = ["out"]
user = "app"
run = "echo more >>own; pwd >/tmp/own; ls -A . docker >>/tmp/own"

[[steps]]
name = "kept"
copy = [".."]
to = "/opt/kept"

[[steps]]
name = "lent-everything"
run = '''
make --version >/dev/null
id -un >>~/.cache/who
printf '%s%s' {cached} >>~/.cache/x
sha256sum </run/secrets/token >~/token
'''
user = "app"
timeout = "5m"
build-packages = ["make"]
secrets = ["token"]
cache = ["/srv/app/.cache"]
env = {{ PATH = "/opt/in:${{PATH}}" }}

[[steps]]
name = "purged"
run = 'test -z "$(command -v make curl git)"; tool >/ran'
env = {{ PATH = "/opt/in:${{PATH}}" }}

[[steps]]
name = "literal"
run = 'printf "%s" "$LITERAL" >/literal'
env = {{ LITERAL = "$(id) `id` $HOME ${{HOME}}" }}

[[steps]]
dockerfile = '''
RUN echo raw >/raw
'''

[files]
"/etc/app/" = {{ owner = "app", mode = "0750" }}
"/etc/app/text" = {{ text = "text\\n", mode = "0400", owner = "app" }}
"/etc/app/link".link = "text"
"/etc/app/file".file = "../own"
"/etc/app/folder/".file = ".."
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git work tree with the folder of a blueprint, in which a secret lies."""
    tree = tmp_path_factory.mktemp("project")
    (tree / ".git").mkdir()
    (tree / ".git" / "config").write_text(OWN)
    (tree / "own").write_text("own\n")
    (tree / "docker" / "secret").mkdir(parents=True)
    machine = urlsplit(f"http://{address()}").hostname
    (tree / "docker" / "secret" / "netrc").write_text(
        f"machine {machine}\nlogin {USER}\npassword {PASSWORD}\n"
    )
    return tree


@dataclass(frozen=True)
class Image:
    """An image: what lies in it, and every byte that it is made of."""

    name: str

    @property
    def tools(self) -> str:
        """Name the image of the stage that downloads."""
        return self.name.replace(":local", ":tools")

    def sh(self, script: str) -> str:
        done = subprocess.run(
            ["docker", "run", "--rm", "--user", "root", self.name, "sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def listed(self, *places: str) -> dict[str, str]:
        """List files below places: "MODE USER:GROUP SIZE" or the target of a link."""
        found = self.sh(
            f"find {' '.join(places)} '(' -type l -printf '%p|-> %l\\n' ')' "
            "-o -printf '%p|%m %U:%G\\n'"
        )
        return dict(line.split("|") for line in found.splitlines())

    @cached_property
    def saved(self) -> bytes:
        return subprocess.run(["docker", "save", self.name], capture_output=True, check=True).stdout

    def names(self) -> Iterator[str]:
        """Name every file of every layer."""
        with tarfile.open(fileobj=io.BytesIO(self.saved)) as whole:
            stream = whole.extractfile("manifest.json")
            assert stream
            for name in json.load(stream)[0]["Layers"]:
                layer = whole.extractfile(name)
                assert layer
                with tarfile.open(fileobj=io.BytesIO(layer.read())) as files:
                    yield from files.getnames()


ARCHIVE = """
[[steps]]
name = "{kind}"
fetch = "{site}/app.tar.{kind}"
checksum = "{checksum}"
unpack = true
strip = 1
to = "/opt/{kind}"
"""


def everything(name: str, at: str, site: Site) -> str:
    archives = (
        ARCHIVE.format(kind=kind, site=at, checksum=site.checksum(f"app.tar.{kind}"))
        for kind in ("gz", "bz2", "xz")
    )
    return EVERYTHING.format(
        name=name,
        site=at,
        tool=site.checksum("tool"),
        lent=site.checksum("lent.txt"),
        zip=site.checksum("download"),
        absolute=site.checksum("absolute.tar"),
        archives="".join(archives),
        commit=git(site.folder / "git" / "app.git", "rev-parse", "main~2"),
        header=HEADER[0],
        value=HEADER[1],
        cached=CACHED.replace("-", "- ", 1),
    )


@pytest.fixture(scope="module")
def built(
    project: Path,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    once: Callable[[str], FileLock],
    engine: docker.DockerClient,
) -> Iterator[Image]:
    """The image of everything, built by whichever worker comes first; the last takes it away."""
    users = tmp_path_factory.getbasetemp().parent / "steps-users"
    with once("steps"):
        using = users.read_text().split() if users.exists() else []
        image = Image(using[0] if using else f"steps-test-{uuid.uuid4().hex[:8]}:local")
        if not using:
            _build(image, project, site)
        users.write_text(" ".join([image.name, *using]))
    yield image
    with once("steps"):
        left = users.read_text().split()[1:]
        users.write_text(" ".join(left))
        if not left:
            images = {one.id for one in engine.images.list(name=image.name.partition(":")[0])}
            for one in images:
                engine.images.remove(one, force=True)


def _build(image: Image, project: Path, site: Site) -> None:
    """Build it, and the stage of the tools as an image of its own."""
    blueprint = project / "docker" / "blueprint.toml"
    with served(site.folder) as at:
        blueprint.write_text(everything(image.name.removesuffix(":local"), at, site))
        os.environ["STEPS_TOKEN"] = TOKEN
        done = imagegen("build", blueprint)
        assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stderr
    assert TOKEN not in done.stderr
    context = project.parent / "context"
    assert imagegen("render", blueprint, "--output", context).returncode == 0
    subprocess.run(
        ["docker", "build", "-q", "--target", "downloads", "-t", image.tools, context / "default"],
        capture_output=True,
        check=True,
    )


# --- what the image holds -------------------------------------------------------------------------


def test_what_is_fetched_lies_where_it_should(built: Image) -> None:
    assert built.listed("/opt/tool", "/opt/in") == {
        "/opt/tool": "751 1800:1801",
        "/opt/in": "755 0:0",
        "/opt/in/tool": "755 0:0",
    }
    assert built.sh("cat /opt/tool") == "#!/bin/sh\necho tool\n"


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_an_archive_is_unpacked_without_what_is_dangerous(built: Image, kind: str) -> None:
    place = f"/opt/{kind}"
    assert built.listed(place) == {
        place: "755 0:0",
        f"{place}/bin": "755 0:0",
        f"{place}/bin/run": "755 0:0",
        f"{place}/lib": "755 0:0",
        f"{place}/lib/a": "755 0:0",
        f"{place}/link": "-> bin/run",
    }


def test_a_zip_gets_the_modes_and_the_owner_that_were_asked_for(built: Image) -> None:
    assert built.listed("/opt/zip") == {
        "/opt/zip": "755 1800:1801",
        "/opt/zip/a": "640 1800:1801",
        "/opt/zip/run": "640 1800:1801",
    }


def test_absolute_names_of_an_archive_are_taken_as_below_the_folder(built: Image) -> None:
    found = built.listed("/opt/absolute")
    assert found["/opt/absolute/abs/file"] == "755 0:0"
    assert found["/opt/absolute/etc/link"] == "-> /etc/passwd"
    assert built.sh("ls -d /abs 2>/dev/null || echo none") == "none\n"


def test_a_repository_comes_without_history_and_with_its_submodules(built: Image) -> None:
    found = built.listed("/opt/tag")
    assert found["/opt/tag/run"] == "755 1800:1801"
    assert found["/opt/tag/version"] == "644 1800:1801"
    assert "/opt/tag/third/lib/inside" in found
    assert not [path for path in found if path.endswith("/.git")]
    assert built.sh("cat /opt/tag/version /tmp/commit") == "21of the library\n"
    assert built.sh("stat -c %Y /opt/tag/version") == "1577934245\n"


def test_a_server_without_git_s_own_protocol_will_do(built: Image) -> None:
    assert built.sh("cat /opt/plain-commit/version /opt/plain-tag/version") == "12"
    assert "/opt/plain-tag/third/lib/inside" in built.listed("/opt/plain-tag")


def test_own_files_are_those_of_the_project_without_secrets(built: Image) -> None:
    lent = ["/mnt/source", ".:", "docker", "own", "", "docker:", "blueprint.toml"]
    assert built.sh("cat /tmp/own").splitlines() == lent
    kept = {"/opt/kept", "/opt/kept/own", "/opt/kept/docker", "/opt/kept/docker/blueprint.toml"}
    assert set(built.listed("/opt/kept")) == kept
    assert built.sh("cat /opt/kept/own /etc/app/file /etc/app/folder/own") == "own\n" * 3


def test_a_command_gets_what_it_is_lent(built: Image) -> None:
    assert built.sh("cat /lent /raw") == f"{len(LENT)}\nraw\n"
    assert (
        built.sh("cut -c 1-64 /srv/app/token") == hashlib.sha256(TOKEN.encode()).hexdigest() + "\n"
    )
    assert built.sh("cat /ran") == "tool\n"


def test_variables_of_a_step_name_those_of_the_build_and_run_nothing(built: Image) -> None:
    assert built.sh("cat /literal") == "$(id) `id` $HOME /root"


def test_users_are_made_as_declared(built: Image) -> None:
    said = built.sh("getent passwd app; id -Gn app; stat -c '%U:%G' /srv/app")
    assert said == "app:x:1800:1801::/srv/app:/bin/bash\napp adm extra\napp:app\n"


def test_files_and_folders_of_the_blueprint_are_laid(built: Image) -> None:
    found = built.listed("/etc/app")
    assert found["/etc/app"] == "750 1800:1801"
    assert found["/etc/app/text"] == "400 1800:1801"
    assert found["/etc/app/link"] == "-> text"


def test_nothing_else_is_in_any_layer(built: Image) -> None:
    """Neither secrets, nor sources that were lent, nor tools: not in files, history or config."""
    code = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    for needle in (TOKEN, PASSWORD, code.decode(), LENT, CACHED, OWN):
        assert needle.encode() not in built.saved, needle
    names = set(built.names())
    assert "opt/tool" in names
    for tool in ("make", "curl", "git", "unzip", "xz"):
        assert f"usr/bin/{tool}" not in names, tool
    assert not [name for name in names if name.startswith(("mnt/", "step", "run/secrets/"))]


def test_the_stages_hold_what_is_looked_for(built: Image) -> None:
    """So that the test above is known to be able to find something."""
    assert b"usr/bin/curl" in Image(built.tools).saved


# --- what goes wrong ------------------------------------------------------------------------------

FETCHED = "/mnt/fetch name none"
ARCHIVED = "/mnt/fetch name none {site}/%s archive && /mnt/unpack name archive %s"
WRONG = {
    "a password is wanted": (f"{FETCHED} {{site}}/auth/tool tool", "curl ended with 22"),
    "nobody is there": (
        f"{FETCHED} http://127.0.0.1:9/x x --retry 0",
        "http://127.0.0.1:9/x: could not be fetched: curl ended with 7",
    ),
    "a redirect to a file": (f"{FETCHED} file:///etc/passwd x", "curl ended with 1"),
    "a branch": (
        "/mnt/clone name {site}/files/app.git main",
        "there is no tag main; a branch moves, so name a tag, or all 40 digits of a commit",
    ),
    "an unknown commit": (
        f"/mnt/clone name {{site}}/files/app.git {'0' * 40}",
        f"there is no commit {'0' * 40}",
    ),
    "dots in a tar": (
        ARCHIVED % ("dots.tar", 0),
        "holds a name that leads out of the archive: ../../../outside",
    ),
    "dots in a zip": (
        ARCHIVED % ("dots.zip", 0),
        "holds a name that leads out of the archive: ../../../outside",
    ),
    "through a link of a tar": (ARCHIVED % ("through.tar", 0), "was not unpacked"),
    "through a link of a zip": (ARCHIVED % ("through.zip", 0), "was not unpacked"),
    "a pipe": (ARCHIVED % ("pipe.tar", 0), "holds a device, pipe or socket: pipe"),
    "no archive": (ARCHIVED % ("tool", 0), "is no archive that tar can read"),
    "too many folders": (ARCHIVED % ("download", 7), "has nothing left without its first folders"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_be_had_is_told_in_a_line_and_leaves_nothing(
    built: Image, site: Site, case: str
) -> None:
    script, words = WRONG[case]
    with served(site.folder) as at:
        done = subprocess.run(
            [
                "docker",
                "run",
                "--rm",
                "-v",
                f"{STAGES}:/mnt:ro",
                built.tools,
                "sh",
                "-c",
                f"({script.format(site=at)}); code=$?; find / -xdev -name outside; exit $code",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("imagegen: step name: ")]
    assert words in said[-1]
    assert done.stdout == ""


def test_a_wrong_checksum_shows_both(site: Site, tmp_path: Path) -> None:
    said = fails(
        site, tmp_path, f'fetch = "{{site}}/tool"\nchecksum = "sha256:{"0" * 64}"\nto = "/x"'
    )
    assert "| imagegen: step jdk: " in said
    assert "/tool: is not what the blueprint says" in said
    assert f"checksum there: sha256:{'0' * 64}" in said
    assert f"fetched now:    {site.checksum('tool')}" in said


def test_a_step_that_takes_too_long_is_ended(site: Site, tmp_path: Path) -> None:
    said = fails(site, tmp_path, 'run = "sleep 60"\ntimeout = "1s"')
    assert "exit code: 124" in said
    assert "a step took longer than it may" in said


def fails(site: Site, folder: Path, step: str) -> str:
    with served(site.folder) as at:
        (folder / "blueprint.toml").write_text(
            'blueprint = 1\nimage = { name = "steps-fails", base = "debian:bookworm-slim" }\n'
            f'[[steps]]\nname = "jdk"\n{step.replace("{site}", at)}\n'
        )
        done = imagegen("build", folder)
    assert done.returncode == 6, done.stderr
    return done.stderr
