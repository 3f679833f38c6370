"""Which names an event gives: the rules of [tags], the highest release, variants."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError, ImagegenError
from imagegen.language.tags import Tags
from imagegen.plan import Plan, plan
from imagegen.plan.event import Event
from imagegen.plan.tags import event_tags
from imagegen.read import read
from imagegen.render import rendered

Write = Callable[..., Path]

ALL = ("v0.9.0", "v1.2.3", "v1.2.4", "v1.3.0", "v2.0.0-rc.1", "noise")
RULES = Tags.model_validate(
    {
        "release": [
            *("latest", "{{ git.version.major }}"),
            *("{{ git.version.major }}.{{ git.version.minor }}", "v{{ git.version }}"),
        ],
        "branch": {
            "main": ["edge", "main-{{ git.sha }}"],
            "release/*": ["{{ git.branch }}"],
            "release/1.*": ["one"],
            "[a-c]?": ["short"],
        },
    }
)


def tagged(name: str, tags: tuple[str, ...] = ALL) -> Event:
    return Event(kind="tag", name=name, sha="0123456789", tags=(*tags, name), time=1706933106)


def branch(name: str) -> Event:
    return Event(kind="branch", name=name, sha="0123456789", tags=ALL, time=1706933106)


RELEASES: dict[str, tuple[Tags, str, tuple[str, ...]]] = {
    "the highest moves all": (RULES, "v1.3.1", ("v1.3.1", "latest", "1", "1.3")),
    "an old line moves its own": (RULES, "v1.2.5", ("v1.2.5", "1.2")),
    "what was overtaken moves nothing": (RULES, "v1.2.3", ("v1.2.3",)),
    "the same release again": (RULES, "v1.3.0", ("v1.3.0", "latest", "1", "1.3")),
    "a new major": (RULES, "2.0.0", ("v2.0.0", "latest", "2", "2.0")),
    "an older major": (RULES, "v0.9.1", ("v0.9.1", "0", "0.9")),
    "numbers, not letters": (RULES, "v1.10.0", ("v1.10.0", "latest", "1", "1.10")),
    "by default": (Tags(), "v1.3.1", ("1.3.1", "1.3", "latest")),
    "by default, an old line": (Tags(), "v1.2.5", ("1.2.5", "1.2")),
    "by default, a pre-release": (Tags(), "v3.0.0-rc.1", ("3.0.0-rc.1",)),
    "a pre-release has no rule": (RULES, "v3.0.0-rc.1", ()),
    "no version": (RULES, "noise", ()),
    "no version, by default": (Tags(), "noise", ()),
    "the build number is no part": (Tags(), "v1.3.1+b.5", ("1.3.1", "1.3", "latest")),
    "no rule for releases": (Tags(branch={"main": ("x",)}), "v1.3.1", ()),
    "an empty rule": (Tags(release=()), "v1.3.1", ()),
    "what names git": (
        Tags(release=("{{ git.tag }}", "{{git.sha}}", "{{ git.date }}-{{ git.time }}")),
        "v1.0.0",
        ("v1.0.0", "0123456", "20240203-0405"),
    ),
    "one tag said twice": (
        Tags(release=("a", "a", "{{ git.version.major }}", "9")),
        "9.0.0",
        ("a", "9"),
    ),
}


@pytest.mark.parametrize(("rules", "tag", "names"), RELEASES.values(), ids=RELEASES.keys())
def test_a_release(rules: Tags, tag: str, names: tuple[str, ...]) -> None:
    assert event_tags(rules, tagged(tag)) == names


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("main", ("edge", "main-0123456")),
        ("release/1.2", ("release-1.2", "one")),
        ("release/2/x", ("release-2-x",)),
        ("ab", ("short",)),
        ("release/#1 (new)", ("release-1-new-",)),
        ("Main", ()),
        ("maint", ()),
        ("topic", ()),
    ],
)
def test_a_branch(name: str, names: tuple[str, ...]) -> None:
    assert event_tags(RULES, branch(name)) == names


@pytest.mark.parametrize(
    ("name", "tag"),
    [("main", "main"), ("a/b", "a-b"), ("dependabot/npm/@x/y-1", "dependabot-npm-x-y-1")],
)
def test_by_default_a_branch_gives_its_name(name: str, tag: str) -> None:
    assert event_tags(Tags(), branch(name)) == (tag,)


@pytest.mark.parametrize("kind", ["pull-request", "local"])
def test_others_give_nothing(kind: str) -> None:
    event = Event(kind=kind, name="7", sha="0123456789")  # type: ignore[arg-type]
    assert event_tags(Tags(), event) == ()


def test_a_tag_may_not_move_while_other_releases_may_be_unknown() -> None:
    event = replace(tagged("v1.3.1"), is_complete=False)
    with pytest.raises(ImagegenError, match='"latest" may move for tag v1') as caught:
        event_tags(RULES, event)
    assert "fetch-depth: 0" in str(caught.value)
    assert event_tags(Tags(release=("{{ git.version }}",)), event) == ("1.3.1",)
    assert event_tags(Tags(branch={"*": ("x",)}), event) == ()


# --- variants -------------------------------------------------------------------------------------

MATRIX = """
matrix = { axes.java = ["17", "21"], suffix = "-java{{ java }}", default.java = "21" }
image.registries = ["ghcr.io/acme", "localhost:5000"]
"""


def names(plans: tuple[Plan, ...]) -> dict[str, tuple[str, ...]]:
    return {one.variant: one.tags for one in plans}


def complaints(path: Path, event: Event | None = None) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        plan(read(path), event) if event else plan(read(path))
    return [problem.message for problem in caught.value.problems]


def test_the_default_variant_is_tagged_without_the_suffix_too(blueprint: Write) -> None:
    plans = plan(read(blueprint(MATRIX)), tagged("v1.2.5"))
    assert names(plans) == {
        "17": ("1.2.5-java17", "1.2-java17"),
        "21": ("1.2.5-java21", "1.2-java21", "1.2.5", "1.2"),
    }
    assert plans[0].references == (
        *("ghcr.io/acme/app:1.2.5-java17", "ghcr.io/acme/app:1.2-java17"),
        *("localhost:5000/app:1.2.5-java17", "localhost:5000/app:1.2-java17"),
    )


def test_what_no_rule_is_for_stays_on_this_machine(blueprint: Write) -> None:
    plans = plan(read(blueprint(MATRIX)), Event(kind="pull-request", name="7"))
    assert [one.references for one in plans] == [
        ("app:local-java17",),
        ("app:local-java21", "app:local"),
    ]
    assert not any(one.released for one in plans)


def test_local_names_without_a_suffix_are_told_apart_by_the_variant(blueprint: Write) -> None:
    text = (
        'matrix.axes.java = ["17", "21"]\nmatrix.default.java = "21"\n'
        'tags.release = ["{{ git.version }}-{{ java }}"]\n'
    )
    assert names(plan(read(blueprint(text)))) == {"17": ("local-17",), "21": ("local-21", "local")}


def test_without_a_matrix_local_is_the_name(blueprint: Write) -> None:
    assert names(plan(read(blueprint()))) == {"default": ("local",)}


def test_a_tag_with_the_version_of_the_image_is_fixed(blueprint: Write) -> None:
    text = 'image.version = "7.1"\ntags.release = ["{{ image.version }}", "x-7.1", "latest"]\n'
    (old,) = plan(read(blueprint(text)), tagged("v1.0.0"))
    assert old.tags == ("7.1",)
    (new,) = plan(read(blueprint(text)), tagged("v9.0.0"))
    assert new.tags == ("7.1", "x-7.1", "latest")


def test_the_version_of_the_image_may_be_that_of_git(blueprint: Write) -> None:
    text = 'image.version = "{{ git.version }}"\ntags.release = ["{{ image.version }}"]\n'
    (planned,) = plan(read(blueprint(text)), tagged("v1.0.0"))
    assert planned.tags == ("1.0.0",)
    assert planned.version is None
    assert planned.event_labels["org.opencontainers.image.version"] == "1.0.0"


def test_two_variants_may_not_share_a_tag_of_any_event(blueprint: Write) -> None:
    text = 'matrix = { axes.os = ["a", "b"], suffix = "-{{ os }}", default.os = "a" }\n'
    assert len(plan(read(blueprint(text)))) == 2
    text += '[[override]]\nwhen.os = "b"\nmatrix.suffix = "-a"\n'
    assert "can't change `matrix`" in complaints(blueprint(text))[0]
    (said,) = complaints(blueprint('matrix.axes.os = ["a", "b"]\ntags.branch.main = ["edge"]'))
    assert said == (
        'tags: the variants a and b would both be tagged "edge" for the branch main; give '
        "matrix.suffix the name of each axis"
    )


def test_variants_that_are_images_of_their_own_share_tags(blueprint: Write) -> None:
    text = 'matrix.axes.os = ["a", "b"]\n[[override]]\nwhen.os = "b"\nimage.name = "other"\n'
    plans = plan(read(blueprint(text)), tagged("v9.0.0"))
    assert [one.references[0] for one in plans] == ["app:9.0.0", "other:9.0.0"]


def test_a_tag_is_128_characters_at_most(blueprint: Write) -> None:
    path = blueprint()
    assert plan(read(path), branch("x" * 128))[0].tags == ("x" * 128,)
    (said,) = complaints(path, branch("x" * 129))
    assert "is no legal tag: letters, digits, _ . and -, 128 at most" in said


@pytest.mark.parametrize(
    ("rule", "fact"),
    [
        ('release = ["{{ git.branch }}"]', "git.branch"),
        ('release = ["x", "{{ git.pr }}"]', "git.pr"),
        ('branch."*" = ["{{ git.version }}"]', "git.version"),
        ('branch."*" = ["{{ git.version.minor }}"]', "git.version.minor"),
        ('branch."*" = ["{{ git.tag }}"]', "git.tag"),
    ],
)
def test_a_name_that_the_event_will_lack_is_an_error_now(
    blueprint: Write, rule: str, fact: str
) -> None:
    (said,) = complaints(blueprint(f"[tags]\n{rule}\n"))
    assert f"{{{{ {fact} }}}} is not known for a " in said


def test_what_git_says_only_later_is_an_error_then(blueprint: Write) -> None:
    path = blueprint('tags.branch."*" = ["{{ git.date }}"]')
    (said,) = complaints(path, replace(branch("main"), time=None))
    assert said == "tags: {{ git.date }} is not known for branch main"


# --- labels ---------------------------------------------------------------------------------------


def test_a_new_commit_changes_labels_but_no_context(blueprint: Write) -> None:
    text = 'image.labels = { revision = "{{ git.sha }}", on = "{{ git.branch }}", fixed = "x" }\n'
    variants = read(blueprint(text))
    one, two, three = (
        plan(variants, event)[0]
        for event in (branch("main"), replace(branch("x"), sha="fedcba9876"), tagged("v1.0.0"))
    )
    assert dict(one.event_labels) == {"revision": "0123456", "on": "main"}
    assert dict(two.event_labels) == {"revision": "fedcba9", "on": "x"}
    assert dict(three.event_labels) == {"revision": "0123456"}
    assert one.labels["fixed"] == "x"
    assert not {"revision", "on"} & set(one.labels)
    assert len({rendered([planned])[0].digest for planned in (one, two, three)}) == 1
