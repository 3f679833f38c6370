"""What is pushed, in which order, and what not."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from imagegen.act.build import build
from imagegen.act.engine import KEY_LABEL, Container, Progress, StoredImage, TargetResult
from imagegen.act.push import push
from imagegen.errors import EngineError, ImagegenError
from imagegen.plan import Plan, plan
from imagegen.plan.chain import with_bases
from imagegen.plan.event import Event
from imagegen.plan.recipe import Recipe
from imagegen.read import read
from imagegen.render.bake import Target

Write = Callable[..., Path]
Invoke = Callable[..., subprocess.CompletedProcess[str]]

RELEASE = Event(kind="tag", name="v1.2.3", sha="0123456", tags=("v1.2.3",))
TEXT = """
image.registries = ["a.io/x", "b.io"]
matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}", default.lang = "en" }
tags.release = ["latest", "{{ git.version }}"]
"""


@dataclass
class FakeEngine:
    """An engine whose registries remember; `refused` is the name that they do not take."""

    stored: list[StoredImage] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    refused: str = ""

    def images(self) -> Sequence[StoredImage]:
        return list(self.stored)

    def bake(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        del progress
        for target in targets:
            key = target.labels[KEY_LABEL]
            names = frozenset(target.tags)
            self.stored.append(StoredImage(id=f"id-{key}", references=names, key=key, size=1))
        return {target.name: TargetResult(name=target.name, seconds=1) for target in targets}

    def tag(self, image: str, reference: str) -> None:
        self.stored = [
            replace(
                one,
                references=one.references | {reference}
                if one.id == image
                else one.references - {reference},
            )
            for one in self.stored
        ]

    def push(self, reference: str) -> str:
        if reference == self.refused:
            raise EngineError(f"{reference} was not pushed: denied")
        (holder,) = (one.id for one in self.stored if reference in one.references)
        self.pushed.append(reference)
        return f"sha256:{holder}"

    def run(self, recipe: Recipe) -> Container:
        raise NotImplementedError


def silent(*_: object) -> None:
    """Nobody listens."""


@pytest.fixture
def plans(blueprint: Write) -> tuple[Plan, ...]:
    return plan(read(blueprint(TEXT)), RELEASE)


@pytest.fixture
def engine(plans: tuple[Plan, ...]) -> FakeEngine:
    """Everything is built and tagged."""
    engine = FakeEngine()
    build(plans, engine, silent)
    return engine


FIRST = [
    *("a.io/x/app:1.2.3-en", "b.io/app:1.2.3-en"),
    *("a.io/x/app:1.2.3-fr", "b.io/app:1.2.3-fr"),
]


def test_names_that_move_go_when_every_variant_is_in_every_registry(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    said: list[str] = []
    done = push(plans, engine, said.append)
    assert engine.pushed[:4] == FIRST
    assert sorted(engine.pushed) == sorted(name for one in plans for name in one.references)
    assert said == [f"push {name}" for name in engine.pushed]
    assert [one.reference for one in done] == engine.pushed
    assert {one.variant for one in done} == {"en", "fr"}
    assert all(one.digest.startswith("sha256:id-") for one in done)


def test_what_is_pushed_is_the_image_of_the_plan_whatever_has_the_name_here(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    engine.stored.append(StoredImage(id="other", references=frozenset(), key="", size=1))
    engine.tag("other", FIRST[0])
    done = push(plans, engine, silent)
    assert "sha256:other" not in {one.digest for one in done}


def test_nothing_is_pushed_while_a_variant_is_missing(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    engine.stored = engine.stored[:1]
    with pytest.raises(ImagegenError, match="not built, or not up to date: app fr\n"):
        push(plans, engine, silent)
    assert engine.pushed == []


def test_a_refusal_leaves_the_rest_and_says_what_went(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    engine.refused = FIRST[2]
    with pytest.raises(EngineError) as caught:
        push(plans, engine, silent)
    assert str(caught.value) == (
        "a.io/x/app:1.2.3-fr was not pushed: denied\n"
        "    pushed before that, and nothing after it: a.io/x/app:1.2.3-en, b.io/app:1.2.3-en"
    )
    assert engine.pushed == FIRST[:2]


def test_a_refusal_of_the_first_leaves_all(plans: tuple[Plan, ...], engine: FakeEngine) -> None:
    engine.refused = FIRST[0]
    with pytest.raises(EngineError, match=r"denied\n    nothing was pushed$"):
        push(plans, engine, silent)


def test_bases_go_before_what_is_on_them(tmp_path: Path) -> None:
    for name, base in (("up", 'base.blueprint = "../low"'), ("low", 'base = "debian:x"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "blueprint.toml").write_text(
            f'blueprint = 1\nimage = {{ name = "{name}", {base}, registries = ["r.io"] }}\n'
        )
    plans = with_bases(plan(read(tmp_path / "up"), RELEASE))
    engine = FakeEngine()
    build(plans, engine, silent)
    push(plans, engine, silent)
    assert engine.pushed[:2] == ["r.io/low:1.2.3", "r.io/up:1.2.3"]
    assert len(engine.pushed) == 6


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def at_release(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A release of a CI system, and an engine that has built nothing."""
    engine = FakeEngine()
    monkeypatch.setattr("imagegen.act.git.event", lambda _: RELEASE)
    monkeypatch.setattr("imagegen.act.docker.DockerEngine", lambda: engine)
    return engine


def test_an_image_without_a_home_is_an_error(
    invoke: Invoke, blueprint: Write, at_release: FakeEngine
) -> None:
    done = invoke("push", blueprint())
    assert (done.returncode, done.stdout) == (1, "")
    assert "app: image.registries does not say where to push to" in done.stderr
    assert at_release.pushed == []


def test_a_base_without_a_home_stays_here(
    invoke: Invoke, tmp_path: Path, at_release: FakeEngine
) -> None:
    for name, more in (
        ("up", 'base.blueprint = "../low", registries = ["r.io"]'),
        ("low", 'base = "debian:x"'),
    ):
        (tmp_path / name).mkdir()
        text = f'blueprint = 1\nimage = {{ name = "{name}", {more} }}\n'
        (tmp_path / name / "blueprint.toml").write_text(text)
    build(plan(read(tmp_path / "up"), RELEASE), at_release, silent)
    done = invoke("push", tmp_path / "up")
    assert done.returncode == 0, done
    assert at_release.pushed == ["r.io/up:1.2.3", "r.io/up:1.2", "r.io/up:latest"]


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["table", "json"])
def test_an_event_without_a_rule_pushes_nothing_and_needs_no_engine(
    invoke: Invoke, blueprint: Write, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    event = Event(kind="pull-request", name="7")
    monkeypatch.setattr("imagegen.act.git.event", lambda _: event)
    done = invoke("push", blueprint(), *words)
    said = "[]\n" if words else "nothing to push: [tags] has no rule for pull request 7\n"
    assert (done.returncode, done.stdout) == (0, said)


def test_what_is_nobodys_release_is_not_pushed(invoke: Invoke, blueprint: Write) -> None:
    done = invoke("push", blueprint())
    assert done.returncode == 1
    assert "nothing was pushed: no commit of git holds the blueprint" in done.stderr


def test_several_platforms_are_not_pushed_as_one(blueprint: Write) -> None:
    engine = FakeEngine()
    several = plan(read(blueprint('image.platforms = ["linux/amd64", "x/arm64"]' + TEXT)), RELEASE)
    build(several, engine, silent)
    with pytest.raises(ImagegenError, match=r"app: image\.platforms names several"):
        push(several, engine, silent)
    assert engine.pushed == []
