"""Rules 7, 8, 17 and 18 of the language, each in a section: variants, tags, stacks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.read import read

Write = Callable[..., Path]


def points(path: Path) -> list[str]:
    """Name each variant by its axes, in the order in which they are planned."""
    return [" ".join(f"{k}={v}" for k, v in one.axes.items()) for one in read(path)]


def complaints(path: Path) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        read(path)
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
