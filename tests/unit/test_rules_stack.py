"""Rules 7, 8, 17 and 18 of the language, each in a section: variants, tags, stacks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.language.tags import KINDS
from imagegen.plan import plan
from imagegen.plan.event import Event
from imagegen.read import read

Write = Callable[..., Path]


def points(path: Path) -> list[str]:
    """Name each variant by its axes, in the order in which they are planned."""
    return [" ".join(f"{k}={v}" for k, v in one.axes.items()) for one in read(path)]


def complaints(path: Path) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        plan(read(path))
    return [problem.message for problem in caught.value.problems]


# --- Rule 7: axes multiply, `exclude` drops what it fits, `include` adds whole combinations -------

AXES = 'matrix.axes = { os = ["b", "a"], java = ["21", "17"] }\n'


def test_axes_multiply_by_name_and_values_stand_as_listed(blueprint: Write) -> None:
    assert points(blueprint(AXES)) == [
        *("java=21 os=b", "java=21 os=a", "java=17 os=b", "java=17 os=a"),
    ]
    assert points(blueprint()) == [""]


def test_exclude_drops_what_all_its_axes_fit(blueprint: Write) -> None:
    text = AXES + 'matrix.exclude = [{ java = "1*", os = ["x", "a"] }, { java = "21", os = "b" }]\n'
    assert points(blueprint(text)) == ["java=21 os=a", "java=17 os=b"]


def test_include_adds_whole_combinations_behind_the_others(blueprint: Write) -> None:
    text = AXES + 'matrix.include = [{ os = "z", java = "25" }, { java = "11", os = "a" }]\n'
    assert points(blueprint(text))[3:] == ["java=17 os=a", "java=25 os=z", "java=11 os=a"]


def test_include_brings_back_what_exclude_dropped(blueprint: Write) -> None:
    text = (
        AXES + 'matrix.exclude = [{ java = "*" }]\nmatrix.include = [{ java = "17", os = "b" }]\n'
    )
    assert points(blueprint(text)) == ["java=17 os=b"]


def test_a_default_may_be_one_that_is_included(blueprint: Write) -> None:
    text = f'{AXES}matrix.include = [{{ java = "25", os = "z" }}]\n'
    assert len(points(blueprint(text + 'matrix.default = { java = "25", os = "z" }'))) == 5
    assert complaints(blueprint(text + 'matrix.default = { java = "25", os = "b" }')) == [
        "matrix.default: is no variant: no combination is like that"
    ]


def test_names_are_not_filled_in_where_values_of_axes_stand(blueprint: Write) -> None:
    text = AXES + 'args.old = "17"\nmatrix.exclude = [{ java = "{{ old }}" }]\n'
    assert complaints(blueprint(text)) == [
        "matrix.exclude[0].java: fits no combination of the axes",
    ]


BASE = """blueprint = 1
image = { name = "below", base = "debian:12" }
matrix.axes = { os = ["a", "b"], java = ["17", "21"] }
matrix.exclude = [{ os = "a", java = "21" }]
"""


def test_what_a_base_leaves_out_is_left_out_above_it(blueprint: Write) -> None:
    above = 'blueprint = 1\nimage = { name = "above", base.blueprint = "base" }\n'
    path = blueprint("", {"base/blueprint.toml": BASE, "above.toml": above}).parent / "above.toml"
    assert points(path) == ["java=17 os=a", "java=17 os=b", "java=21 os=b"]
    path.write_text(above + 'matrix.axes.lang = ["en", "de"]\nmatrix.exclude = [{ os = "b" }]\n')
    assert points(path) == ["java=17 lang=en os=a", "java=17 lang=de os=a"]
    path.write_text(above + 'matrix.include = [{ os = "a", java = "21" }]\n')
    assert complaints(path) == [
        "matrix.include[0]: the base has no variant that fits this one",
    ]
    path.write_text(above + 'matrix.exclude = [{ os = "a", java = "21" }]\n')
    assert complaints(path) == ["matrix.exclude[0]: fits no combination of the axes"]


# --- Rule 8: overrides are for the variants that there are ----------------------------------------


def test_an_override_is_laid_over_what_is_included_too(blueprint: Write) -> None:
    text = AXES + 'matrix.include = [{ os = "z", java = "25" }]\n[[override]]\nwhen.os = "z"\n'
    text += 'env.NEW = "yes"\n'
    found = {one.axes["os"]: dict(one.blueprint.env) for one in read(blueprint(text))}
    assert set(found["z"]) == {"NEW"}
    assert found["a"] == found["b"] == {}


def test_an_override_that_fits_only_what_is_excluded_fits_no_variant(blueprint: Write) -> None:
    text = AXES + 'matrix.exclude = [{ os = "a", java = "17" }]\n[[override]]\n'
    text += 'when = { os = "a", java = "17" }\nenv.X = "y"\n'
    assert complaints(blueprint(text)) == ["override[0].when: fits no variant"]


def test_overrides_are_laid_in_order_over_all_variants_that_fit(blueprint: Write) -> None:
    text = AXES + (
        '[[override]]\nwhen.java = ["2*", "9"]\nenv.X = "first"\nenv.Y = "first"\n'
        '[[override]]\nwhen = { java = "21", os = "a" }\nenv.X = "second"\n'
    )
    found = {
        f"{one.axes['java']}{one.axes['os']}": [v.default for v in one.blueprint.env.values()]
        for one in read(blueprint(text))
    }
    assert found == {
        "21b": ["first", "first"],
        "21a": ["second", "first"],
        "17b": [],
        "17a": [],
    }


# --- Rule 17: an event's rules give tags; fixed ones are made, moving ones move with the highest --

TAGS = ("v1.0.0", "v1.2.0", "v2.0.0", "v3.0.0-rc.1", "snapshot-7", "noise")


def given(path: Path, kind: str, name: str) -> tuple[str, ...]:
    """What an event gives; nothing where it is built only."""
    event = Event(kind=kind, name=name, sha="0123456789", tags=(*TAGS, name), time=0)  # type: ignore[arg-type]
    (planned,) = plan(read(path), event)
    return planned.tags if planned.released else ()


EACH = """
[tags]
release = ["{{ git.version }}", "latest"]
prerelease = ["{{ git.version }}", "next"]
tag = { "snapshot-*" = ["{{ git.tag }}", "snapshot"] }
branch = { main = ["edge"] }
schedule = { main = ["nightly"], "*" = ["nightly-{{ git.branch }}-{{ git.sha }}"] }
pull-request = ["pr-{{ git.pr }}"]
"""


@pytest.mark.parametrize(
    ("kind", "name", "tags"),
    [
        ("tag", "v2.1.0", ("2.1.0", "latest")),
        ("tag", "v1.2.1", ("1.2.1",)),
        ("tag", "v3.0.0-rc.2", ("3.0.0-rc.2", "next")),
        ("tag", "v0.1.0-rc.2", ("0.1.0-rc.2", "next")),
        ("tag", "snapshot-8", ("snapshot-8", "snapshot")),
        ("tag", "noise", ()),
        ("branch", "main", ("edge",)),
        ("branch", "x", ()),
        ("schedule", "main", ("nightly", "nightly-main-0123456")),
        ("schedule", "x/y", ("nightly-x-y-0123456",)),
        ("pull-request", "7", ("pr-7",)),
        ("local", "no event", ()),
    ],
)
def test_each_event_has_its_rule(
    blueprint: Write, kind: str, name: str, tags: tuple[str, ...]
) -> None:
    assert given(blueprint(EACH), kind, name) == tags


@pytest.mark.parametrize(
    ("kind", "name", "tags"),
    [
        ("tag", "v2.1.0", ("2.1.0", "2.1", "latest")),
        ("tag", "v3.0.0-rc.2", ("3.0.0-rc.2",)),
        ("tag", "noise", ()),
        ("branch", "a/b", ("a-b",)),
        ("schedule", "main", ()),
        ("pull-request", "7", ()),
    ],
)
def test_without_rules_there_are_the_usual_ones(
    blueprint: Write, kind: str, name: str, tags: tuple[str, ...]
) -> None:
    assert given(blueprint(), kind, name) == tags
    assert given(blueprint("tags = {}"), kind, name) == tags


@pytest.mark.parametrize("kind", KINDS)
def test_who_writes_one_rule_writes_all(blueprint: Write, kind: str) -> None:
    path = blueprint(f'tags.{kind} = ["only"]')
    names = {"release": "v9.0.0", "prerelease": "v9.0.0-rc", "tag": "t", "pull-request": "1"}
    for other in KINDS:
        event = "tag" if other in ("release", "prerelease", "tag") else other
        assert given(path, event, names.get(other, "main")) == (("only",) if other == kind else ())


def test_every_glob_that_fits_adds_its_tags_once(blueprint: Write) -> None:
    rule = 'release = { "v2*" = ["two", "x"], "*" = ["x", "all"], "v1*" = ["one"] }\n'
    assert given(blueprint(f"[tags]\n{rule}"), "tag", "v2.0.1") == ("two", "x", "all")


def test_a_moving_tag_moves_only_if_no_higher_release_gives_it(blueprint: Write) -> None:
    rule = 'release = { "v1*" = ["old", "any"], "v2*" = ["any"], "v3*" = ["new"] }\n'
    path = blueprint(f"[tags]\n{rule}")
    assert given(path, "tag", "v1.2.1") == ("old",)  # v2.0.0 gives "any" too
    assert given(path, "tag", "v1.1.0") == ()  # v1.2.0 has overtaken it
    assert given(path, "tag", "v2.0.1") == ("any",)
    assert given(path, "tag", "v3.0.0") == ("new",)  # its pre-release is no release


def test_fixed_tags_are_made_by_every_release(blueprint: Write) -> None:
    text = 'image.version = "7.1"\n[tags]\n'
    for name in ("version", "tag", "sha", "date", "describe"):
        event = Event(kind="tag", name="v1.0.0", sha="0123456", tags=TAGS, time=0, describe="v1")
        (planned,) = plan(read(blueprint(f'{text}release = ["{{{{ git.{name} }}}}"]')), event)
        assert planned.released, name
    held = 'release = { "*" = ["{{ image.version }}", "7.1-x", "{{ git.version.major }}"] }'
    assert given(blueprint(text + held), "tag", "v1.0.0") == ("7.1",)


def test_versions_of_python_have_their_own_order(blueprint: Write) -> None:
    text = 'image.versioning = "pep440"\n'
    assert given(blueprint(text), "tag", "2.1rc1") == ("2.1rc1",)
    assert given(blueprint(text), "tag", "v2.0.0.post1") == ("2.0.0.post1", "2.0", "latest")
    assert given(blueprint(text), "tag", "1.9.post2") == ("1.9.post2", "1.9")
    assert given(blueprint(), "tag", "2.1rc1") == ()


def test_one_tag_from_two_variants_is_an_error_for_every_event(blueprint: Write) -> None:
    for kind in KINDS:
        text = f'matrix.axes.os = ["a", "b"]\ntags.{kind} = {{ "x*" = ["same"] }}\n'
        (said,) = complaints(blueprint(text))
        assert 'the variants a and b would both be tagged "same" for ' in said
        assert "x*" in said


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("release", "branch"),
        ("prerelease", "pr"),
        ("tag", "version"),
        ("branch", "tag"),
        ("schedule", "version.major"),
        ("pull-request", "branch"),
    ],
)
def test_what_an_event_lacks_is_said_before_it_comes(
    blueprint: Write, kind: str, fact: str
) -> None:
    for rule in (f'["{{{{ git.{fact} }}}}"]', f'{{ "*" = ["x", "{{{{ git.{fact} }}}}"] }}'):
        (said,) = complaints(blueprint(f"tags.{kind} = {rule}"))
        assert f"{{{{ git.{fact} }}}} is not known for a" in said
