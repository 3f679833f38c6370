"""What is written arrives: typed, complete, in order, from wherever it may be written."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagegen.errors import BlueprintError
from imagegen.language import Blueprint
from imagegen.language.image import Base
from imagegen.language.packages import Packages
from imagegen.language.scalars import seconds
from imagegen.language.table import Table
from imagegen.read import Variant, read
from imagegen.read.normal import Shape, shape_of

EVERYTHING = Path(__file__).parents[1] / "problems" / "valid" / "everything.toml"
HEAD = """
blueprint = 1
image = { name = "web", base = "debian:bookworm-slim" }
users.web.uid = 1000
"""

One = Callable[[str], Blueprint]


@pytest.fixture
def one(tmp_path: Path) -> One:
    """Read a blueprint of one variant; the head stands above the text."""

    def blueprint(text: str) -> Blueprint:
        (tmp_path / "script").write_text("#!/bin/sh\n")
        (tmp_path / "b.toml").write_text(HEAD + text)
        [variant] = read(tmp_path / "b.toml")
        return variant.blueprint

    return blueprint


@pytest.fixture(scope="module")
def everything() -> tuple[Variant, ...]:
    return read(EVERYTHING)


def complaints(path: Path) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        read(path)
    return [problem.message for problem in caught.value.problems]


# --- Every key ------------------------------------------------------------------------------------

EXPECTED: dict[str, Any] = {
    "blueprint": 1,
    "image": {
        "name": "everything",
        "base": {"image": "registry.example.org:5000/base/debian:12", "family": "debian"},
        "version": "2.7.15",
        "registries": ("ghcr.io/acme", "localhost:5000"),
        "title": "Everything – tout, все, 全部",  # noqa: RUF001 -- as it stands there
        "description": "One line about it",
        "authors": "The team <team@example.org>",
        "vendor": "Acme",
        "licenses": "MIT",
        "url": "https://example.org/everything",
        "source": "https://example.org/everything.git",
        "documentation": "https://example.org/everything/docs",
        "labels": {"org.example.stage": "test", "revision": "{{ git.sha }}"},
    },
    "args": {"app": "2.7.15", "home": "/srv/everything", "short": "2.7"},
    "matrix": {
        "axes": {"stage": ("test", "live"), "python": ("3.10", "3.11")},
        "suffix": "-test-py3.10",
        "default": {"python": "3.11", "stage": "live"},
    },
    "users": {
        "app": {
            "uid": 2143,
            "gid": 2144,
            "groups": ("adm", "tty"),
            "home": "/srv/everything",
            "shell": "/bin/bash",
        },
        "cron": {"uid": 2150},
    },
    "packages": {
        "apt": {"install": ("curl=7.88.*", "libstdc++6", "python3.10"), "recommends": True}
    },
    "steps": (
        {
            "name": "app",
            "copy": ("app", "conf/app.conf"),
            "exclude": ("**/*.txt",),
            "to": "/opt/app/",
            "owner": "app",
            "mode": "0750",
            "run": "set -x\n"
            "chmod 0755 /opt/app/worker\n"
            "docker inspect --format '{{.ID}}' || echo \"{{ app | upper }} {{ plain }}\"\n",
            "user": "app",
            "workdir": "/opt/app",
            "env": {"HOME": "/srv/everything", "VERSION": "2.7"},
            "timeout": "1h30m",
        },
        {"file": "scripts/script"},
        {"run": ("ln", "-s", "/opt/app/worker", "/usr/local/bin/worker")},
    ),
    "secrets": {"token": {"env": "TOKEN"}, "netrc": {"file": "~/.netrc"}},
    "files": {
        "/etc/app/": {},
        "/etc/app/app.conf": {"file": "conf/app.conf", "owner": "app", "mode": "0640"},
        "/etc/app/ready": {"text": "ready\n"},
        "/etc/app/conf.d/": {"file": "conf"},
        "/usr/share/everything/test": {"link": "/etc/app/app.conf"},
    },
    "container": {
        "user": "app",
        "shm-size": "64MiB",
        "ulimits": {"nofile": "4096", "core": "0:1"},
    },
    "env": {
        "APP_HOME": {"default": "/srv/everything"},
        "APP_PORT": {"default": "8080", "description": "Where it listens"},
        "PATH": {"default": "/opt/app:${PATH}"},
        "EMPTY": {"default": ""},
    },
    "config": {
        "defaults": {
            "name": "everything",
            "ratio": 0.5,
            "count": 9000,
            "on": True,
            "list": [1, "two", {"three": 3.0, "deep": [[], {}]}],
            'a key with "quotes"': {"nested": {"again": "x"}},
        }
    },
    "ports": {
        "web": {"port": 8080},
        "dns": {"port": 5353, "protocol": "udp", "description": "Names", "publish": "5353"},
        "api": {"port": 81, "publish": "0.0.0.0:8081"},
    },
    "volumes": {
        "data": {"path": "/var/lib/everything"},
        "cache": {"path": "/var/cache/app", "owner": "root"},
        "site": {"path": "/srv/site", "source": "./site", "read-only": True},
    },
    "services": {
        "db": {
            "start": {"run": "dbctl start", "timeout": "2m", "env": {"A": "1"}},
            "stop": {"run": ("dbctl", "stop")},
            "pidfile": "/run/db.pid",
            "stop-timeout": "90s",
            "health": {
                "tcp": "localhost:5432",
                "interval": "10s",
                "retries": 5,
                "start-period": "5m",
                "timeout": "2s",
            },
        },
        "java": {
            "start": {"file": "scripts/script", "user": "root", "workdir": "/opt"},
            "stop": {"run": "pkill java"},
            "match": r"java .*everything\.jar",
            "after": ("db",),
            "health": {
                "http": "https://localhost:8080/alive",
                "insecure": True,
                "jq": '.state == "UP"',
            },
        },
        "web": {
            "run": ("/opt/app/web", "--port", "8080", "--data", "/var/lib/everything"),
            "user": "app",
            "workdir": "/srv/everything",
            "env": {"LOG_LEVEL": "info"},
            "timeout": "5m",
            "after": ("db", "java"),
            "health": {"run": "curl --fail http://localhost:8080/"},
        },
        "worker": {
            "file": "app/worker",
            "health": {
                "file": "scripts/script",
                "user": "root",
                "workdir": "/tmp",  # noqa: S108
                "env": {"X": "y"},
            },
        },
    },
    "jobs": {
        "report": {
            "schedule": "*/15 8-18 * jan 1-5",
            "run": "report | tee /proc/1/fd/1",
            "user": "cron",
            "workdir": "/tmp",  # noqa: S108
            "env": {"LANG": "C.UTF-8"},
            "timeout": "10m",
            "description": "Who did what",
        },
        "clean": {"schedule": "@daily", "file": "scripts/script"},
    },
    "logs": {
        "/srv/everything/log/*.log": {
            "compress-after": "7d",
            "delete-after": "28d",
            "schedule": "9 1 * * sun",
            "user": "app",
        }
    },
    "tags": {
        "release": ("{{ git.version }}", "{{ git.version.major }}", "latest"),
        "branch": {"main": ("edge",), "release/*": ("{{ git.branch }}",)},
    },
    "lint": {"ignore": {"IG304": "everything is public", "DL3059": "reads better"}},
}


def typed(value: object) -> object:
    """Make 1, 1.0 and true differ, and a list from a tuple."""
    match value:
        case dict():
            return {key: typed(item) for key, item in value.items()}
        case list() | tuple():
            return (type(value), [typed(item) for item in value])
    return (type(value), value)


@pytest.mark.parametrize("table", EXPECTED)
def test_everything_arrives_as_it_is_written(everything: tuple[Variant, ...], table: str) -> None:
    found = everything[0].blueprint.model_dump(by_alias=True, exclude_unset=True)
    assert typed(found[table]) == typed(EXPECTED[table])
    assert found.keys() == EXPECTED.keys()


def test_the_valid_blueprints_have_every_key_of_the_language() -> None:
    used = {key for path in EVERYTHING.parent.glob("*.toml") for key in _used(read(path))}
    assert set(_keys(shape_of(Blueprint))) - used == set()


ELSEWHERE = {
    *((Blueprint, key) for key in ("extends", "override", "remove")),
    *((Base, key) for key in ("blueprint", "variant")),
    (Packages, "yum"),
}
"""What is taken out while reading, is there instead of something else (see test_layers.py), or is
not supported yet."""


def _keys(shape: Shape) -> Iterator[tuple[type[Table], str]]:
    if shape.each:
        yield from _keys(shape.each)
    for name, field in shape.table.model_fields.items() if shape.table else ():
        if (shape.table, name) in ELSEWHERE:
            continue
        yield shape.table or Table, name
        yield from _keys(shape.key(field.alias or name))


def _used(value: object) -> Iterator[tuple[type[Table], str]]:
    match value:
        case Variant():
            yield from _used(value.blueprint)
        case Table():
            for name in value.model_fields_set:
                yield type(value), name
                yield from _used(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _used(item)
        case tuple():
            for item in value:
                yield from _used(item)


# --- Short forms and defaults ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('packages.apt = ["curl"]', 'packages.apt.install = ["curl"]'),
        ('steps = ["make"]', '[[steps]]\nrun = "make"'),
        ('steps = [["make", "all"]]', '[[steps]]\nrun = ["make", "all"]'),
        ('env.A = "b"', 'env.A.default = "b"'),
        ("ports.web = 80", "ports.web.port = 80"),
        ('volumes.v = "/v"', 'volumes.v.path = "/v"'),
        ('services.s = "run"', 'services.s.run = "run"'),
        ('services.s = ["run", "it"]', 'services.s.run = ["run", "it"]'),
        (
            'services.s = { run = "r", health = "h" }',
            'services.s = { run = "r", health.run = "h" }',
        ),
        (
            'services.s = { start = "a", stop = ["b"], match = "c" }',
            '[services.s]\nstart.run = "a"\nstop.run = ["b"]\nmatch = "c"',
        ),
    ],
)
def test_a_bare_value_is_the_table_it_stands_for(one: One, short: str, long: str) -> None:
    assert one(short) == one(long)


def test_the_base_may_be_a_bare_value(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text('blueprint = 1\nimage.name = "a"\nimage.base.image = "debian:12"\n')
    [long] = read(path)
    path.write_text('blueprint = 1\nimage.name = "a"\nimage.base = "debian:12"\n')
    [short] = read(path)
    assert short.blueprint == long.blueprint


def test_what_is_not_said_has_its_default(one: One) -> None:
    blueprint = one(
        """
        ports.p = 80
        volumes.v = "/v"
        services.s = { run = "r", health.tcp = "h:1" }
        jobs.j = { run = "r", schedule = "@daily" }
        logs."/var/log/*.log".delete-after = "1d"
        files."/f".text = ""
        env.E = {}
        """
    )
    service = blueprint.services["s"]
    health = service.health
    assert health is not None
    assert (health.interval, health.retries, health.start_period) == ("30s", 3, "1m")
    assert (health.timeout, health.insecure, health.jq) == (None, False, None)
    assert (service.after, service.stop_timeout, service.user) == ((), "30s", None)
    assert blueprint.ports["p"].protocol == "tcp"
    assert blueprint.volumes["v"].owner is None
    assert blueprint.users["web"].shell == "/usr/sbin/nologin"
    assert (blueprint.users["web"].gid, blueprint.users["web"].home) == (None, None)
    assert (blueprint.files["/f"].owner, blueprint.files["/f"].mode) == ("root", None)
    assert blueprint.logs["/var/log/*.log"].schedule == "1 1 * * *"
    assert blueprint.env["E"].default is None
    assert (blueprint.packages.apt.install, blueprint.packages.apt.recommends) == ((), False)
    assert (blueprint.steps, blueprint.image.registries, blueprint.image.labels) == ((), (), {})
    assert (blueprint.config.defaults, blueprint.container.user) == (None, None)
    assert (blueprint.tags.release, blueprint.tags.branch) == (None, None)
    assert (blueprint.matrix.axes, blueprint.matrix.suffix) == ({}, "")


def test_a_blueprint_cannot_be_changed(one: One) -> None:
    with pytest.raises(ValueError, match="frozen"):
        one("").blueprint = 1


# --- Variants -------------------------------------------------------------------------------------


def test_without_axes_there_is_one_variant(one: One) -> None:
    assert one("").matrix.axes == {}


def test_variants_go_by_the_names_of_the_axes_and_their_values_as_listed(
    everything: tuple[Variant, ...],
) -> None:
    assert [tuple(variant.axes.items()) for variant in everything] == [
        (("python", "3.10"), ("stage", "test")),
        (("python", "3.10"), ("stage", "live")),
        (("python", "3.11"), ("stage", "test")),
        (("python", "3.11"), ("stage", "live")),
    ]


def test_a_variant_has_its_own_values(everything: tuple[Variant, ...]) -> None:
    assert [variant.blueprint.matrix.suffix for variant in everything] == [
        "-test-py3.10",
        "-live-py3.10",
        "-test-py3.11",
        "-live-py3.11",
    ]


def test_a_thousand_variants_are_allowed(tmp_path: Path) -> None:
    ten = str([str(number) for number in range(10)])
    axes = f"\nmatrix = {{ axes = {{ a = {ten}, b = {ten}, c = {ten} }}, suffix = '-{{{{ a }}}}' }}"
    (tmp_path / "b.toml").write_text(HEAD + axes)
    assert len(read(tmp_path / "b.toml")) == 1000


def test_more_are_not_and_one_of_them_is_checked(tmp_path: Path) -> None:
    two = "['1', '2']"
    axes = "".join(f"a{number} = {two}\n" for number in range(1000))
    (tmp_path / "b.toml").write_text(f"{HEAD}env.X = '{{{{ y }}}}'\n[matrix.axes]\n{axes}")
    first, second = complaints(tmp_path / "b.toml")
    assert first.startswith("env.X: unknown name {{ y }}")
    assert second == "matrix.axes: the axes make more than 1000 variants"


# --- Places ---------------------------------------------------------------------------------------


def test_a_value_knows_where_it_was_written(everything: tuple[Variant, ...]) -> None:
    node = everything[0].document.get("users", "app", "home")
    assert node is not None
    assert (node.value, node.raw()) == ("/srv/everything", '"{{ home }}"')


def test_a_folder_stands_for_its_blueprint(tmp_path: Path) -> None:
    (tmp_path / "blueprint.toml").write_text(HEAD)
    assert read(tmp_path)[0].folder == tmp_path.resolve()


def test_line_ends_of_windows_make_no_difference(one: One, tmp_path: Path) -> None:
    text = 'files."/f".text = """\na\nb\n"""\nenv.X = "y"\n'
    unix = one(text)
    (tmp_path / "b.toml").write_bytes((HEAD + text).replace("\n", "\r\n").encode())
    [variant] = read(tmp_path / "b.toml")
    assert variant.blueprint == unix


def test_toml_1_1_is_read(one: One) -> None:
    blueprint = one('env = {\n  X = "\\x41", # comment\n  Y = "b",\n}\n')
    assert (blueprint.env["X"].default, blueprint.env["Y"].default) == ("A", "b")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.toml", "no such file; give a blueprint, or a folder that holds blueprint.toml"),
        ("empty", "the folder holds no blueprint.toml"),
        ("pipe", "is no regular file"),
        ("x" * 300, "can't be read: File name too long"),
        ("large.toml", "is larger than 1 MiB; that is no blueprint"),
    ],
)
def test_what_is_no_blueprint_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.toml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    assert complaints(tmp_path / name) == [message]


# --- Own files ------------------------------------------------------------------------------------

OUTSIDE = "lies outside the project, which is the git work tree, or without git this folder"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out", f'"out" {OUTSIDE}'),
        ("../b.toml", f'"../b.toml" {OUTSIDE}'),
        ("circle", '"circle" can\'t be read: Too many levels of symbolic links'),
        ("dangling", '"dangling" can\'t be read: No such file or directory'),
        ("pipe", '"pipe" is neither a file nor a folder'),
        ("x" * 300, f'there is no "{"x" * 59}…" beside the blueprint'),
    ],
)
def test_an_own_file_that_is_of_no_use_is_told(tmp_path: Path, name: str, message: str) -> None:
    folder = tmp_path / "blueprint"
    folder.mkdir()
    (tmp_path / "b.toml").write_text("")
    (folder / "out").symlink_to(tmp_path)
    (folder / "circle").symlink_to("circle")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (folder / "blueprint.toml").write_text(f'{HEAD}\n[files]\n"/f".file = "{name}"\n')
    assert complaints(folder) == [f'files."/f".file: {message}']


def test_a_link_within_the_folder_is_an_own_file(one: One, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("script")
    assert one('files."/f".file = "link"').files["/f"].file == "link"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git work tree with a blueprint in deploy/docker; beside the work tree lies a secret."""
    (tmp_path / "secret").write_text("")
    tree = tmp_path / "app"
    for name in ("src/main.py", ".git/HEAD", "deploy/docker/blueprint.toml"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    return tree


def copying(project: Path, name: str) -> list[str]:
    """What is said of a blueprint that copies the file or folder of that name."""
    folder = project / "deploy" / "docker"
    (folder / "blueprint.toml").write_text(
        f'{HEAD}\nsteps = [{{ copy = ["{name}"], to = "/a" }}]\n'
    )
    try:
        read(folder)
    except BlueprintError as error:
        return [problem.message.partition(": ")[2] for problem in error.problems]
    return []


@pytest.mark.parametrize("name", ["../..", "../../src", "../../src/main.py", ".."])
def test_own_files_may_lie_anywhere_in_the_git_work_tree(project: Path, name: str) -> None:
    assert copying(project, name) == []


@pytest.mark.parametrize(
    "name", ["../../..", "../../../secret", f"{'../' * 50}etc/passwd", "../../link", "../../folder"]
)
def test_and_nowhere_else_whatever_leads_there(project: Path, name: str) -> None:
    (project / "link").symlink_to(project.parent / "secret")
    (project / "folder").symlink_to("..")
    [said] = copying(project, name)
    assert said.endswith(OUTSIDE)


def test_a_work_tree_ends_where_a_submodule_or_another_begins(project: Path) -> None:
    (project / "deploy" / ".git").write_text("gitdir: ../.git/modules/deploy\n")
    assert copying(project, "../docker") == []
    assert copying(project, "../../src") == [f'"../../src" {OUTSIDE}']


@pytest.mark.parametrize("home", [".", "..", "../../.."])
def test_a_home_folder_in_git_is_no_project(
    project: Path, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.parent / ".git").mkdir()
    (project / ".git" / "HEAD").unlink()
    (project / ".git").rmdir()
    monkeypatch.setenv("HOME", str(project / "deploy" / "docker" / home))
    assert copying(project, "../../src") == [f'"../../src" {OUTSIDE}']
    assert copying(project, ".") == []


# --- Scalars --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "expected"), [("1s", 1), ("5m", 300), ("1h30m", 5400), ("7d", 604800)]
)
def test_a_duration_is_so_many_seconds(one: One, duration: str, expected: int) -> None:
    written = one(f'services.s = {{ run = "r", stop-timeout = "{duration}" }}')
    assert seconds(written.services["s"].stop_timeout) == expected


