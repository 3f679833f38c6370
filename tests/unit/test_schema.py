"""The JSON Schema of a blueprint: what editors accept, refuse and say.

blueprints/blueprint.schema.json is renewed by

    imagegen schema > blueprints/blueprint.schema.json
"""

import copy
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli
from jsonschema import Draft202012Validator

from imagegen.act.scaffold import scaffold
from imagegen.language import Blueprint
from imagegen.language.about import keys, tables
from imagegen.read import read
from imagegen.read.normal import Shape, shape_of
from imagegen.read.overrides import NEVER
from imagegen.render.schema import schema, schema_text

TOP = Path(__file__).parents[2]
PUBLISHED = TOP / "blueprints" / "blueprint.schema.json"
PROBLEMS = TOP / "tests" / "problems"
EXAMPLES = sorted((TOP / "examples").rglob("blueprint.toml"))
EVERYTHING = PROBLEMS / "valid" / "everything.toml"
RIGHT = [
    *EXAMPLES,
    *sorted((TOP / "tests" / "blueprints").rglob("blueprint.toml")),
    *sorted((PROBLEMS / "valid").glob("*.toml")),
]
SYSTEMS = [
    path
    for path in sorted((TOP / "tests" / "systems").rglob("*.toml"))
    if path.parent.name != "refused"
]
PARTS = sorted((TOP / "blueprints").glob("*.toml"))
# Mistakes that are seen without the rest of the file; the others need more than a schema can say.
SEEN = [
    *("address", "axis-of-numbers", "axis-that-is-a-string", "axis-without-values"),
    *("boolean-for-a-string", "control-character", "duration", "duration-of-nothing"),
    *("empty-command", "environment-as-a-list", "family-not-served", "file-absolute"),
    *("file-text-and-link", "fraction-for-a-whole-number", "image-name", "key-with-a-typo"),
    *("key-of-another-table", "key-with-underscore", "language-missing", "language-of-the-future"),
    *("list-for-a-table", "mode", "mode-as-a-number", "number-as-a-command", "package-name"),
    *("path-not-absolute", "port-out-of-range", "port-protocol", "probe-of-two-things"),
    *("registry", "required-key-missing", "required-keys-missing-in-tables"),
    *("schedule-with-four-fields", "service-name", "service-run-and-file", "size"),
    *("string-for-a-boolean", "string-for-a-list", "string-for-a-number", "uid-too-large"),
    *("ulimit", "user-name", "variable-as-a-list", "volume-source"),
]
HEAD = 'blueprint = 1\nimage = { name = "app", base = "debian:12" }\n'


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def said(text: str) -> list[str]:
    """What an editor would say of a blueprint."""
    return [error.message for error in validator().iter_errors(tomli.loads(text))]


