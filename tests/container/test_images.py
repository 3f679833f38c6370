"""Building for real: what is built, what is not, and which names move."""

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
import pytest

from conftest import EXAMPLES, imagegen
from imagegen.act.build import build
from imagegen.act.docker import DockerEngine
from imagegen.act.engine import Progress, TargetResult
from imagegen.plan import plan
from imagegen.read import read
from imagegen.render.bake import Target

pytestmark = pytest.mark.container


@pytest.fixture
def folder(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Path]:
    """A copy of examples/hello with an image name of its own; its images go with the test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    copy = tmp_path / name
    shutil.copytree(EXAMPLES / "hello", copy)
    _edit(copy / "blueprint.toml", 'name = "hello"', f'name = "{name}"')
    yield copy
    for image in engine.images.list(name=name):
        engine.images.remove(image.id, force=True)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _build(folder: Path) -> list[dict[str, Any]]:
    done = imagegen("build", folder, "--json")
    assert done.returncode == 0, done.stderr
    built: list[dict[str, Any]] = json.loads(done.stdout)
    return built


def _states(folder: Path) -> dict[str, str]:
    return {one["variant"]: one["state"] for one in _build(folder)}


def test_both_variants_are_built_and_tagged_and_the_second_time_nothing_is_done(
    folder: Path, engine: docker.DockerClient
) -> None:
    name = folder.name
    assert _states(folder) == {"en": "built", "fr": "built"}
    english = engine.images.get(f"{name}:local-en")
    assert engine.images.get(f"{name}:local").id == english.id
    assert engine.images.get(f"{name}:local-fr").id != english.id

    again = imagegen("build", folder)
    assert again.returncode == 0
    assert "nothing to do: 2 variants up to date" in again.stdout
    assert again.stderr == ""


def test_a_removed_tag_comes_back_alone(folder: Path, engine: docker.DockerClient) -> None:
    name = folder.name
    before = {one["variant"]: one["id"] for one in _build(folder)}
    engine.images.remove(f"{name}:local-fr")
    after = _build(folder)
    assert {one["variant"]: one["state"] for one in after} == {"en": "unchanged", "fr": "tagged"}
    assert {one["variant"]: one["id"] for one in after} == before
    assert engine.images.get(f"{name}:local-fr").id == before["fr"]


def test_a_tag_moved_by_hand_is_noticed(folder: Path, engine: docker.DockerClient) -> None:
    name = folder.name
    before = {one["variant"]: one["id"] for one in _build(folder)}
    engine.images.get(f"{name}:local-en").tag(name, "local-fr")
    assert _states(folder) == {"en": "unchanged", "fr": "tagged"}
    assert engine.images.get(f"{name}:local-fr").id == before["fr"]


def test_a_changed_file_rebuilds_only_the_variant_and_the_layers_it_touches(
    folder: Path, engine: docker.DockerClient
) -> None:
    name = folder.name
    _build(folder)
    layers = engine.images.get(f"{name}:local-fr").attrs["RootFS"]["Layers"]
    _edit(folder / "messages/fr.json", "Bonjour", "Salut")
    assert _states(folder) == {"en": "unchanged", "fr": "built"}
    changed = engine.images.get(f"{name}:local-fr").attrs["RootFS"]["Layers"]
    kept = [one for one, other in zip(layers, changed, strict=True) if one == other]
    assert len(kept) >= len(layers) - 2
    assert changed != layers


def test_a_failing_variant_shows_its_own_log_and_moves_no_tag(
    folder: Path, engine: docker.DockerClient
) -> None:
    name = folder.name
    before = {one["variant"]: one["id"] for one in _build(folder)}
    blueprint = folder / "blueprint.toml"
    step = '[[steps]]\nrun = "echo making {{ lang }}; test {{ lang }} = en"\n\n[files]'
    _edit(blueprint, "[files]", step)
    done = imagegen("build", folder)
    assert done.returncode == 6
    assert f"{name} fr did not build: 5/" in done.stderr
    assert "| making fr" in done.stderr
    assert "| making en" not in done.stderr
    for tag, variant in (("local-en", "en"), ("local", "en"), ("local-fr", "fr")):
        assert engine.images.get(f"{name}:{tag}").id == before[variant]


def test_labels_say_what_the_image_is(folder: Path, engine: docker.DockerClient) -> None:
    _build(folder)
    labels = engine.images.get(f"{folder.name}:local-fr").labels
    assert labels["org.opencontainers.image.title"] == "Hello"
    assert labels["org.opencontainers.image.version"] == "1.0"
    assert labels["org.opencontainers.image.base.name"] == "debian:bookworm-slim"
    assert labels["io.imagegen.variant"] == "lang=fr"
    assert labels["io.imagegen.stop-budget"] == "25"
    assert len(labels["io.imagegen.context"]) == 64


class OldEngine(DockerEngine):
    """The engine as it was before named contexts; remembers what it solved together."""

    def __init__(self) -> None:
        super().__init__()
        self.solved: list[set[str]] = []

    def _has_contexts(self) -> bool:
        return False

    def _solve(self, targets: Sequence[Target], progress: Progress) -> Mapping[str, TargetResult]:
        self.solved.append({target.name.partition("-")[0] for target in targets})
        assert not any(target.bases for target in targets)
        return super()._solve(targets, progress)


def test_an_engine_without_named_contexts_builds_level_by_level(
    tmp_path: Path, engine: docker.DockerClient
) -> None:
    key = uuid.uuid4().hex[:8]
    below, above = tmp_path / "below", tmp_path / "above"
    for folder, base in ((below, "debian:bookworm-slim"), (above, "")):
        folder.mkdir()
        said = f'base = "{base}"' if base else 'base = { blueprint = "../below" }'
        (folder / "blueprint.toml").write_text(
            f'blueprint = 1\n[image]\nname = "{folder.name}{key}"\n{said}\n'
            f'[[steps]]\nrun = "echo {folder.name} >> /chain"\n'
        )
    old = OldEngine()
    built = build(plan(read(above)), old, lambda *_: None)
    try:
        assert old.solved == [{f"below{key}"}, {f"above{key}"}]
        assert [one.image for one in built] == [f"below{key}", f"above{key}"]
        shown = engine.containers.run(f"above{key}:local", ["cat", "/chain"], remove=True)
        assert shown == b"below\nabove\n"
        new = build(plan(read(above)), DockerEngine(), lambda *_: None)
        assert {one.state for one in new} == {"unchanged"}  # the same plan, whoever builds it
    finally:
        for one in built:
            engine.images.remove(one.id, force=True)


def test_clean_takes_what_old_builds_left_and_nothing_else(
    folder: Path, engine: docker.DockerClient
) -> None:
    name = folder.name
    _build(folder)
    old = {engine.images.get(f"{name}:{tag}").id for tag in ("local-en", "local-fr")}
    _edit(folder / "blueprint.toml", 'title = "Hello"', 'title = "Hallo"')
    _build(folder)
    new = {engine.images.get(f"{name}:{tag}").id for tag in ("local-en", "local-fr")}
    asked = imagegen("clean", folder)
    assert asked.returncode == 2, asked.stderr
    assert {image.id for image in engine.images.list(name=name)} == old | new
    done = imagegen("clean", folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("removed 2 images\n")
    assert {image.id for image in engine.images.list(name=name)} == new
    assert imagegen("clean", folder).stdout == "nothing to remove\n"
