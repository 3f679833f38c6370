"""What is built, what is not, and which names move: decided here, done by the engine."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from imagegen.act.build import Built, build, only_platform
from imagegen.act.engine import KEY_LABEL, Container, Progress, StoredImage, TargetResult
from imagegen.errors import BuildFailed
from imagegen.plan import Plan, plan
from imagegen.plan.recipe import Recipe
from imagegen.read import read
from imagegen.render import context
from imagegen.render.bake import Target, bake_file
from imagegen.render.network import Network
from imagegen.tree import digest

BASE = "debian:bookworm-slim"


@dataclass
class FakeEngine:
    """An engine that remembers; `broken` are targets that do not build."""

    stored: list[StoredImage] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    baked: list[list[str]] = field(default_factory=list)
    tagged: list[str] = field(default_factory=list)
    contexts: dict[str, str] = field(default_factory=dict)
    failure: str = "1/1 RUN x: exit code: 1"
    log: tuple[str, ...] = ("so", "broken")
    secrets: list[str] = field(default_factory=list)

    def images(self) -> Sequence[StoredImage]:
        return list(self.stored)

    def bake(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        said = json.loads(bake_file(targets))["target"]
        self.baked.append([target.name for target in targets])
        results = {}
        for target in targets:
            name = target.name
            self.secrets += said[name].get("secret", ())
            self.contexts[name] = (Path(said[name]["context"]) / "Dockerfile").read_text()
            progress(name, "1/1 RUN x", "1.0 s")
            if name in self.broken:
                results[name] = TargetResult(
                    name=name, seconds=1, failure=self.failure, log=self.log
                )
                continue
            results[name] = TargetResult(name=name, seconds=1.5)
            key = target.labels[KEY_LABEL]
            image = StoredImage(
                id=f"{len(self.stored)}-{key}", references=frozenset(), key=key, size=7
            )
            self.stored.insert(0, image)  # engines list the newest first
            for tag in target.tags:
                self._name(image.id, tag)
        return results

    def tag(self, image: str, reference: str) -> None:
        self.tagged.append(reference)
        self._name(image, reference)

    def layers(self, image: str) -> Sequence[str]:
        raise NotImplementedError

    def in_use(self) -> frozenset[str]:
        raise NotImplementedError

    def remove(self, image: StoredImage) -> None:
        raise NotImplementedError

    def push(self, reference: str) -> str:
        raise NotImplementedError

    def run(self, recipe: Recipe) -> Container:
        raise NotImplementedError

    def _name(self, image: str, reference: str) -> None:
        def names(one: StoredImage) -> frozenset[str]:
            others = one.references - {reference}
            return others | {reference} if one.id == image else others

        self.stored = [replace(one, references=names(one)) for one in self.stored]

    def holder(self, reference: str) -> str:
        """The image that has the name; empty if none has."""
        return next((one.id for one in self.stored if reference in one.references), "")

    def untag(self, reference: str) -> None:
        self._name("", reference)


@pytest.fixture
def plans(blueprint: Callable[..., Path]) -> tuple[Plan, ...]:
    text = (
        'matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}", default.lang = "en" }\n'
        'env.LANGUAGE = "{{ lang }}"\n'
    )
    return plan(read(blueprint(text)))


@pytest.fixture
def engine() -> FakeEngine:
    base = StoredImage(id="base-1", references=frozenset({BASE}), key="", size=1)
    return FakeEngine([base])


def silent(target: str, step: str, ended: str = "") -> None:
    del target, step, ended


def states(built: Sequence[Built]) -> dict[str, str]:
    return {one.variant: one.state for one in built}


def test_the_first_time_everything_is_built_in_one_solve(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    built = build(plans, engine, silent)
    assert states(built) == {"en": "built", "fr": "built"}
    assert engine.baked == [["app-en", "app-fr"]]
    assert engine.tagged == ["app:local-en", "app:local", "app:local-fr"]
    assert [one.id for one in built] == [engine.holder("app:local"), engine.holder("app:local-fr")]
    assert [(one.size, one.seconds) for one in built] == [(7, 1.5), (7, 1.5)]


def test_each_variant_is_built_from_its_own_context(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    assert 'ENV LANGUAGE="en"' in engine.contexts["app-en"]
    assert 'ENV LANGUAGE="fr"' in engine.contexts["app-fr"]


def test_the_second_time_there_is_nothing_to_do(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    first = build(plans, engine, silent)
    engine.tagged.clear()
    again = build(plans, engine, silent)
    assert states(again) == {"en": "unchanged", "fr": "unchanged"}
    assert [one.id for one in again] == [one.id for one in first]
    assert len(engine.baked) == 1
    assert engine.tagged == []


def test_force_builds_what_is_there(plans: tuple[Plan, ...], engine: FakeEngine) -> None:
    build(plans, engine, silent)
    assert states(build(plans, engine, silent, force=True)) == {"en": "built", "fr": "built"}


def test_a_missing_name_is_given_without_building(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    engine.tagged.clear()
    engine.untag("app:local")
    assert states(build(plans, engine, silent)) == {"en": "tagged", "fr": "unchanged"}
    assert engine.tagged == ["app:local"]
    assert len(engine.baked) == 1


def test_a_name_moved_by_hand_moves_back(plans: tuple[Plan, ...], engine: FakeEngine) -> None:
    _, french = build(plans, engine, silent)
    engine.tag(engine.holder("app:local-en"), "app:local-fr")
    assert states(build(plans, engine, silent)) == {"en": "unchanged", "fr": "tagged"}
    assert engine.holder("app:local-fr") == french.id


def test_only_the_variant_that_changed_is_built(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    english, french = plans
    changed = replace(french, env={"LANGUAGE": "fr_CA"})
    assert states(build((english, changed), engine, silent)) == {"en": "unchanged", "fr": "built"}
    assert engine.baked[1] == ["app-fr"]


def test_a_failing_variant_moves_no_name_and_shows_its_own_log(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    before = {name: engine.holder(name) for name in ("app:local", "app:local-en", "app:local-fr")}
    engine.tagged.clear()
    engine.broken = {"app-fr"}
    changed = tuple(replace(one, env={"NEW": one.variant}) for one in plans)
    with pytest.raises(BuildFailed) as failed:
        build(changed, engine, silent)
    assert str(failed.value) == (
        "app fr did not build: 1/1 RUN x: exit code: 1\n    | so\n    | broken"
    )
    assert engine.tagged == []
    assert {name: engine.holder(name) for name in before} == before


@pytest.mark.parametrize(
    "line",
    [
        "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
        "Certificate verification failed: The certificate is NOT trusted.",
        "npm error code SELF_SIGNED_CERT_IN_CHAIN",
        "server certificate verification failed. CAfile: none CRLfile: none",
    ],
)
def test_a_certificate_that_is_not_trusted_has_a_cure(
    plans: tuple[Plan, ...], engine: FakeEngine, line: str
) -> None:
    engine.broken, engine.log = {"app-fr"}, (line,)
    with pytest.raises(BuildFailed, match="with --ca-bundle FILE"):
        build(plans, engine, silent)


def test_the_builder_is_told_of_the_network_and_a_failure_does_not_tell_the_password(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    proxy = "http://me:hunter2@proxy"
    engine.broken, engine.log = {"app-fr"}, (f"can't reach {proxy}",)
    with pytest.raises(BuildFailed, match=r"can't reach http://\*\*\*@proxy"):
        build(plans, engine, silent, network=Network(http_proxy=proxy))
    assert engine.secrets
    assert all(secret.startswith("id=imagegen-network,") for secret in engine.secrets)
    assert not any("hunter2" in context for context in engine.contexts.values())


def test_what_succeeded_beside_a_failure_is_not_built_again(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    engine.broken = {"app-fr"}
    with pytest.raises(BuildFailed):
        build(plans, engine, silent)
    engine.broken = set()
    assert states(build(plans, engine, silent)) == {"en": "tagged", "fr": "built"}
    assert engine.baked == [["app-en", "app-fr"], ["app-fr"]]


def test_another_base_of_the_same_name_makes_another_image(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    engine.stored = [
        replace(one, id="base-2") if BASE in one.references else one for one in engine.stored
    ]
    assert states(build(plans, engine, silent)) == {"en": "built", "fr": "built"}


def test_the_key_is_that_of_context_and_base(plans: tuple[Plan, ...], engine: FakeEngine) -> None:
    build(plans[:1], engine, silent)
    (key,) = {image.key for image in engine.stored if image.key}
    engine.untag(BASE)
    engine.stored = [image for image in engine.stored if image.id != "base-1"]
    build(plans[:1], engine, silent)
    keys = {image.key for image in engine.stored if image.key}
    assert len(keys) == 2
    assert key in keys
    assert digest(context(plans[0])) not in keys


def test_progress_reaches_the_caller(plans: tuple[Plan, ...], engine: FakeEngine) -> None:
    told: list[tuple[str, str, str]] = []

    def listen(target: str, step: str, ended: str = "") -> None:
        told.append((target, step, ended))

    build(plans, engine, listen)
    assert told == [("app-en", "1/1 RUN x", "1.0 s"), ("app-fr", "1/1 RUN x", "1.0 s")]


def test_after_force_the_new_image_keeps_the_names(
    plans: tuple[Plan, ...], engine: FakeEngine
) -> None:
    build(plans, engine, silent)
    forced = build(plans, engine, silent, force=True)
    again = build(plans, engine, silent)
    assert [one.id for one in again] == [one.id for one in forced]
    assert states(again) == {"en": "unchanged", "fr": "unchanged"}


def test_one_platform_is_built_for_and_several_are_left_to_the_engine(
    blueprint: Callable[..., Path], engine: FakeEngine
) -> None:
    keys = set()
    for platforms in ([], ["linux/arm64"], ["linux/amd64", "linux/arm64"]):
        (planned,) = plan(read(blueprint(f"image.platforms = {platforms}")))
        assert planned.platforms == tuple(platforms)
        assert only_platform(planned) == ("linux/arm64" if len(platforms) == 1 else "")
        build([planned], engine, lambda *_: None)
        keys |= {image.key for image in engine.images() if image.key}
    assert len(engine.baked) == len(keys) == 2  # another platform is another image


@pytest.mark.parametrize(
    ("failure", "cure"),
    [
        ("130/141 COPY a /a: failed to prepare x as y: max depth exceeded", "127 layers at most"),
        ("2/3 RUN x: exit code: 124", "a step took longer than it may"),
        ("load metadata for nowhere:1: not found", "the base image can't be had"),
    ],
)
def test_a_failure_of_few_words_gets_its_cure(
    plans: tuple[Plan, ...], engine: FakeEngine, failure: str, cure: str
) -> None:
    engine.broken, engine.failure, engine.log = {"app-fr"}, failure, ()
    with pytest.raises(BuildFailed, match=cure):
        build(plans, engine, silent)
