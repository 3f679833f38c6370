"""--set: a key laid over the blueprint, from the command line; and what wrong options end with."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from imagegen.cli import app
from imagegen.errors import BlueprintError, UsageError
from imagegen.language import Blueprint
from imagegen.plan import plan
from imagegen.read import Variant, read

Write = Callable[..., Path]
Run = Callable[..., CompletedProcess[str]]

TEXT = """\
args = { app = "1" }
users.web.uid = 1200
env.A = "{{ app }}"
ports.web = 80
packages.apt = ["curl"]
steps = [{ name = "make", run = "make" }]
files."/etc/x.d/a=b" = { text = "x" }
services.web = { run = "web", stop-timeout = "5s" }
config.defaults = { n = 1 }
"""
COMMANDS = [
    *(str(command.name) for command in app.registered_commands),
    *("ci github",),
]
READERS = sorted(set(COMMANDS) - {"new", "schema", "docs", "doctor"})
"""The commands that take a blueprint."""


def read_with(path: Path, *options: str) -> tuple[Variant, ...]:
    return read(path, options=options)


def one(path: Path, *options: str) -> Blueprint:
    [variant] = read_with(path, *options)
    return variant.blueprint


def said(path: Path, *options: str) -> str:
    with pytest.raises(BlueprintError) as caught:
        read_with(path, *options)
    return str(caught.value)


# --- what it means --------------------------------------------------------------------------------


def test_an_arg_is_text_whatever_it_looks_like(blueprint: Write) -> None:
    path = blueprint(TEXT)
    for value in ("2", "3.10", "true", "2024-01-02", "two words", "a=b", "", "[x", "1 # 2"):
        found = one(path, f"args.app={value}")
        assert found.args["app"] == value
        assert found.env["A"].default == value
    assert one(path, 'args.app="quoted"').args["app"] == "quoted"


def test_other_values_are_toml_if_they_can_be(blueprint: Write) -> None:
    path = blueprint(TEXT)
    assert one(path, "ports.web=81").ports["web"].port == 81
    assert one(path, "ports.web.publish=81").ports["web"].publish == "81"
    assert one(path, 'packages.apt=["...", "git"]').packages.apt.install == ("curl", "git")
    assert one(path, "config.defaults.n=2").config.defaults == {"n": 2}
    assert one(path, "config.defaults.n=two words").config.defaults == {"n": "two words"}
    assert one(path, 'env={ B = "2" }').env["B"].default == "2"
    assert one(path, "services.web=false").services["web"].run == "false"


def test_keys_are_written_as_in_toml(blueprint: Write) -> None:
    found = one(blueprint(TEXT), 'files."/etc/x.d/a=b".text=c=d', " env . B = 3")
    assert found.files["/etc/x.d/a=b"].text == "c=d"
    assert found.env["B"].default == " 3"


def test_a_step_is_found_by_its_name(blueprint: Write) -> None:
    path = blueprint(TEXT)
    for option in ("steps.make.run=true", "steps.make=true", 'steps.make={ run = "true" }'):
        assert [step.run for step in one(path, option).steps] == ["true"]
    complaint = said(path, "steps.mak.run=true")
    assert complaint.startswith("--set:1:7: steps[0].name: there is no such item of steps;")
    assert "did you mean make?" in complaint


def test_it_lies_above_overrides_and_the_later_above_the_former(blueprint: Write) -> None:
    text = (
        TEXT
        + """\
