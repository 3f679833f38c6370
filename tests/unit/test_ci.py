"""The workflow that `imagegen ci github` writes: valid, safe, and what [tags] says."""

import os
import subprocess
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.plan import Plan, plan
from imagegen.plan.chain import with_bases
from imagegen.read import read
from imagegen.render import ci

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]
HELLO = Path(__file__).parents[2] / "examples" / "hello"
OVERWATCH = HELLO.parent / "overwatch"
INSTALL = "pip install imagegen-blueprint"


def plans(path: Path) -> tuple[Plan, ...]:
    return with_bases(plan(read(path)))


def workflow(path: Path, name: str = "blueprint.toml", install: str = INSTALL) -> dict[str, Any]:
    branches = ci.branches(read(path)[0].blueprint.tags)
    content = yaml.safe_load(ci.github(plans(path), name, branches, install))
    assert isinstance(content, dict)
    return {"on" if key is True else str(key): value for key, value in content.items()}


def steps(path: Path, **more: str) -> dict[str, dict[str, Any]]:
    listed = workflow(path, **more)["jobs"]["image"]["steps"]
    return {step.get("name", "checkout"): step for step in listed}


def evaluated(text: str) -> str:
    """What GitHub makes of the one expression that we write around a user's text."""
    return text.replace("${{ '${{' }}", "\0").replace("${{", "EVALUATED").replace("\0", "${{")


