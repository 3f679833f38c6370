"""The bake file: names that bake takes, and strings that it leaves alone."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.render import bake_file
from imagegen.render.bake import Target, target_name

APP = Target(name="app", context="here", tags=("app:1",), labels={})


def only(file: str) -> dict[str, Any]:
    """Parse a bake file with one target."""
    (found,) = json.loads(file)["target"].values()
    assert isinstance(found, dict)
    return found


def as_bake_reads(value: str) -> str:
    """Read a string as bake does; made from HCL's grammar and held against `bake --print`."""
    out, at = "", 0
    while at < len(value):
        if value.startswith(("$${", "%%{"), at):
            out, at = out + value[at + 1 : at + 3], at + 3
        else:
            assert not value.startswith(("${", "%{"), at), f"bake would expand {value[at:]!r}"
            out, at = out + value[at], at + 1
    return out


def test_every_target_is_in_the_default_group_and_only_loaded() -> None:
    content = json.loads(bake_file([replace(APP, name="a"), replace(APP, name="b")]))
    assert content["group"] == {"default": {"targets": ["a", "b"]}}
    assert {name: one["output"] for name, one in content["target"].items()} == {
        "a": ["type=docker"],
        "b": ["type=docker"],
    }


def test_a_target_says_what_to_build_and_what_to_call_it() -> None:
    built = only(bake_file([replace(APP, tags=("app:1", "app:2"), labels={"b": "2", "a": "1"})]))
    assert built["context"] == "here"
    assert built["tags"] == ["app:1", "app:2"]
    assert list(built["labels"].items()) == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a${b}", "a$${b}"),
        ("%{if x}", "%%{if x}"),
        ("$${b}", "$$${b}"),
        ("$b and 5% {", "$b and 5% {"),
        ("${%{", "$${%%{"),
    ],
)
def test_what_bake_would_expand_is_escaped(value: str, written: str) -> None:
    built = only(bake_file([replace(APP, context=value, tags=(value,), labels={"x": value})]))
    assert [built["context"], *built["tags"], *built["labels"].values()] == [written] * 3
    assert as_bake_reads(written) == value


@given(st.text(alphabet='${}%a"\\\n é', max_size=12))
def test_bake_reads_every_string_as_it_was(value: str) -> None:
    built = only(bake_file([replace(APP, context=value, tags=(value,), labels={"x": value})]))
    assert as_bake_reads(built["context"]) == value
    assert as_bake_reads(built["tags"][0]) == value
    assert as_bake_reads(built["labels"]["x"]) == value


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,12}", fullmatch=True))
def test_bake_takes_every_name(variant: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", target_name("my.app_x", variant))


def test_variants_that_differ_in_a_dot_have_names_that_differ() -> None:
    names = {target_name("app", variant) for variant in ("1.2", "1-2", "1_2", "12")}
    assert names == {"app-1_2", "app-1-2", "app-1__2", "app-12"}


def test_images_and_variants_with_dashes_have_names_that_differ() -> None:
    assert target_name("a", "b-c") != target_name("a-b", "c")
    assert target_name("overwatch-base", "3.7") == "overwatch--base-3_7"


def test_a_platform_is_named_only_where_it_is_another() -> None:
    said = json.loads(bake_file([APP, replace(APP, name="arm", platform="linux/arm64")]))["target"]
    assert "platforms" not in said["app"]
    assert said["arm"]["platforms"] == ["linux/arm64"]