[matrix]
axes.lang = ["en"]
suffix = "-{{ lang }}"
[[override]]
when.lang = "en"
env.A = "over"
"""
    )
    path = blueprint(text)
    assert one(path).env["A"].default == "over"
    assert one(path, "env.A=1", "env.A=2").env["A"].default == "2"


def test_the_matrix_may_be_set(blueprint: Write) -> None:
    path = blueprint(TEXT + 'matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}" }\n')
    assert [v.axes for v in read_with(path, 'matrix.axes.lang=["fr"]')] == [{"lang": "fr"}]


def test_it_may_remove(blueprint: Write) -> None:
    assert one(blueprint(TEXT), 'remove=["services.web"]').services == {}


def test_own_files_are_beside_the_blueprint(blueprint: Write) -> None:
    path = blueprint(TEXT, {"mine": "x\n"})
    assert one(path, 'files."/m".file=mine').files["/m"].file == "mine"
    assert 'there is no "yours" beside the blueprint' in said(path, 'files."/m".file=yours')


def test_it_does_not_reach_blueprints_below(blueprint: Write) -> None:
    top = 'blueprint = 1\nimage = { name = "top", base.blueprint = "blueprint.toml" }\n'
    path = blueprint(TEXT, {"top.toml": top}).with_name("top.toml")
    [variant] = read_with(path, "env.A=2")
    assert variant.base
    assert variant.blueprint.env["A"].default == "2"
    assert variant.base.blueprint.env["A"].default == "1"


# --- what is wrong with it ------------------------------------------------------------------------


def test_a_value_that_is_refused_is_shown_in_the_option(blueprint: Write) -> None:
    complaint, *excerpt = said(blueprint(TEXT), "services.web.stop-timeout=1y").split("\n")
    assert complaint.startswith('--set:1:27: services.web.stop-timeout: "1y" is no duration; write')
    assert excerpt == [
        "    services.web.stop-timeout=1y",
        "                              ^^",
    ]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("servces.x=1", "--set:1:1: servces: unknown key; did you mean `services`?"),
        ("services.web.stop-timeuot=1s", "--set:1:14: services.web.stop-timeuot: unknown key; did"),
        ('env={ A = "1", B = 2 }', '--set:1:20: env.B: must be a string, not a number; write "2"'),
        ("ports.web=8o", "--set:1:11: ports.web: must be a whole number, not a string"),
        ("packages.apt=git", '--set:1:14: packages.apt: must be a list, not a string; write ["git'),
        ('remove=["services.wbe"]', '--set:1:9: remove[0]: there is no "wbe" in services below'),
        ("args.ap=2", "--set:1:6: args.ap: nothing uses this arg; did you mean app?"),
        ("env.A={{ ap }}", "--set:1:7: env.A: unknown name {{ ap }}; did you mean {{ app }}?"),
        ("image.name=", '--set:1:12: image.name: "" is no image name'),
        ('users.web={ shell = "x" }', "--set:1:21: users.web.shell:"),
    ],
)
def test_a_problem_points_into_the_option(option: str, complaint: str, blueprint: Write) -> None:
    assert complaint in said(blueprint(TEXT), option)


@pytest.mark.parametrize(
    "option",
    ["", "=", "x", "=1", "a b=1", "a..b=1", ".a=1", 'a."=1', 'extends=["nginx"]', "override=[]"],
)
def test_what_is_no_key_with_a_value_is_wrong_usage(option: str, blueprint: Write) -> None:
    with pytest.raises(UsageError, match=r"^--set "):
        read_with(blueprint(TEXT), option)


def test_a_table_that_lacks_something_is_shown_in_the_file(blueprint: Write) -> None:
    path = blueprint('services.web.stop-timeout = "5s"\nusers.web.uid = 1200\n')
    complaint = said(path, "services.web.stop-timeout=6s")
    assert complaint.startswith(f"{path}:4:")
    assert "needs `run`" in complaint


@given(st.text(max_size=30), st.sampled_from(["", "env.A=", "args.", "steps.make", "files."]))
def test_any_option_is_laid_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, head: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-option"
    folder.mkdir(exist_ok=True)
    name = 'blueprint = 1\nimage = { name = "x", base = "debian:bookworm-slim" }\n'
    (folder / "blueprint.toml").write_text(name + TEXT)
    with suppress(BlueprintError, UsageError):
        plan(read_with(folder, head + text))


# --- on the command line --------------------------------------------------------------------------


@pytest.mark.parametrize("command", READERS)
def test_every_command_that_reads_a_blueprint_has_it(command: str, blueprint: Write) -> None:
    words = [*command.split(), *(["env.A"] if command == "explain" else []), str(blueprint(TEXT))]
    for option, kind, start in (
        ("services.web.stop-timeout=1y", BlueprintError, "--set:1:27: services.web.stop-timeout:"),
        ("nonsense", UsageError, '--set "nonsense": write KEY=VALUE'),
    ):
        done = CliRunner().invoke(app, [*words, "--set", option])
        assert isinstance(done.exception, kind)
        assert str(done.exception).startswith(start)
        assert done.stdout == ""


def test_several_are_laid_in_their_order(imagegen: Run, blueprint: Write) -> None:
    words = ["--set", "image.name=other", "--set", "env.A=1=2", "--set", "env.A=3"]
    [planned] = json.loads(imagegen("plan", blueprint(TEXT), "--json", *words).stdout)
    assert (planned["image"], planned["env"]["A"]) == ("other", "3")


def test_the_job_of_ci_sets_what_it_was_written_with(imagegen: Run, blueprint: Write) -> None:
    words = ["--set", "args.app=${{ x || y }} '\"", "--set", "env.A=1"]
    done = imagegen("ci", "github", blueprint(TEXT), "-o", "-", *words)
    assert 'imagegen build --set "$SET_1" --set "$SET_2" -- "$BLUEPRINT"' in done.stdout
    assert "args.app=${{ '${{' }} x || y }}" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--print", "docker", "--variant", "nope"],
        ["run", "--print", "docker", "--env", "=x"],
        ["run", "--print", "docker", "--env", "a b=x"],
        ["run", "--print", "docker", "--name", "/"],
        ["new", "--no-input", "--template", "nope"],
        ["new", "--no-input", "--set", "nope=1"],
        ["new", "--no-input", "--set", "name"],
        ["new", "--no-input", "--set", "name=A B"],
    ],
    ids=" ".join,
)
def test_a_wrong_value_of_an_option_ends_in_2(
    words: list[str], imagegen: Run, blueprint: Write
) -> None:
    done = imagegen(words[0], *([blueprint(TEXT)] if words[0] == "run" else []), *words[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("imagegen: ")
