"""Layers: bases below, overrides on top, and the rules by which they merge."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import BlueprintError
from imagegen.plan import Plan, plan
from imagegen.plan.chain import with_bases
from imagegen.read import Variant, read
from imagegen.read.document import Node, document, plain
from imagegen.read.layers import Layers as Row
from imagegen.read.merge import Merge
from imagegen.read.normal import normal
from imagegen.read.read import SHAPE
from imagegen.read.source import Source
from imagegen.render import rendered

Write = Callable[..., Path]
Layers = Callable[..., tuple[Variant, ...]]

SOURCE = Source(Path("b.toml"), "b.toml", "")


def node(value: object) -> Node:
    return normal(document(value, SOURCE), SHAPE)


def merged(*layers: object) -> Any:  # noqa: ANN401 -- whatever TOML can say
    """Lay plain documents over each other, the lowest first; none may complain."""
    merge = Merge()
    below: Node | None = None
    for layer in layers:
        below = merge.over(below, node(layer), SHAPE)
    assert merge.problems == []
    return plain(below) if below else None


# --- merging --------------------------------------------------------------------------------------

MERGES: dict[str, tuple[object, object, object]] = {
    "tables merge key by key": (
        {"env": {"A": {"default": "1"}, "B": {"default": "2"}}},
        {"env": {"B": {"default": "3"}, "C": {"default": "4"}}},
        {"env": {"A": {"default": "1"}, "B": {"default": "3"}, "C": {"default": "4"}}},
    ),
    "a bare value is its table": (
        {"volumes": {"a": {"path": "/a", "owner": "app"}}},
        {"volumes": {"a": "/b"}},
        {"volumes": {"a": {"path": "/b", "owner": "app"}}},
    ),
    "of scalars the upper wins": (
        {"image": {"name": "a", "title": "x"}},
        {"image": {"name": "b"}},
        {"image": {"name": "b", "title": "x"}},
    ),
    "of lists the upper wins": (
        {"image": {"registries": ["a", "b"]}},
        {"image": {"registries": ["c"]}},
        {"image": {"registries": ["c"]}},
    ),
    "... is the lower list": (
        {"packages": {"apt": ["a", "b"]}},
        {"packages": {"apt": ["c", "...", "d"]}},
        {"packages": {"apt": {"install": ["c", "a", "b", "d"]}}},
    ),
    "... twice is the lower list twice": (
        {"image": {"registries": ["a"]}},
        {"image": {"registries": ["...", "..."]}},
        {"image": {"registries": ["a", "a"]}},
    ),
    "... in the JSON of the app": (
        {"config": {"defaults": {"list": [1], "x": {"y": 1}}}},
        {"config": {"defaults": {"list": ["...", 2], "x": {"z": 2}}}},
        {"config": {"defaults": {"list": [1, 2], "x": {"y": 1, "z": 2}}}},
    ),
    "a step of the same name merges in its place": (
        {"steps": [{"name": "a", "run": "1"}, {"name": "b", "run": "2", "user": "u"}]},
        {"steps": [{"run": "3"}, {"name": "b", "run": "4"}]},
        {
            "steps": [
                {"name": "a", "run": "1"},
                {"name": "b", "run": "4", "user": "u"},
                {"run": "3"},
            ]
        },
    ),
    "steps before ... come first": (
        {"steps": [{"run": "1"}]},
        {"steps": [{"run": "0"}, "...", {"run": "2"}]},
        {"steps": [{"run": "0"}, {"run": "1"}, {"run": "2"}]},
    ),
    "an alternative drops the other": (
        {"services": {"a": {"file": "a.sh", "user": "u"}}},
        {"services": {"a": {"run": "b"}}},
        {"services": {"a": {"run": "b", "user": "u"}}},
    ),
    "an alternative that is not chosen stays": (
        {"services": {"a": {"start": {"run": "a"}, "stop": {"run": "b"}}}},
        {"services": {"a": {"start": {"user": "u"}, "pidfile": "/p"}}},
        {
            "services": {
                "a": {"start": {"run": "a", "user": "u"}, "stop": {"run": "b"}, "pidfile": "/p"}
            }
        },
    ),
    "a base image drops an own base": (
        {"image": {"base": {"blueprint": "base"}}},
        {"image": {"base": "debian:x"}},
        {"image": {"base": {"image": "debian:x"}}},
    ),
    "a table takes the place of what is no table": (
        {"config": {"defaults": {"x": 1}}},
        {"config": {"defaults": {"x": {"y": 2}}}},
        {"config": {"defaults": {"x": {"y": 2}}}},
    ),
}


@pytest.mark.parametrize(("lower", "upper", "result"), MERGES.values(), ids=MERGES.keys())
def test_merging(lower: object, upper: object, result: object) -> None:
    assert merged(lower, upper) == result


@pytest.mark.parametrize(
    "upper",
    [
        {"image": {"registries": ["..."]}},
        {"steps": ["...", {"run": "x"}]},
        {"steps": [{"name": "new", "copy": ["..."]}]},
        {"services": {"new": {"run": ["x", "..."]}}},
    ],
    ids=str,
)
def test_dots_without_a_list_below_are_a_problem(upper: object) -> None:
    merge = Merge()
    merge.over(node({"image": {"name": "a"}}), node(upper), SHAPE)
    assert [
        '"..." stands for a list below; there is none' in p.message for p in merge.problems
    ] == [True]


names = st.sampled_from("abc")
values = st.text("xyz", max_size=3)
commands = st.fixed_dictionaries(
    {}, optional={"run": values | st.lists(values, max_size=2), "user": values, "workdir": values}
)
steps = st.lists(st.tuples(names, commands), unique_by=lambda item: item[0], max_size=3).map(
    lambda items: [{"name": name, **rest} for name, rest in items]
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "image": st.fixed_dictionaries(
            {}, optional={"name": values, "registries": st.lists(values, max_size=2)}
        ),
        "env": st.dictionaries(names, values, max_size=3),
        "steps": steps,
        "services": st.dictionaries(names, commands, max_size=3),
        "config": st.fixed_dictionaries(
            {}, optional={"defaults": st.dictionaries(names, st.integers(), max_size=3)}
        ),
    },
)


@given(documents)
def test_a_document_over_nothing_and_nothing_over_it_is_itself(one: Mapping[str, object]) -> None:
    alone = plain(node(one))
    assert merged(one) == alone
    assert merged({}, one) == alone
    assert merged(one, {}) == alone


@given(documents)
def test_a_document_over_itself_is_itself(one: Mapping[str, object]) -> None:
    assert merged(one, one) == plain(node(one))


@given(documents, documents, documents)
def test_layers_merge_in_any_grouping(one: object, two: object, three: object) -> None:
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


@given(st.lists(documents, min_size=1, max_size=5))
def test_many_layers_are_laid_as_one_after_the_other(some: list[object]) -> None:
    laid, problems = Row([node(one) for one in some], (), SHAPE).laid({})
    assert problems == []
    assert plain(laid) == merged(*some)


@given(documents, documents)
def test_merging_changes_no_layer(one: object, two: object) -> None:
    before = copy.deepcopy((one, two))
    merged(one, two)
    assert (one, two) == before


# --- overrides ------------------------------------------------------------------------------------

MATRIX = """
matrix.axes = { java = ["17", "21"], os = ["a", "b"] }
matrix.suffix = "-{{ java }}-{{ os }}"
"""


@pytest.fixture
def layers(blueprint: Write) -> Layers:
    """Read a blueprint; files beside it by name."""

    def variants(text: str, files: Mapping[str, str] | None = None) -> tuple[Variant, ...]:
        return read(blueprint(text, files))

    return variants


def env(variants: tuple[Variant, ...], name: str) -> dict[str, str | None]:
    """The value of a variable in each variant."""
    return {
        "".join(one.axes.values()): one.blueprint.env[name].default
        for one in variants
        if name in one.blueprint.env
    }


def test_overrides_are_laid_on_in_their_order(layers: Layers) -> None:
    text = MATRIX + (
        'env.A = "0"\n'
        '[[override]]\nwhen.java = "*"\nenv.A = "1"\n'
        '[[override]]\nwhen.java = "21"\nenv.A = "2"\n'
        '[[override]]\nwhen.os = "b"\nenv.A = "3"\n'
    )
    assert env(layers(text), "A") == {"17a": "1", "17b": "3", "21a": "2", "21b": "3"}


def test_all_axes_must_fit_and_of_a_list_one_glob(layers: Layers) -> None:
    text = MATRIX + '[[override]]\nwhen = { java = ["9", "2?"], os = "[b-z]" }\nenv.A = "1"\n'
    assert env(layers(text), "A") == {"21b": "1"}


def test_an_override_may_change_args_and_what_is_made_of_them(layers: Layers) -> None:
    text = MATRIX + (
        'args.x = "{{ java }}"\nenv.A = "{{ x }}"\n'
        '[[override]]\nwhen = { java = "21", os = "a" }\nargs.x = "new"\n'
    )
    assert env(layers(text), "A") == {"17a": "17", "17b": "17", "21a": "new", "21b": "21"}


def test_a_bare_value_in_an_override_is_its_table(layers: Layers) -> None:
    text = MATRIX + (
        'packages.apt = { install = ["a"], recommends = true }\n'
        '[[override]]\nwhen.java = "21"\npackages.apt = ["...", "b"]\n'
    )
    found = [
        (v.blueprint.packages.apt.install, v.blueprint.packages.apt.recommends)
        for v in layers(text)
    ]
    assert found == [(("a",), True)] * 2 + [(("a", "b"), True)] * 2


def test_part_of_image_can_be_overridden(layers: Layers) -> None:
    text = (
        MATRIX + '[[override]]\nwhen.java = "21"\nimage = { base = "ubuntu:24.04", title = "T" }\n'
    )
    images = [variant.blueprint.image for variant in layers(text)]
    assert [(i.name, i.base.image, i.title) for i in images] == [
        ("app", "debian:bookworm-slim", None),
        ("app", "debian:bookworm-slim", None),
        ("app", "ubuntu:24.04", "T"),
        ("app", "ubuntu:24.04", "T"),
    ]


def test_a_step_is_overridden_by_its_name_in_its_place(layers: Layers) -> None:
    text = MATRIX + (
        'steps = [{ name = "get", run = "one" }, { run = "two" }]\n'
        '[[override]]\nwhen.java = "21"\n'
        'steps = [{ name = "get", run = "new" }, { run = "last" }]\n'
    )
    runs = [[step.run for step in variant.blueprint.steps] for variant in layers(text)]
    assert runs == [["one", "two"]] * 2 + [["new", "two", "last"]] * 2


def test_an_alternative_of_the_override_drops_the_other(layers: Layers) -> None:
    text = MATRIX + (
        'files."/x".text = "1"\n[[override]]\nwhen.java = "21"\nfiles."/x".link = "/y"\n'
    )
    contents = [variant.blueprint.files["/x"] for variant in layers(text)]
    assert [(c.text, c.link) for c in contents] == [("1", None)] * 2 + [(None, "/y")] * 2


# --- bases ----------------------------------------------------------------------------------------

BASE = """
blueprint = 1
image = { name = "low", base = "debian:bookworm-slim", version = "9", title = "Low" }
matrix = { axes.java = ["17", "21"], suffix = "-{{ java }}" }
args.home = "/srv/low"
users.app = { uid = 1000, home = "{{ home }}" }
packages.apt = ["curl"]
steps = [{ run = "true" }]
files."/etc/low".text = "x"
env = { HOME_OF = "{{ home }} {{{{ x }} {{ image.name }}", JAVA = "{{ java }}" }
container = { user = "app", ulimits.nofile = 9 }
config.defaults = { a = [1], java = "{{ java }}" }
ports.web = 8080
volumes.data = "{{ home }}/data"
services.web = { file = "bin/web", after = ["db"] }
services.db = { run = "db" }
jobs.clean = { schedule = "@daily", file = "bin/web" }
logs."{{ home }}/*.log".delete-after = "7d"
tags.release = ["low"]
"""
FILES = {"base/blueprint.toml": BASE, "base/bin/web": "#!/bin/sh\n", "child/app": "x"}
CHILD = """
blueprint = 1
image = { name = "up", base.blueprint = "../base" }
matrix.suffix = "-{{ java }}"
"""


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Path]:
    """Write a blueprint on BASE, and give its path; `files` are beside its folder."""

    def write(text: str = "", head: str = CHILD, **files: str) -> Path:
        contents = {**FILES, **files, "child/blueprint.toml": head + text}
        for name, content in contents.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path / "child" / "blueprint.toml"

    return write


def complaints(path: Path) -> list[str]:
    """Each with its place, from the folder of the test on."""
    with pytest.raises(BlueprintError) as caught:
        plan(read(path))
    top = f"{path.parents[1]}/"
    return [f"{p.file.removeprefix(top)}:{p.line}: {p.message}" for p in caught.value.problems]


def test_the_axes_of_the_base_come_along(child: Write) -> None:
    variants = read(child())
    assert [dict(one.axes) for one in variants] == [{"java": "17"}, {"java": "21"}]
    assert [dict(one.base.axes) for one in variants if one.base] == [one.axes for one in variants]


def test_what_starts_comes_from_the_base_and_what_is_built_does_not(child: Write) -> None:
    blueprint = read(child())[0].blueprint
    given = blueprint.model_fields_set
    assert given - {"blueprint", "image", "matrix"} == {
        *("users", "env", "container", "config", "ports", "volumes", "services", "jobs", "logs")
    }
    assert (blueprint.image.version, blueprint.image.title) == (None, None)


def test_what_the_base_filled_in_is_not_filled_in_again(child: Write) -> None:
    blueprint = read(child('args.home = "/elsewhere"'))[1].blueprint
    assert blueprint.env["HOME_OF"].default == "/srv/low {{ x }} low"
    assert blueprint.env["JAVA"].default == "21"
    assert list(blueprint.logs) == ["/srv/low/*.log"]
    assert blueprint.users["app"].home == "/srv/low"


def test_names_of_the_base_that_are_facts_are_known_above_its_args_are_not(child: Write) -> None:
    text = 'env.A = "{{ ports.web }} {{ volumes.data }} {{ users.app.home }} {{ image.name }}"'
    assert read(child(text))[0].blueprint.env["A"].default == "8080 /srv/low/data /srv/low up"
    (said,) = complaints(child('env.A = "{{ home }}"'))
    assert said.startswith("child/blueprint.toml:5: env.A: unknown name {{ home }}; known: ")


def test_the_child_lays_its_own_over_the_base(child: Write) -> None:
    text = (
        'env.JAVA = "mine"\nports.web = { port = 81 }\nports.more = 82\n'
        'config.defaults = { a = ["...", 2], b = 1 }\nservices.db = { run = "other" }\n'
        "container.ulimits.nproc = 5\n"
    )
    blueprint = read(child(text))[0].blueprint
    assert blueprint.env["JAVA"].default == "mine"
    assert {name: port.port for name, port in blueprint.ports.items()} == {"web": 81, "more": 82}
    assert blueprint.config.defaults == {"a": [1, 2], "b": 1, "java": "17"}
    assert blueprint.services["db"].run == "other"
    assert dict(blueprint.container.ulimits) == {"nofile": "9", "nproc": "5"}


def test_an_alternative_of_the_child_drops_that_of_the_base(child: Write) -> None:
    service = read(child('services.web.run = "own"'))[0].blueprint.services["web"]
    assert (service.run, service.file, service.after) == ("own", None, ("db",))


def test_own_files_of_the_base_are_found_from_its_folder(child: Write) -> None:
    path = child('services.own = { file = "app" }')
    (planned, _) = plan(read(path))
    scripts = {s.name: s.run.script for s in planned.services if s.run and s.run.script}
    assert scripts == {
        "web": path.parents[1] / "base/bin/web",
        "own": path.parent / "app",
    }
    assert planned.jobs[0].command.script == path.parents[1] / "base/bin/web"


def test_naming_an_axis_of_the_base_again_narrows_it(child: Write) -> None:
    variants = read(child('matrix.axes = { java = ["21"], os = ["a", "b"] }', head=CHILD))
    assert [dict(one.axes) for one in variants] == [
        {"java": "21", "os": "a"},
        {"java": "21", "os": "b"},
    ]
    assert variants[0].base is variants[1].base


FIXED = CHILD.replace('blueprint = "../base"', '= { blueprint = "../base", variant.java = "21" }')
FIXED = FIXED.replace("base.=", "base =").replace('matrix.suffix = "-{{ java }}"\n', "")


def test_a_fixed_axis_is_no_axis_but_a_name(child: Write) -> None:
    (only,) = read(child('env.A = "on {{ java }}"', head=FIXED))
    assert dict(only.axes) == {}
    assert only.blueprint.env["A"].default == "on 21"
    assert only.base
    assert dict(only.base.axes) == {"java": "21"}


def test_an_override_of_the_child_may_fit_an_axis_of_the_base(child: Write) -> None:
    variants = read(child('[[override]]\nwhen.java = "21"\nenv.A = "1"'))
    assert ["A" in one.blueprint.env for one in variants] == [False, True]


def test_an_override_may_choose_the_variant_of_the_base(child: Write) -> None:
    head = FIXED + 'matrix = { axes.os = ["a", "b"], suffix = "-{{ os }}" }\n'
    text = '[[override]]\nwhen.os = "b"\nimage.base.variant.java = "17"\n'
    bases = [one.base for one in read(child(text, head=head))]
    assert [base and dict(base.axes) for base in bases] == [{"java": "21"}, {"java": "17"}]


def test_two_bases_of_one_blueprint_do_not_clash(child: Write) -> None:
    other = BASE.replace('"low"', '"other"').replace("matrix =", "# matrix =")
    other = other.replace("{{ java }}", "x")
    head = CHILD.replace("{{ java }}", "{{ os }}").replace("../base", "../a")
    text = 'matrix.axes.os = ["a", "b"]\n[[override]]\nwhen.os = "b"\nimage.base.blueprint = "../b"'
    path = child(
        text,
        head=head,
        **{
            "a/blueprint.toml": other,
            "a/bin/web": "",
            "b/blueprint.toml": other.replace('"other"', '"another"'),
            "b/bin/web": "",
        },
    )
    assert [one.parent.image for one in plan(read(path)) if one.parent] == ["other", "another"]


GRANDCHILD = """
blueprint = 1
image = { name = "top", base.blueprint = "../child" }
matrix.suffix = "-{{ java }}"
env.TOP = "1"
"""


def test_chains_may_be_longer(child: Write) -> None:
    path = child(
        'env.UP = "1"\nservices.own = { file = "app" }', **{"top/blueprint.toml": GRANDCHILD}
    )
    plans = plan(read(path.parents[1] / "top"))
    assert [(one.image, one.variant) for one in with_bases(plans)] == [
        *[("low", "17"), ("up", "17"), ("top", "17")],
        *[("low", "21"), ("up", "21"), ("top", "21")],
    ]
    top = plans[0]
    assert {"HOME_OF", "UP", "TOP"} <= set(top.env)
    assert dict(top.new_env) == {"TOP": "1"}
    assert [s.run.script for s in top.services if s.name == "own" and s.run] == [
        path.parent / "app"
    ]
    assert top.packages == ()  # the runtime is in the lowest


def test_a_base_that_several_levels_stand_on_is_planned_once(child: Write) -> None:
    head = CHILD.replace("{{ java }}", "{{ java }}-{{ os }}")
    text = (
        'matrix.axes.os = ["a", "b"]\n[[override]]\nwhen.os = "b"\nimage.base.blueprint = "../mid"'
    )
    mid = CHILD.replace('"up"', '"mid"')
    plans = plan(read(child(text, head=head, **{"mid/blueprint.toml": mid})))
    images = [(one.image, one.variant) for one in with_bases(plans)]
    assert len(images) == len(set(images))
    assert len(rendered(plans)) == len(images)


def test_a_base_may_be_a_file_or_a_folder(child: Write) -> None:
    folder = read(child())
    file = read(child(head=CHILD.replace("../base", "../base/blueprint.toml")))
    assert [one.axes for one in file] == [one.axes for one in folder]


def test_a_linked_blueprint_finds_its_base_beside_the_real_one(
    child: Write, tmp_path: Path
) -> None:
    path = child()
    link = tmp_path / "far" / "away" / "link.toml"
    link.parent.mkdir(parents=True)
    link.symlink_to(path)
    assert len(read(link)) == 2


def test_a_wrong_base_shows_its_own_problems_at_their_place(child: Write) -> None:
    wrong = BASE.replace("8080", "70000").replace('user = "app"', 'user = "nobody"')
    said = complaints(child(**{"base/blueprint.toml": wrong}))
    assert [line.partition(": ")[0] for line in said] == [
        "base/blueprint.toml:11",
        "base/blueprint.toml:13",
    ]


def test_what_is_wrong_with_an_inherited_value_is_told_at_the_base(child: Write) -> None:
    (said,) = complaints(child("ports.x = 8080"))
    assert said == "child/blueprint.toml:5: ports.x: 8080 is the port web already"
    (said,) = complaints(child("services.db.health.tcp = 'x:1'\nservices.db.run = ['']"))
    assert said.startswith("child/blueprint.toml:6: services.db.run: ")
    (said,) = complaints(child('steps = [{ copy = ["blueprint.toml"], to = "/srv/low/data/x" }]'))
    assert said.startswith("child/blueprint.toml:5: steps[0].to: lies in the volume")


def test_a_user_of_the_base_can_not_be_made_otherwise(child: Write) -> None:
    (said,) = complaints(child("users.app.uid = 1001"))
    assert (
        said
        == "child/blueprint.toml:5: users.app.uid: the base has made this user; change it there"
    )
    assert len(read(child("users.app.uid = 1000"))) == 2


def test_a_circle_of_bases_is_shown(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        text = f'blueprint = 1\nimage = {{ name = "{name}", base.blueprint = "{other}.toml" }}\n'
        (tmp_path / f"{name}.toml").write_text(text)
    with pytest.raises(BlueprintError, match=r"in a circle: a.toml → b.toml → c.toml → a.toml"):
        read(tmp_path / "a.toml")


def test_the_context_says_the_digest_of_the_base(child: Write) -> None:
    plans = plan(read(child()))
    low, up = rendered(plans[:1])
    dockerfile = {str(p): e for p, e in up.tree.items()}["Dockerfile"]
    assert f"FROM {low.reference}\n".encode() in dockerfile.read()  # type: ignore[union-attr]


def test_plans_of_a_chain_are_json(child: Write) -> None:
    assert isinstance(plan(read(child()))[0].parent, Plan)
    assert json.loads(json.dumps(plan(read(child()))[0].references)) == ["up:local-17"]
