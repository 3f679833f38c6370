"""docs/blueprint.md: every key explained, from the language itself.

It is renewed by

    imagegen docs > docs/blueprint.md
"""

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import tomli

from imagegen.language import Blueprint
from imagegen.language.about import FIRST_VERSION, keys, shapes, tables, tables_in
from imagegen.language.scalars import Duration, Many, Size
from imagegen.language.table import GoesTo, Since, Table
from imagegen.plan import plan
from imagegen.read import read
from imagegen.render.reference import DOCKER, FIRST, ORDER, _row, reference, toml

PAGE = Path(__file__).parents[2] / "docs" / "blueprint.md"
TABLES = {shape for table in tables() for shape in (table, *shapes(table))}


class Sample(Table):
    """[sample]: as the language may look one day."""

    goes_to: ClassVar[str] = "rootfs"

    old: Duration = "5m"
    """There from the beginning."""
    new: Annotated[Many[Size], Since("0.9.0"), GoesTo("tags")] = ()
    """Came later."""
    late: Annotated[Size, Since("0.9.1")] | None = None
    """Came last."""


def test_the_page_is_that_of_the_language(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(reference())
    assert PAGE.read_text() == reference(), "renew it: imagegen docs > docs/blueprint.md"


def test_the_command_prints_it(imagegen: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert imagegen("docs").stdout == reference()


@pytest.mark.parametrize("table", sorted(TABLES, key=lambda table: table.__name__))
def test_every_key_says_what_it_is_where_it_goes_and_how_it_is_written(table: type[Table]) -> None:
    assert (table.__doc__ or "").strip().endswith(".")
    for key in keys(table):
        where = f"{table.__name__}.{key.name}"
        assert key.description.endswith("."), f"{where}: its docstring is a sentence for users"
        assert key.goes_to, f"{where}: say goes_to in the table, or GoesTo at the key"
        is_shown = key.example is not None or key.default not in (None, (), {})
        assert is_shown or any(tables_in(key.type)), f"{where}: Field(examples=[…])"
        assert re.fullmatch(r"\d+\.\d+\.\d+", key.since), where


def test_every_key_is_explained_once_and_every_link_leads_somewhere() -> None:
    text = reference()
    ids = Counter(re.findall(r'<a id="([^"]+)"></a>', text))
    assert [name for name, times in ids.items() if times > 1] == []
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - set(ids) == set()
    for table in TABLES:
        for key in keys(table):
            assert f"`{key.name}`" in text, f"{table.__name__}.{key.name}"
    assert len(ids) > 100


def test_the_index_comes_before_the_explanations() -> None:
    before = reference().partition("\n## ")[0]
    for key in keys(Blueprint):
        assert f"`{key.name}`](#" in before
    assert "[`stop-timeout`](#services-stop-timeout)" in before


def test_the_order_names_tables_that_there_are() -> None:
    assert set(ORDER) <= {key.name for key in keys(Blueprint)}


def test_the_first_blueprint_is_right_and_has_the_keys_that_it_explains(tmp_path: Path) -> None:
    (tmp_path / "blueprint.toml").write_text(FIRST)
    assert plan(read(tmp_path))
    for path in DOCKER:
        first, *rest = path.replace("NAME.", "").split(".")
        assert re.search(rf"^\[?\[?{first}", FIRST, re.MULTILINE) or first == "files"
        assert rest == [] or path == "steps.copy" or rest[0] in FIRST or first == "volumes", path


def test_a_key_tells_its_type_default_and_example() -> None:
    text = reference()
    assert (
        '| <a id="services-stop-timeout"></a>`stop-timeout` | [duration](#kind-duration) | `"30s"` '
        "| How long a stop may take before it is killed. Goes to: rootfs, run recipe. "
        '<br>`stop-timeout = "30s"` |\n'
    ) in text
    assert '<a id="ports-port"></a>`port` | number, 1 to 65535 | **required** |' in text
    assert '| <a id="services-match"></a>`match` |' in text
    assert "| [Command](#command), or shell text, or list of: word |" in text


def test_a_new_key_tells_since_when_it_is_there() -> None:
    old, new, late = keys(Sample)
    assert (old.since, new.since, late.since) == (FIRST_VERSION, "0.9.0", "0.9.1")
    assert (old.goes_to, new.goes_to) == ("rootfs", "tags")
    assert _row("sample", new, "rootfs").meaning == (
        'Came later. Goes to: tags. *Since 0.9.0.* <br>`new = ["64MiB"]`'
    )
    assert "Since" not in _row("sample", old, "rootfs").meaning


@pytest.mark.parametrize(
    "value",
    ["x", 1, True, [], ["a", 1], {"a b": {"c": [{}]}}, 'say "x"', r"a\.b", 'it\'s \\ "x"\n', "é"],
    ids=repr,
)
def test_examples_are_written_as_toml_reads_them(value: object) -> None:
    assert tomli.loads(f"x = {toml(value)}") == {"x": value}
