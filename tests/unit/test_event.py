"""What happened in git: read from CI environments, and from real repositories."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from imagegen.act import git
from imagegen.errors import ImagegenError
from imagegen.plan.event import Event, from_ci, release, version
from imagegen.read import read

Write = Callable[..., Path]
SHA = "0123456789abcdef"

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": SHA, "GITHUB_EVENT_NAME": "push"}
GITLAB = {"GITLAB_CI": "true", "CI_COMMIT_SHA": SHA}
TRAVIS = {"TRAVIS": "true", "TRAVIS_COMMIT": SHA, "TRAVIS_PULL_REQUEST": "false"}


def github(ref: str, event: str = "push", **more: str) -> Mapping[str, str]:
    return {**GITHUB, "GITHUB_REF": ref, "GITHUB_EVENT_NAME": event, **more}


EVENTS: dict[str, tuple[Mapping[str, str], str, str]] = {
    "github push": (github("refs/heads/main"), "branch", "main"),
    "github branch with slashes": (github("refs/heads/fix/a/b"), "branch", "fix/a/b"),
    "github tag": (github("refs/tags/v1.2.3"), "tag", "v1.2.3"),
    "github tag with a slash": (github("refs/tags/app/v1"), "tag", "app/v1"),
    "github release": (github("refs/tags/v1", "release"), "tag", "v1"),
    "github schedule": (github("refs/heads/main", "schedule"), "schedule", "main"),
    "github dispatch": (github("refs/heads/x", "workflow_dispatch"), "branch", "x"),
    "github pull request": (github("refs/pull/7/merge", "pull_request"), "pull-request", "7"),
    "github pull request target": (
        github("refs/heads/main", "pull_request_target", GITHUB_HEAD_REF="fix/x"),
        "pull-request",
        "fix/x",
    ),
    "github merge queue": (
        github("refs/heads/gh-readonly-queue/main/pr-7-0", "merge_group"),
        "pull-request",
        "gh-readonly-queue/main/pr-7-0",
    ),
    "gitlab branch": ({**GITLAB, "CI_COMMIT_BRANCH": "main"}, "branch", "main"),
    "gitlab schedule": (
        {**GITLAB, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "schedule"},
        "schedule",
        "main",
    ),
    "gitlab tag": ({**GITLAB, "CI_COMMIT_TAG": "1.0.0"}, "tag", "1.0.0"),
    "gitlab merge request": ({**GITLAB, "CI_MERGE_REQUEST_IID": "5"}, "pull-request", "5"),
    "gitlab pull request from outside": (
        {**GITLAB, "CI_EXTERNAL_PULL_REQUEST_IID": "6", "CI_COMMIT_BRANCH": "x"},
        "pull-request",
        "6",
    ),
    "travis branch": ({**TRAVIS, "TRAVIS_BRANCH": "main", "TRAVIS_TAG": ""}, "branch", "main"),
    "travis schedule": (
        {**TRAVIS, "TRAVIS_BRANCH": "main", "TRAVIS_EVENT_TYPE": "cron"},
        "schedule",
        "main",
    ),
    "travis tag": ({**TRAVIS, "TRAVIS_BRANCH": "v1", "TRAVIS_TAG": "v1"}, "tag", "v1"),
    "travis pull request": (
        {**TRAVIS, "TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "8"},
        "pull-request",
        "8",
    ),
}


@pytest.mark.parametrize(("environment", "kind", "name"), EVENTS.values(), ids=EVENTS.keys())
def test_an_event_of_ci(environment: Mapping[str, str], kind: str, name: str) -> None:
    found = from_ci(environment)
    assert found
    assert (found.kind, found.name, found.sha) == (kind, name, SHA)


@pytest.mark.parametrize(
    "environment", [github(""), github("refs/notes/x"), GITLAB, TRAVIS], ids=str
)
def test_an_odd_event_of_ci_is_nobodys_release(environment: Mapping[str, str]) -> None:
    found = from_ci(environment)
    assert found
    assert (found.kind, str(found)) == (
        "local",
        "the CI event is of no branch, tag or pull request",
    )


@pytest.mark.parametrize("environment", [{}, {"CI": "true"}, {"GITHUB_ACTIONS": "false"}], ids=str)
def test_elsewhere_there_is_no_event_of_ci(environment: Mapping[str, str]) -> None:
    assert from_ci(environment) is None


@pytest.mark.parametrize(
    ("tag", "final", "pre"),
    [
        ("v1.2.3", "1.2.3", None),
        ("1.2.3", "1.2.3", None),
        ("0.0.0", "0.0.0", None),
        ("v1.2.3+build.5", "1.2.3", None),
        ("v1.2.3-rc.1", None, "1.2.3-rc.1"),
        ("1.2.3-0+b5", None, "1.2.3-0"),
        *((odd, None, None) for odd in ("1.2", "1.2.3.4", "V1.2.3", "2024.01.02", "v01.2.3")),
        *((odd, None, None) for odd in ("1.2.3-", "1.2.3-.", "1.2.3 ", "release-1.2.3", "")),
    ],
)
def test_which_tags_are_releases(tag: str, final: str | None, pre: str | None) -> None:
    found = version(tag)
    assert (str(found) if found else None) == (final or pre)
    assert bool(release(tag)) == bool(final)


def test_releases_are_compared_as_numbers() -> None:
    tags = ["v1.10.0", "v1.9.9", "2.0.0", "v0.99.99"]
    assert sorted(tags, key=lambda tag: release(tag) or ()) == [  # type: ignore[arg-type,return-value]
        *("v0.99.99", "v1.9.9", "v1.10.0", "2.0.0")
    ]


def test_pre_releases_come_before_their_release_and_in_the_order_of_semver() -> None:
    tags = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11"]
    tags += ["1.0.0-rc.1", "1.0.0", "1.0.1-0"]
    assert sorted(tags, key=lambda tag: version(tag) or ()) == tags  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("tag", "text", "is_final"),
    [
        ("v1.2.3", "1.2.3", True),
        ("1.2", "1.2", True),
        ("1.2.3rc1", "1.2.3rc1", False),
        ("1.2.3-RC.1", "1.2.3rc1", False),
        ("1.0.dev3", "1.0.dev3", False),
        ("1.0.post1", "1.0.post1", True),
        ("1.0+local.1", "1.0", True),
        ("1!2.0", "1-2.0", True),
        ("release-1", None, False),
        ("main", None, False),
    ],
)
def test_versions_as_python_has_them(tag: str, text: str | None, is_final: bool) -> None:
    found = version(tag, "pep440")
    assert (found.text if found else None) == text
    assert (found is not None and found.is_final) == is_final


def test_versions_of_python_are_compared_as_pep_440_has_it() -> None:
    tags = ["1.0.dev1", "1.0a2", "1.0rc1", "1.0", "1.0.post1", "1.10", "1!0.1"]
    found = sorted(tags, key=lambda tag: version(tag, "pep440") or ())  # type: ignore[arg-type,return-value]
    assert found == tags


# --- git ------------------------------------------------------------------------------------------


def run(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    dates = {
        "GIT_COMMITTER_DATE": "2024-02-03T04:05:06Z",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
    }
    return subprocess.run(
        ["git", "-C", folder, *identity, *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **dates},
    ).stdout.strip()


def commit(folder: Path, message: str = "change") -> None:
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def event_at(path: Path) -> Event:
    return git.event(read(path))


@pytest.fixture
def path(blueprint: Write) -> Path:
    """A blueprint in a repository of its own: one commit, on main."""
    path = blueprint()
    run(path.parent, "init", "--quiet", "--initial-branch=main")
    commit(path.parent)
    return path


def test_a_clean_branch_stands_for_itself(path: Path) -> None:
    found = event_at(path)
    assert (found.kind, found.name) == ("branch", "main")
    assert found.sha == run(path.parent, "rev-parse", "HEAD")
    assert found.describe == found.sha[:7]
    assert found.time == 1706933106


def test_a_branch_that_is_named_like_a_tag_keeps_its_name(path: Path) -> None:
    run(path.parent, "switch", "--quiet", "--create", "fix/one")
    run(path.parent, "tag", "fix/one")
    assert event_at(path).name == "fix/one"


@pytest.mark.parametrize("change", ["untracked", "changed", "staged"])
def test_a_changed_work_tree_is_nobodys_release(path: Path, change: str) -> None:
    run(path.parent, "tag", "v1.0.0")
    changed = path if change != "untracked" else path.parent / "new"
    changed.write_text(path.read_text() + "\n")
    if change == "staged":
        run(path.parent, "add", "--all")
    found = event_at(path)
    assert (found.kind, found.name) == (
        "local",
        "the work tree has changes that are not committed",
    )


def test_changes_elsewhere_in_the_repository_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/blueprint.toml").write_text(
        'blueprint = 1\nimage = { name = "x", base = "debian:x" }\n'
    )
    run(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    (tmp_path / "other").touch()
    assert event_at(tmp_path / "app").kind == "branch"


def test_changes_beside_a_base_do_matter(tmp_path: Path) -> None:
    for name, base in (("app", '{ blueprint = "../base" }'), ("base", '"debian:x"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "blueprint.toml").write_text(
            f'blueprint = 1\nimage = {{ name = "{name}", base = {base} }}\n'
        )
    run(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    assert event_at(tmp_path / "app").kind == "branch"
    (tmp_path / "base" / "new").touch()
    assert event_at(tmp_path / "app").kind == "local"


def test_a_release_on_head_is_the_release(path: Path) -> None:
    run(path.parent, "tag", "v1.0.0")
    run(path.parent, "tag", "noise")
    found = event_at(path)
    assert (found.kind, found.name) == ("tag", "v1.0.0")
    assert set(found.tags) == {"v1.0.0", "noise"}


def test_of_two_releases_on_head_it_is_the_higher(path: Path) -> None:
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0-rc.1"):
        run(path.parent, "tag", tag)
    assert event_at(path).name == "v1.10.0"


def test_after_a_release_the_branch_counts_again(path: Path) -> None:
    run(path.parent, "tag", "v1.0.0")
    commit(path.parent)
    found = event_at(path)
    assert (found.kind, found.name) == ("branch", "main")
    assert found.describe.startswith("v1.0.0-1-g")


def test_a_detached_head_is_nobodys_release_unless_tagged(path: Path) -> None:
    run(path.parent, "checkout", "--quiet", "--detach")
    found = event_at(path)
    assert (found.kind, found.name) == ("local", "HEAD is on no branch and no release")
    run(path.parent, "tag", "v1.0.0")
    assert event_at(path).kind == "tag"


def test_a_pre_release_on_head_is_one_unless_there_is_a_release(path: Path) -> None:
    for tag in ("v2.0.0-rc.9", "v2.0.0-rc.10", "noise"):
        run(path.parent, "tag", tag)
    found = event_at(path)
    assert (found.name, found.rule) == ("v2.0.0-rc.10", "prerelease")
    run(path.parent, "tag", "v1.0.0")
    assert event_at(path).name == "v1.0.0"


def test_another_tag_counts_where_there_is_no_branch(path: Path) -> None:
    run(path.parent, "tag", "snapshot-1")
    assert event_at(path).kind == "branch"
    run(path.parent, "checkout", "--quiet", "--detach")
    found = event_at(path)
    assert (found.kind, found.name, found.rule) == ("tag", "snapshot-1", "tag")


def test_tags_are_read_as_the_blueprint_says(path: Path) -> None:
    run(path.parent, "tag", "2.0rc1")
    assert event_at(path).kind == "branch"
    path.write_text(f'{path.read_text()}image.versioning = "pep440"\n')
    commit(path.parent)
    run(path.parent, "tag", "--force", "2.0rc1")
    found = event_at(path)
    assert (found.kind, found.rule, str(found.version)) == ("tag", "prerelease", "2.0rc1")


def test_without_a_commit_or_a_repository_or_git_it_is_local(
    blueprint: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = blueprint()
    said = ("local", "no commit of git holds the blueprint")
    assert (event_at(path).kind, event_at(path).name) == said
    run(path.parent, "init", "--quiet")
    assert (event_at(path).kind, event_at(path).name) == said
    monkeypatch.setenv("PATH", "/nowhere")
    assert (event_at(path).kind, event_at(path).name) == said


def test_git_that_does_not_trust_the_folder_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(ImagegenError, match=rf"safe.directory {path.parent}$"):
        event_at(path)


# --- not all tags ---------------------------------------------------------------------------------


@pytest.fixture
def shallow(path: Path, tmp_path: Path) -> Path:
    """What actions/checkout leaves of a release: one commit and its own tag."""
    run(path.parent, "tag", "v2.0.0")
    commit(path.parent)
    run(path.parent, "tag", "v1.0.1")
    clone = tmp_path / "clone"
    run(
        tmp_path,
        *("clone", "--quiet", "--depth=1", "--branch=v1.0.1", "--single-branch"),
        *("-c", "advice.detachedHead=false", f"file://{path.parent}", str(clone)),
    )
    return clone


def test_a_shallow_clone_does_not_have_all_tags(
    shallow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in github("refs/tags/v1.0.1").items():
        monkeypatch.setenv(name, value)
    assert event_at(shallow).tags == ("v1.0.1",)
    assert not event_at(shallow).is_complete
    run(shallow, "fetch", "--quiet", "--tags", "--unshallow")
    assert event_at(shallow).is_complete
    assert "v2.0.0" in event_at(shallow).tags


def test_a_clone_without_its_own_tag_does_not_have_all_tags(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in github("refs/tags/v1.0.1").items():
        monkeypatch.setenv(name, value)
    assert not event_at(path).is_complete
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert event_at(path).is_complete


def test_at_home_a_shallow_clone_is_nobodys_release(shallow: Path) -> None:
    found = event_at(shallow)
    assert found.kind == "local"
    assert "run git fetch --tags --unshallow" in found.name


def test_ci_gets_the_time_and_the_description_from_git(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(path.parent, "tag", "v1.0.0")
    for name, value in github("refs/heads/main").items():
        monkeypatch.setenv(name, value)
    found = event_at(path)
    assert (found.describe, found.time, found.sha) == ("v1.0.0", 1706933106, SHA)
