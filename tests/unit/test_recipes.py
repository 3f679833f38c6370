"""How a container is run: the recipe, and what docker and compose are told of it."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import ImagegenError
from imagegen.plan import plan
from imagegen.plan.recipe import Mount, Published, Recipe, environment, recipe, told
from imagegen.plan.running import Resources
from imagegen.plan.select import select
from imagegen.read import read
from imagegen.render.recipes import compose, docker_run

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

RICH = """
users.app.uid = 1000
services.web = { run = "web", stop-timeout = "50s" }
services.db = { run = "db", stop-timeout = "20s" }
ports.web = { port = 80, publish = 8080 }
ports.dns = { port = 53, protocol = "udp", publish = "0.0.0.0:53" }
ports.six = { port = 81, publish = "[::1]:81" }
ports.quiet = 82
volumes.data = "/data"
volumes.named = { path = "/named", source = "shared.v1" }
volumes.host = { path = "/host", source = "/srv/$a b" , read-only = true }
volumes.site = { path = "/site", source = "./site" }
volumes.up = { path = "/up", source = "../up" }
container = { shm-size = "64MiB", ulimits = { nofile = "1024:4096", core = 0, nproc = -1 } }
"""
HOSTILE = (
    "",
    "a b",
    "$HOME",
    "${X}",
    "$$",
    "`x`",
    "it's",
    '"',
    "\\",
    "new\nline",
    "*",
    "-e",
    "#",
    "ü",
    "1e3",
    "0o17",
    "7E5",
)


def words(text: str) -> list[str]:
    """What a shell makes of a command."""
    return [word for word in shlex.split(text) if word != "\n"]


def options(text: str, name: str) -> list[str]:
    found = words(text)
    return [found[n + 1] for n, word in enumerate(found) if word == name]


def service(text: str) -> dict[str, Any]:
    content = yaml.safe_load(text)
    (only,) = content["services"].values()
    assert isinstance(only, dict)
    return only


@pytest.fixture
def rich(blueprint: Write) -> Recipe:
    return recipe(plan(read(blueprint(RICH)))[0])


def simple(**more: Any) -> Recipe:  # noqa: ANN401 -- any field of a recipe
    given: dict[str, Any] = {
        "name": "app",
        "image": "app:local",
        "ports": (),
        "mounts": (),
        "environment": {},
        "stop_timeout": None,
        "resources": Resources(),
    }
    return Recipe(**(given | more))


# --- the recipe -----------------------------------------------------------------------------------


def test_a_recipe_has_what_the_blueprint_says(rich: Recipe, tmp_path: Path) -> None:
    assert rich == Recipe(
        name="app",
        image="app:local",
        ports=(
            Published(address="0.0.0.0", host=53, container=53, protocol="udp"),  # noqa: S104
            Published(address="127.0.0.1", host=8080, container=80, protocol="tcp"),
            Published(address="::1", host=81, container=81, protocol="tcp"),
        ),
        mounts=(
            Mount(source="app-data", path="/data", read_only=False),
            Mount(source="/srv/$a b", path="/host", read_only=True),
            Mount(source="shared.v1", path="/named", read_only=False),
            Mount(source=str(tmp_path / "blueprint/site"), path="/site", read_only=False),
            Mount(source=str(tmp_path / "up"), path="/up", read_only=False),
        ),
        environment={},
        stop_timeout=75,
        resources=Resources(
            shm_size=64 * 2**20,
            ulimits={"core": "0", "nofile": "1024:4096", "nproc": "-1"},
        ),
    )


def test_an_image_without_services_has_no_time_out_of_its_own(blueprint: Write) -> None:
    assert recipe(plan(read(blueprint()))[0]).stop_timeout is None


def test_a_folder_of_the_host_is_found_from_the_blueprint_that_names_it(tmp_path: Path) -> None:
    for name, text in (
        ("base/blueprint.toml", 'image = { name = "low", base = "debian:x" }\n'),
        ("app/x/blueprint.toml", 'image = { name = "up", base.blueprint = "../../base" }\n'),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        source = f'volumes.{name[0]} = {{ path = "/{name[0]}", source = "./here" }}\n'
        if name[0] == "b":
            source += "users.b.uid = 5\n"
        (tmp_path / name).write_text("blueprint = 1\n" + text + source)
    (planned,) = plan(read(tmp_path / "app" / "x"))
    assert [mount.source for mount in recipe(planned).mounts] == [
        str(tmp_path / "app/x/here"),
        str(tmp_path / "base/here"),
    ]


@pytest.mark.parametrize("name", ["-x", "a", "", "a b", "a/b", "$x"])
def test_a_name_that_no_container_can_have_is_refused(blueprint: Write, name: str) -> None:
    (planned,) = plan(read(blueprint()))
    with pytest.raises(ImagegenError, match="is no name of a container"):
        recipe(planned, name=name)


# --- docker ---------------------------------------------------------------------------------------


def test_docker_is_told_everything(rich: Recipe, tmp_path: Path) -> None:
    text = docker_run(rich)
    assert words(text)[:5] == ["docker", "run", "--detach", "--name", "app"]
    assert options(text, "--publish") == [
        *("0.0.0.0:53:53/udp", "127.0.0.1:8080:80", "[::1]:81:81"),
    ]
    assert options(text, "--volume") == [
        *("app-data:/data", "/srv/$a b:/host:ro", "shared.v1:/named"),
        *(f"{tmp_path}/blueprint/site:/site", f"{tmp_path}/up:/up"),
    ]
    assert options(text, "--stop-timeout") == ["75"]
    assert options(text, "--shm-size") == [str(64 * 2**20)]
    assert options(text, "--ulimit") == ["core=0", "nofile=1024:4096", "nproc=-1"]
    assert words(text)[-1] == "app:local"


@pytest.mark.parametrize("value", HOSTILE)
def test_a_shell_gives_docker_the_very_values(value: str, tmp_path: Path) -> None:
    made = docker_run(simple(environment={"X": value}, command=("run", value)))
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    docker.chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", made],
        env={"PATH": str(tmp_path)},
        executable="/bin/sh",
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert said.split("\0")[:-1] == [
        *("run", "--detach", "--name", "app", "--env", f"X={value}", "app:local", "run", value)
    ]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_docker_and_compose_give_any_value_back(value: str) -> None:
    made = simple(environment={"X": value}, command=(value,))
    found = shlex.split(docker_run(made))  # which takes a line's end after \\ for a word
    assert (found[-4], *found[-2:]) == (f"X={value}", "app:local", value)
    read_back = service(compose(made))
    assert read_back["environment"]["X"] == value.replace("$", "$$")
    assert read_back["command"] == [value.replace("$", "$$")]


# --- compose --------------------------------------------------------------------------------------


def test_compose_is_told_everything(rich: Recipe, tmp_path: Path) -> None:
    assert yaml.safe_load(compose(rich)) == {
        "name": "app",
        "services": {
            "app": {
                "image": "app:local",
                "restart": "unless-stopped",
                "ports": ["0.0.0.0:53:53/udp", "127.0.0.1:8080:80", "[::1]:81:81"],
                "volumes": [
                    *("app-data:/data", "/srv/$$a b:/host:ro", "shared.v1:/named"),
                    *(f"{tmp_path}/blueprint/site:/site", f"{tmp_path}/up:/up"),
                ],
                "stop_grace_period": "75s",
                "shm_size": 64 * 2**20,
                "ulimits": {"core": 0, "nofile": {"soft": 1024, "hard": 4096}, "nproc": -1},
            }
        },
        "volumes": {"app-data": {"name": "app-data"}, "shared.v1": {"name": "shared.v1"}},
    }


def test_compose_files_fit_the_schema(rich: Recipe, tmp_path: Path) -> None:
    recipes = {
        "rich": rich,
        "simple": simple(),
        "hostile": simple(
            name="My.App",
            environment={f"X{n}": value for n, value in enumerate(HOSTILE)} | {"OWN": None},
            command=HOSTILE,
        ),
    }
    for name, one in recipes.items():
        (tmp_path / f"{name}.yaml").write_text(compose(one))
    done = subprocess.run(
        [
            *("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
            *sorted(tmp_path.glob("*.yaml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_project_of_compose_has_small_letters() -> None:
    content = yaml.safe_load(compose(simple(name="My.App_1")))
    assert (content["name"], list(content["services"])) == ("my-app_1", ["My.App_1"])


# --- variables ------------------------------------------------------------------------------------


def test_variables_are_read_as_docker_does() -> None:
    assert environment(["A=1", "B=", "C=x=y", "D", "A=2"]) == {
        "A": "2",
        "B": "",
        "C": "x=y",
        "D": None,
    }


@pytest.mark.parametrize("item", ["", "=x", "a b=c", "a\nb=c"])
def test_a_variable_needs_a_name(item: str) -> None:
    with pytest.raises(ImagegenError, match="write NAME=VALUE, or NAME to hand on"):
        environment([item])


def test_the_callers_own_value_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    made = simple(environment={"TOKEN": None})
    assert options(docker_run(made), "--env") == ["TOKEN"]
    assert service(compose(made))["environment"] == {"TOKEN": None}
    assert told(made, {"TOKEN": "secret"}).environment == {"TOKEN": "secret"}


def test_a_variable_that_the_caller_lacks_is_an_error() -> None:
    with pytest.raises(ImagegenError, match="--env X, Y: not set here"):
        told(simple(environment={"X": None, "Y": None, "Z": "1"}), {"Z": "2"})


# --- variants -------------------------------------------------------------------------------------

MATRIX = 'matrix = { axes.java = ["17", "21"], suffix = "-{{ java }}" }\n'


def test_the_default_variant_is_taken_or_the_one_that_is_named(blueprint: Write) -> None:
    variants = read(blueprint(MATRIX.replace(" }\n", ', default.java = "21" }')))
    plans = plan(variants)
    assert select(variants, plans, "17") is plans[0]
    assert select(variants, plans, None) is plans[1]


def test_without_a_default_one_must_be_named(blueprint: Write) -> None:
    variants = read(blueprint(MATRIX))
    plans = plan(variants)
    with pytest.raises(
        ImagegenError, match=r"which variant\? give --variant \(17, 21\), or matrix"
    ):
        select(variants, plans, None)
    with pytest.raises(ImagegenError, match='there is no variant "2-1"; did you mean 21'):
        select(variants, plans, "2-1")
    with pytest.raises(ImagegenError, match='there is no variant "x"; known: 17, 21'):
        select(variants, plans, "x")


def test_of_one_variant_there_is_no_choice(blueprint: Write) -> None:
    variants = read(blueprint())
    plans = plan(variants)
    assert select(variants, plans, None) is plans[0]
    assert select(variants, plans, "default") is plans[0]


# --- the command ----------------------------------------------------------------------------------


def test_run_prints_the_recipe_without_an_engine(
    invoke: Run, blueprint: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = blueprint(RICH)
    monkeypatch.setenv("TOKEN", "s3")
    done = invoke("run", path, "--print", "docker", "-e", "TOKEN", "--", "ls", "-la")
    assert words(done.stdout)[-3:] == ["app:local", "ls", "-la"]
    assert options(done.stdout, "--env") == ["TOKEN"]
    assert "s3" not in done.stdout
    done = invoke("run", path, "--print", "compose", "--name", "other")
    assert list(yaml.safe_load(done.stdout)["services"]) == ["other"]


def test_run_looks_at_its_variables_before_it_needs_an_engine(
    invoke: Run, blueprint: Write
) -> None:
    done = invoke("run", blueprint(), "-e", "NOT_SET")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "imagegen: --env NOT_SET: not set here, and no value is given\n"


# --- What an engine gives a container -------------------------------------------------------------

CONFINED = simple(
    resources=Resources(
        read_only=True,
        capabilities=("KILL", "SETUID"),
        dropped_capabilities=("ALL",),
        tmpfs=("/tmp", "/a $b"),  # noqa: S108 -- in a container
        memory=2**29,
        cpus="1.5",
        sysctls={"net.ipv4.ip_local_port_range": "1024 65000"},
    )
)


def test_docker_is_told_how_a_container_is_confined() -> None:
    said = docker_run(CONFINED)
    assert "--read-only" in words(said)
    assert options(said, "--cap-drop") == ["ALL"]
    assert options(said, "--cap-add") == ["KILL", "SETUID"]
    assert options(said, "--tmpfs") == ["/tmp", "/a $b"]  # noqa: S108 -- in a container
    assert options(said, "--memory") == [str(2**29)]
    assert options(said, "--cpus") == ["1.5"]
    assert options(said, "--sysctl") == ["net.ipv4.ip_local_port_range=1024 65000"]


def test_compose_is_told_the_same() -> None:
    said = service(compose(CONFINED))
    assert {key: said[key] for key in said if key not in ("image", "restart")} == {
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": ["KILL", "SETUID"],
        "tmpfs": ["/tmp", "/a $$b"],  # noqa: S108 -- in a container
        "mem_limit": 2**29,
        "cpus": 1.5,
        "sysctls": {"net.ipv4.ip_local_port_range": "1024 65000"},
    }


def test_of_what_is_not_said_nothing_is_told() -> None:
    assert set(service(compose(simple()))) == {"image", "restart"}
    assert not [word for word in words(docker_run(simple())) if word.startswith("--sys")]