@pytest.mark.parametrize(
    "schedule",
    ["* * * * *", "*/5 0-23/2 1,15 * 7", "0 0 1-7 JAN mon", "59 23 31 12 0", "@weekly"],
)
def test_a_schedule_of_cron_is_taken(one: One, schedule: str) -> None:
    assert one(f'jobs.j = {{ run = "r", schedule = "{schedule}" }}').jobs["j"].schedule == schedule


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "@reboot",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "5/10 * * * *",
        "1,,2 * * * *",
        "-1 * * * *",
        "* * * foo *",
    ],
)
def test_what_cron_would_not_take_is_refused(one: One, schedule: str) -> None:
    with pytest.raises(BlueprintError, match="schedule"):
        one(f'jobs.j = {{ run = "r", schedule = "{schedule}" }}')


@pytest.mark.parametrize("match", ["java .*[[:space:]]-jar", "a{1,2}|b+", r"\(x\)", "^/usr/bin/x"])
def test_an_extended_regular_expression_is_taken(one: One, match: str) -> None:
    text = f"services.s = {{ start = 'a', stop = 'b', match = '{match}' }}"
    assert one(text).services["s"].match == match


@pytest.mark.parametrize(
    "text",
    [
        "users.a.uid = 0x" + "F" * 10_000,
        "ports.p = 0b" + "1" * 20_000,
        "config.defaults.x = 0o" + "7" * 10_000,
        "env.X = 0x" + "F" * 10_000,
    ],
)
def test_a_number_that_python_would_not_write_is_told(one: One, text: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        one(text)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("text", ["a." * 200 + "a = 1", "x = " + "[" * 150 + "]" * 150])
def test_what_is_nested_too_deeply_is_told(one: One, text: str) -> None:
    with pytest.raises(BlueprintError, match="nested too deeply"):
        one(text)
