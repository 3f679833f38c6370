"""The example of docs/reuse.md is run as it stands there."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reuse.md"
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def example(tmp_path: Path) -> tuple[Path, str]:
    """Write the files of the page, which begin with their names; gives the text, too."""
    _, _, text = PAGE.read_text().partition("## An example\n")
    for name, content in re.findall(r"```toml\n# (\S+)\n(.*?)```", text, flags=re.DOTALL):
        (tmp_path / name).write_text(content)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blueprint.toml", "company.toml"]
    return tmp_path, text


def test_plan_says_what_the_page_says(example: tuple[Path, str], imagegen: Run) -> None:
    folder, text = example
    assert f"```text\n{imagegen('plan', folder).stdout}```" in text


def test_explain_says_what_the_page_says(example: tuple[Path, str], imagegen: Run) -> None:
    folder, text = example
    said = imagegen("explain", "services.redis.stop-timeout", folder).stdout
    shown = f"```text\n{said.replace(f'{folder}/', '')}```"
    # Which line of the Dockerfile it is changes with everything above.
    assert _without_lines(shown) in _without_lines(text)


def _without_lines(text: str) -> str:
    return re.sub(r"Dockerfile:[0-9]+ +", "Dockerfile ", text)