def lint(
    files: Sequence[Path], folder: Path, *options: str
) -> tuple[dict[str, str], subprocess.CompletedProcess[str]]:
    """Let taplo look, without a network; gives what it says of each wrong file."""
    done = subprocess.run(
        [Path(sys.executable).parent / "taplo", "lint", "--no-auto-config", *options, *files],
        cwd=folder,
        env={**os.environ, "https_proxy": "http://127.0.0.1:9", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for part in re.split(r"^error: ", done.stderr, flags=re.MULTILINE)[1:]:
        place = re.search(r"─ (.*?):\d+:\d+", part)
        assert place, part
        found.setdefault(place[1], part)
    return found, done


needs_taplo = pytest.mark.skipif(
    not (Path(sys.executable).parent / "taplo").exists() and os.uname().machine == "aarch64",
    reason="there is no taplo for Linux on ARM",
)


# --- the file -------------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_language(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PUBLISHED.write_text(schema_text())
    how = "renew it: imagegen schema > blueprints/blueprint.schema.json"
    assert PUBLISHED.read_text() == schema_text(), how


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())
    assert {"$schema", "title", "description"} <= schema().keys()


def test_the_command_prints_it(imagegen: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert imagegen("schema").stdout == schema_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_leads_editors_to_it(path: Path) -> None:
    directive, _, target = path.read_text().partition("\n")[0].partition(" ")
    assert directive == "#:schema"
    assert (path.parent / target).resolve() == PUBLISHED


# --- every key ------------------------------------------------------------------------------------


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    whole = schema()
    for name, table in {"Blueprint": whole, **whole["$defs"]}.items():
        for key, said in table["properties"].items():
            yield f"{name}.{key}", said


def test_every_table_refuses_what_it_does_not_know() -> None:
    assert all(table["additionalProperties"] is False for table in schema()["$defs"].values())


def test_every_key_has_a_description_and_a_type_in_kebab_case() -> None:
    for name, said in properties():
        assert said["description"].rstrip().endswith("."), name
        assert {"type", "$ref", "enum"} & said.keys(), name
        assert re.fullmatch(r"[a-z-]+", name.partition(".")[2]), name


def test_every_example_and_default_is_right() -> None:
    definitions = schema()["$defs"]
    for name, said in properties():
        if name == "Blueprint.override":
            continue  # its parts refer to the whole; the next test looks at it
        check = Draft202012Validator({**said, "$defs": definitions})
        for value in [*said.get("examples", ()), *([said["default"]] if "default" in said else ())]:
            assert not [*check.iter_errors(value)], f"{name}: {value}"


def test_the_example_of_an_override_is_right() -> None:
    (example,) = schema()["properties"]["override"]["examples"]
    document = {**tomli.loads(HEAD), "override": example}
    assert not [*validator().iter_errors(document)]


def test_units_are_explained() -> None:
    stop = schema()["$defs"]["Service"]["properties"]["stop-timeout"]
    assert stop["description"].endswith(
        '\nDuration: a number and a unit: s, m, h or d, as in "30s", "5m", "1h30m" or "7d".'
    )
    assert stop["default"] == "30s"


# --- what it accepts ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_accepts_what_read_accepts(path: Path) -> None:
    assert read(path)
    assert said(path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        'image.base = "python:{{ python }}"',
        'packages.apt = ["openjdk-{{ java }}-jre", "..."]',
        'packages.apt.install = ["...", "curl"]',
        'steps = ["...", { run = "make" }]',
        'steps = ["make"]',
        'services.web = ["web", "--port", "80"]',
        'services.web.health = { http = "{{ url }}", interval = "{{ often }}" }',
        'ports.web = { port = 80, protocol = "{{ protocol }}", publish = "{{ address }}:80" }',
        'files."{{ home }}/x" = { text = "" }',
        'container.shm-size = "{{ size }}"',
        'users.app = { uid = 1, groups = ["..."] }',
    ],
)
def test_it_accepts_names_lists_of_the_layer_below_and_bare_values(text: str) -> None:
    lines = 'blueprint = 1\nimage.name = "app"\n'
    base = "" if text.startswith("image.base") else 'image.base = "debian:12"\n'
    assert said(f"{lines}{base}{text}\n") == []


def test_an_override_may_have_any_table_and_needs_only_when() -> None:
    override = schema()["properties"]["override"]["items"]["properties"]
    assert set(override) == {"when", *(key.name for key in keys(Blueprint))} - set(NEVER)
    text = """\
[[override]]
when = { lang = ["fr", "de-*"] }
image.base.family = "debian"
users.app.shell = "/bin/sh"
ports.web.publish = 80
jobs.clean = "rm -rf /tmp/x"
volumes.data.owner = "app"
services.web.start.user = "app"
steps = [{ name = "app", run = "make" }]
"""
    assert said(HEAD + text) == []
    assert said(HEAD + text.replace("when =", "whne ="))
    assert said(HEAD + text.replace("publish = 80", "publish = 70000.5"))


def test_what_overrides_or_a_base_of_ones_own_may_complete_is_not_required() -> None:
    part = 'services.web.start.user = "app"\nusers.app.home = "/x"\n'
    assert len(said(HEAD + part)) == 2
    assert said(HEAD + part + '[[override]]\nwhen.a = "b"\n') == []
    own = 'blueprint = 1\nimage = { name = "app", base = { blueprint = "base" } }\n'
    assert said(own + part) == []
    assert said("blueprint = 1\n" + part) == [], "a part"
    assert said('blueprint = 1\nextends = ["nginx"]\nimage.name = "app"\n' + part) == []
    assert said('blueprint = 1\nimage.name = "app"\n') == ["'base' is a required property"]


# --- what it refuses ------------------------------------------------------------------------------


def places(value: object, shape: Shape, path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Find every table of the language in a document."""
    if isinstance(value, dict):
        if shape.table:
            yield path, shape.table
        for key, item in value.items():
            yield from places(item, shape.key(key), (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, shape.key(""), (*path, number))


def test_it_refuses_an_unknown_key_in_every_table() -> None:
    document = tomli.loads(EVERYTHING.read_text())
    document["packages"] = {
        "apt": {"install": []},
        "yum": {"repositories": {"x": {"package": "x"}}},
    }
    document["override"] = [{"when": {"x": "y"}, "services": {"web": {"health": {"retries": 2}}}}]
    documents = [document, *(tomli.loads(p.read_text()) for p in RIGHT if p != EVERYTHING)]
    found = [(one, *place) for one in documents for place in places(one, shape_of(Blueprint))]
    missed = set(tables()) - {table for _, _, table in found}
    assert not missed, f"{missed}: put them into a file beside {EVERYTHING.name}"
    for right, path, _ in found:
        wrong = copy.deepcopy(right)
        table: Any = wrong
        for part in path:
            table = table[part]
        table["unknown-key"] = 1
        errors = [*validator().iter_errors(wrong)]
        assert [error.message for error in errors] == [
            "Additional properties are not allowed ('unknown-key' was unexpected)"
        ], path
        assert tuple(errors[0].absolute_path) == path


@needs_taplo
def test_taplo_accepts_every_right_blueprint(tmp_path: Path) -> None:
    made = scaffold("daemon", (), tmp_path, ask=False) / "blueprint.toml"
    files = [*RIGHT, *SYSTEMS, *PARTS, made]
    found, done = lint(files, tmp_path, "--schema", PUBLISHED.as_uri())
    assert (found, done.returncode) == ({}, 0)
    assert f"total={len(files)}" in done.stderr


@needs_taplo
def test_taplo_refuses_mistakes_that_a_schema_can_see(tmp_path: Path) -> None:
    wrong = [PROBLEMS / f"{name}.toml" for name in SEEN]
    found, _ = lint(wrong, tmp_path, "--schema", PUBLISHED.as_uri())
    assert set(found) == {str(path) for path in wrong}


@needs_taplo
def test_an_editor_names_the_wrong_key_below_a_table_that_may_be_a_bare_value(
    tmp_path: Path,
) -> None:
    path = tmp_path / "blueprint.toml"
    path.write_text(HEAD + '[services.web]\nrum = "x"\nrun = "y"\n')
    found, _ = lint([path], tmp_path, "--schema", PUBLISHED.as_uri())
    assert found[str(path)].startswith("Additional properties are not allowed ('rum' was unexpec")


@needs_taplo
def test_taplo_follows_the_comment_of_an_example(tmp_path: Path) -> None:
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / PUBLISHED.name).write_text(schema_text())
    path = tmp_path / "examples" / "hello" / "blueprint.toml"
    path.parent.mkdir(parents=True)
    text = (TOP / "examples" / "hello" / "blueprint.toml").read_text()
    path.write_text(text.replace("port = 8080\n", "port = 70000\n"))
    found, _ = lint([path], tmp_path)
    assert "70000 is greater than the maximum" in found[str(path)]