def played(step: Mapping[str, Any], program: str, folder: Path) -> list[str]:
    """Run a step as a runner does, and give the words that the program was called with."""
    record = folder / program
    record.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >>"$0.words"\ncat >"$0.input"\n')
    record.chmod(0o755)
    given = {name: evaluated(value) for name, value in step.get("env", {}).items()}
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env={**given, "PATH": f"{folder}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return (folder / f"{program}.words").read_text().splitlines()


# --- validity -------------------------------------------------------------------------------------

VARIED = """
image.registries = ["ghcr.io/acme", "quay.io/acme", "localhost:5000", "acme", "QUAY.io/b"]
tags = { release = ["x"], branch = { "a/*" = ["a"], "[!x]+?" = ["b"], "!c" = ["c"] } }
"""


def test_workflows_fit_the_schema_of_github(blueprint: Write, tmp_path: Path) -> None:
    texts = {
        "hello": ci.github(plans(HELLO), "blueprint.toml", ["main"], INSTALL),
        "chain": ci.github(plans(OVERWATCH), "x y/${{ z }}.toml", ["main", "*-docker"], "a\nb: c"),
        "declared": ci.github(plans(blueprint(DECLARED)), "blueprint.toml", ["main"], INSTALL),
        "varied": ci.github(plans(blueprint(VARIED)), "-x", ["a/*", "[!x]+?"], ci.NO_INSTALL),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yml").write_text(text)
    done = subprocess.run(
        [
            *("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
            *sorted(tmp_path.glob("*.yml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_blueprint_gives_the_same_bytes() -> None:
    one, two = (ci.github(plans(OVERWATCH), "b.toml", ["main"], INSTALL) for _ in range(2))
    assert one == two


# --- safety ---------------------------------------------------------------------------------------


def test_only_the_checkout_is_somebody_elses(blueprint: Write) -> None:
    listed = workflow(blueprint(VARIED))["jobs"]["image"]["steps"]
    assert [step["uses"] for step in listed if "uses" in step] == ["actions/checkout@v4"]
    assert listed[0]["with"] == {"fetch-depth": 0, "persist-credentials": False}


@pytest.mark.parametrize(
    ("registries", "rights"),
    [
        ('["quay.io/acme"]', {"contents": "read"}),
        ('["ghcr.io/acme"]', {"contents": "read", "packages": "write"}),
        ("[]", {"contents": "read"}),
    ],
)
def test_it_has_the_least_rights(blueprint: Write, registries: str, rights: object) -> None:
    made = workflow(blueprint(f"image.registries = {registries}"))
    assert made["permissions"] == rights
    assert "permissions" not in made["jobs"]["image"]


def test_runs_for_one_ref_wait_for_each_other_and_none_is_cancelled(blueprint: Write) -> None:
    assert workflow(blueprint())["concurrency"] == {"group": "image app ${{ github.ref }}"}


HOSTILE = (
    *("a b/blueprint.toml", "-o", "$(touch broken)", "`touch broken`.toml", '"; touch broken; "'),
    *("'quoted'.toml", "${{ secrets.GITHUB_TOKEN }}", "new\nline: {x}", "#x: y", "a${{b}}c${{d"),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_path_reaches_the_command_as_it_is(blueprint: Write, tmp_path: Path, name: str) -> None:
    made = steps(blueprint('image.registries = ["quay.io/acme"]'), name=name)
    for step, command in (("Decide the tags", "tags"), ("Build", "build"), ("Push", "push")):
        folder = tmp_path / command
        folder.mkdir()
        assert played(made[step], "imagegen", folder) == [command, "--", *name.split("\n")]
        assert not (folder / "broken").exists()


def test_the_shell_that_brings_imagegen_is_the_users_own() -> None:
    install = "set -x\npip install 'x' # ${{ github.sha }}: yes"
    assert steps(HELLO, install=install)["Install imagegen"]["run"] == install


def test_without_it_a_runner_that_lacks_imagegen_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-e", "-c", ci.NO_INSTALL],
        env={"PATH": str(tmp_path)},
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("::error::imagegen is not here")


def test_only_our_own_expressions_are_evaluated(blueprint: Write) -> None:
    text = ci.github(plans(blueprint(VARIED)), "${{ x }}", ["main"], INSTALL)
    expressions = {part.partition("}}")[0].strip() for part in text.split("${{")[1:]}
    assert {e for e in expressions if not e.startswith("secrets.")} == {
        *("github.ref", "github.actor", "'"),  # the last is the quoted beginning of a user's
    }


# --- logging in -----------------------------------------------------------------------------------


def test_a_password_is_on_no_command_line(blueprint: Write, tmp_path: Path) -> None:
    step = steps(blueprint('image.registries = ["quay.io/acme"]'))["Log in to quay.io"]
    assert step["env"]["REGISTRY_PASSWORD"] == "${{ secrets.REGISTRY_PASSWORD }}"  # noqa: S105
    values = {"REGISTRY": "quay.io", "REGISTRY_USER": "me", "REGISTRY_PASSWORD": "$(x) %s'\""}
    words = played({**step, "env": values}, "docker", tmp_path)
    assert words == ["login", "quay.io", "--username", "me", "--password-stdin"]
    assert (tmp_path / "docker.input").read_text() == values["REGISTRY_PASSWORD"]


def test_without_a_password_nobody_logs_in(blueprint: Write, tmp_path: Path) -> None:
    step = steps(blueprint('image.registries = ["quay.io/acme"]'))["Log in to quay.io"]
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env={"PATH": str(tmp_path)},
        executable="/bin/bash",
        check=True,
    )


def test_each_registry_has_a_password_of_its_own(blueprint: Write) -> None:
    made = steps(blueprint(VARIED))
    logins = {name: step["env"] for name, step in made.items() if name.startswith("Log in")}
    assert list(logins) == [
        f"Log in to {host}" for host in ("ghcr.io", "quay.io", "localhost:5000", "docker.io")
    ]
    ours = logins["Log in to ghcr.io"]
    assert ours["REGISTRY_PASSWORD"] == "${{ secrets.GITHUB_TOKEN }}"  # noqa: S105
    assert logins["Log in to localhost:5000"]["REGISTRY_USER"] == (
        "${{ secrets.REGISTRY_USER_LOCALHOST_5000 }}"
    )
    passwords = [env["REGISTRY_PASSWORD"] for env in logins.values()]
    assert len(set(passwords)) == len(passwords)


def test_the_head_names_the_secrets(blueprint: Write) -> None:
    text = ci.github(plans(blueprint('image.registries = ["quay.io/a"]')), "b", ["main"], INSTALL)
    assert (
        "\n# Secrets of the repository that it takes: REGISTRY_USER, REGISTRY_PASSWORD.\n" in text
    )


def test_registries_of_a_base_are_logged_in_to_as_well(tmp_path: Path) -> None:
    images = {
        "app": 'base.blueprint = "../base", registries = ["a.io"]',
        "base": 'base = "debian:x", registries = ["b.io"]',
    }
    for name, image in images.items():
        (tmp_path / name).mkdir()
        text = f'blueprint = 1\nimage = {{ name = "{name}", {image} }}\n'
        (tmp_path / name / "blueprint.toml").write_text(text)
    assert {"Log in to a.io", "Log in to b.io"} <= set(steps(tmp_path / "app"))


def test_pull_requests_neither_log_in_nor_push(blueprint: Write) -> None:
    made = steps(blueprint('image.registries = ["quay.io/acme"]'))
    conditions = {name: step.get("if") for name, step in made.items()}
    assert {name for name, condition in conditions.items() if condition} == {
        "Log in to quay.io",
        "Push",
    }
    assert set(conditions.values()) == {None, "github.event_name != 'pull_request'"}


# --- triggers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "globs"),
    [
        ("", ["**"]),
        ("tags.release = ['x']", ["main", "master"]),
        ("tags.branch = { main = ['x'], 'a/*' = ['y'] }", ["main", "a/**"]),
        ("tags.branch = { '**' = ['x'], '*' = ['x'] }", ["**"]),
        ("tags.branch = { 'v?.[0-9]+' = ['x'], '!a' = ['x'] }", ["v**.**\\+", "\\!a"]),
    ],
)
def test_the_branches_of_tags_trigger_it(blueprint: Write, rules: str, globs: list[str]) -> None:
    assert workflow(blueprint(rules))["on"]["push"]["branches"] == globs


def test_every_release_triggers_it(blueprint: Write) -> None:
    globs = workflow(blueprint())["on"]["push"]["tags"]
    for tag in ("v1.2.3", "0.0.1", "v10.20.30+b.1", "v1.0.0-rc.1"):
        assert any(fnmatchcase(tag, glob) for glob in globs), tag
    assert not any(fnmatchcase(tag, glob) for tag in ("version", "x1.0.0") for glob in globs)


# --- what [ci] says -------------------------------------------------------------------------------

DECLARED = """
image.registries = ["quay.io/acme", "b.io"]
[ci]
paths-ignore = ["docs/**", "!docs/x"]
schedule = "@daily"
test = "make check"
[ci.login."QUAY.io"]
user = "QUAY_USER"
password = "QUAY_TOKEN"
"""


def test_what_ci_says_is_done(blueprint: Write) -> None:
    made = workflow(blueprint(DECLARED))
    assert made["on"]["schedule"] == [{"cron": "0 0 * * *"}]
    assert made["on"]["push"]["paths-ignore"] == ["docs/**", "!docs/x"]
    assert made["on"]["pull_request"] == {"paths-ignore": ["docs/**", "!docs/x"]}
    assert list(steps(blueprint(DECLARED))) == [
        *("checkout", "Test", "Install imagegen", "Decide the tags", "Log in to quay.io"),
        *("Build", "Log in to b.io", "Push"),
    ]


def test_a_declared_login_takes_its_own_secrets_and_needs_no_push(blueprint: Write) -> None:
    login = steps(blueprint(DECLARED))["Log in to quay.io"]
    assert "if" not in login  # the base may be there, for pull requests too
    assert login["env"]["REGISTRY_USER"] == "${{ secrets.QUAY_USER }}"
    assert "QUAY_TOKEN" in login["env"]["REGISTRY_PASSWORD"]
    text = ci.github(plans(blueprint(DECLARED)), "b", ["main"], INSTALL)
    needed = "QUAY_USER, QUAY_TOKEN, REGISTRY_USER_B_IO, REGISTRY_PASSWORD_B_IO"
    assert f"# Secrets of the repository that it takes: {needed}.\n" in text


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("\"shown one 'two  three'\"", ["one", "two  three"]),
        ('["shown", "one two", "$HOME", "${{{{ x }}"]', ["one two", "$HOME", "${{ x }}"]),
        ('{ file = "checks/all" }', ["by the script", "yes"]),
        ('{ run = "shown \\"$A\\"", env = { A = "${{{{ b }} c" } }', ["${{ b }} c"]),
    ],
)
def test_the_test_runs_as_it_is_written_in_the_folder_of_the_blueprint(
    blueprint: Write, tmp_path: Path, test: str, words: list[str]
) -> None:
    script = '#!/bin/sh\nshown "by the script" "$([ -e blueprint.toml ] && echo yes)"\n'
    path = blueprint(f"[ci]\ntest = {test}\n", {"checks/all": script})
    made = steps(path, name=f"{path.parent.name}/blueprint.toml")["Test"]
    assert made["shell"] == "sh -eu {0}"
    step = {**made, "run": evaluated(made["run"])}
    assert played(step, "shown", tmp_path) == words


def test_a_test_has_a_time_limit_if_it_says_so(blueprint: Write) -> None:
    made = steps(blueprint('ci.test = { run = "x", timeout = "90s" }'))["Test"]
    assert made["timeout-minutes"] == 2
    assert "timeout-minutes" not in steps(blueprint('ci.test = "x"'))["Test"]


def test_rules_for_tags_and_pull_requests_of_git_are_heard(blueprint: Write) -> None:
    path = blueprint(
        'image.registries = ["b.io"]\n'
        'tags = { tag = { "snapshot-*" = ["x"] }, pull-request = ["pr-{{ git.pr }}"] }\n'
    )
    text = ci.github(plans(path), "b", ["main"], INSTALL)
    made = yaml.safe_load(text)
    assert made["on"]["push"]["tags"] == [*ci.RELEASES, "snapshot-**"]
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert made["jobs"]["image"]["steps"][-1]["if"].endswith(f" || {own}")


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a blueprint in apps/web."""
    folder = tmp_path / "repository"
    (folder / "apps" / "web").mkdir(parents=True)
    (folder / "apps" / "web" / "blueprint.toml").write_text(
        'blueprint = 1\nimage = { name = "web", base = "debian:x" }\n'
    )
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


def test_without_a_registry_it_builds_and_does_not_push(blueprint: Write) -> None:
    assert list(steps(blueprint())) == ["checkout", "Install imagegen", "Decide the tags", "Build"]


def test_it_writes_at_the_top_of_the_repository(invoke: Run, repository: Path) -> None:
    target = repository / ".github" / "workflows" / "web.yml"
    done = invoke("ci", "github", repository / "apps" / "web")
    assert done.stdout.splitlines() == [
        f"{target}: written",
        "  it does not push: image.registries does not say where to",
        "  the runner must have imagegen; else give --install COMMAND",
    ]
    assert "BLUEPRINT: apps/web/blueprint.toml\n" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o644
    assert invoke("ci", "github", repository / "apps" / "web").stdout.startswith(
        f"{target}: up to date"
    )
    assert list(target.parent.iterdir()) == [target]


def test_it_takes_the_blueprint_of_the_folder_that_one_is_in(
    repository: Path, monkeypatch: pytest.MonkeyPatch, invoke: Run
) -> None:
    monkeypatch.chdir(repository / "apps" / "web")
    done = invoke("ci", "github")
    assert done.stdout.startswith(f"{repository}/.github/workflows/web.yml: written\n")


def test_a_dash_prints_it(invoke: Run, repository: Path) -> None:
    done = invoke("ci", "github", repository / "apps" / "web", "-o", "-", "--install", "x")
    assert done.stdout.startswith(ci.MARK)
    assert yaml.safe_load(done.stdout)["name"] == "image web"
    assert not (repository / ".github").exists()


def test_outside_git_it_writes_beside_the_blueprint_and_says_so(
    invoke: Run, blueprint: Write
) -> None:
    path = blueprint()
    done = invoke("ci", "github", path, "--install", "x")
    assert done.stdout.splitlines() == [
        f"{path.parent}/.github/workflows/app.yml: written",
        "  it does not push: image.registries does not say where to",
        "  the blueprint is in no git repository; GitHub looks at the top of one",
    ]


def test_check_tells_a_file_that_differs(invoke: Run, repository: Path) -> None:
    words = ("ci", "github", repository / "apps" / "web")
    target = repository / ".github" / "workflows" / "web.yml"
    done = invoke(*words, "--check")
    assert (done.returncode, done.stderr) == (
        4,
        f"imagegen: {target} is missing; run imagegen ci github\n",
    )
    invoke(*words)
    assert invoke(*words, "--check").returncode == 0
    target.write_bytes(target.read_bytes() + b"\xff")
    done = invoke(*words, "--check")
    assert done.returncode == 4
    assert "differs from the blueprint" in done.stderr
    changed = target.read_bytes()
    done = invoke(*words)
    assert (done.returncode, target.read_bytes()) == (1, changed)
    assert "was changed since imagegen wrote it; --overwrite loses these changes" in done.stderr
    assert invoke(*words, "--overwrite").stdout.startswith(f"{target}: written")
    assert invoke(*words, "--check").returncode == 0


def test_what_the_blueprint_changes_is_written_without_asking(
    invoke: Run, repository: Path
) -> None:
    words = ("ci", "github", repository / "apps" / "web")
    invoke(*words)
    path = repository / "apps" / "web" / "blueprint.toml"
    path.write_text(path.read_text() + 'ci.schedule = "@weekly"\n')
    done = invoke(*words)
    assert ": written\n" in done.stdout
    assert "  - cron: 0 0 * * 0\n" in (repository / ".github/workflows/web.yml").read_text()


def test_a_file_of_somebody_else_is_left_alone(invoke: Run, repository: Path) -> None:
    target = repository / "mine.yml"
    target.write_text("name: mine\n")
    done = invoke("ci", "github", repository / "apps" / "web", "-o", target)
    assert (done.returncode, target.read_text()) == (1, "name: mine\n")
    assert done.stderr == f"imagegen: {target} is not imagegen's; choose another --output\n"


@pytest.mark.parametrize("place", ["apps", "apps/web/blueprint.toml/x.yml", "/proc/x/y.yml"])
def test_a_target_that_can_not_be_written_is_an_error(
    invoke: Run, repository: Path, place: str
) -> None:
    before = sorted(repository.rglob("*"))
    done = invoke("ci", "github", repository / "apps" / "web", "-o", repository / place)
    assert done.returncode == 1
    assert done.stderr.startswith(f"imagegen: {repository / place}: ")
    assert sorted(repository.rglob("*")) == before
