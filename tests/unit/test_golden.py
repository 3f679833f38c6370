"""What blueprints become, file by file: tests/golden, for reviewers and linters to read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.plan import plan
from imagegen.read import read
from imagegen.render import context
from imagegen.tree import Tree

TESTS = Path(__file__).parents[1]
CASES = sorted([*(TESTS / "blueprints").iterdir(), TESTS.parent / "examples" / "hello"])


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_blueprint_renders_as_its_golden_tree(
    folder: Path, golden: Callable[[Tree, str], None]
) -> None:
    for planned in plan(read(folder)):
        golden(context(planned), f"{folder.name}/{planned.variant}")


def test_there_is_no_golden_tree_without_a_blueprint() -> None:
    expected = {
        f"{folder.name}/{planned.variant}" for folder in CASES for planned in plan(read(folder))
    }
    assert {"/".join(path.parts[-2:]) for path in (TESTS / "golden").glob("*/*")} == expected
