"""RUN lines that install packages: what is lent goes back."""

from pathlib import Path

from test_lint import TOP, passes

from imagegen.render.network import ENTER
from imagegen.render.packages import APT_MOUNTS, lent
from imagegen.render.run import body, strict


def test_nothing_is_lent_for_no_names() -> None:
    assert lent((), "make") == ("make",)


def test_what_is_lent_is_sorted_each_once_and_goes_back_after_the_lines() -> None:
    lines = lent(["git", "gcc", "git"], "make")
    assert [n for n, line in enumerate(lines) if line == "make"] == [5]
    assert lines[4].endswith("gcc \\\n        git")
    assert "--no-remove" in lines[4]
    assert "apt-get purge" in lines[-2]


def test_hadolint_finds_nothing_in_lines_with_lent_packages(tmp_path: Path) -> None:
    run = strict(ENTER, *lent(["gcc"], "gcc --version"), mounts=APT_MOUNTS)
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM debian:bookworm-slim\nRUN {body(run)}\n")
    passes("hadolint", "--config", TOP / ".hadolint.yaml", path)
