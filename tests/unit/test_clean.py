"""What `imagegen clean` takes away, and what it never does."""

from collections.abc import Sequence

import pytest

from imagegen.act.clean import leftovers
from imagegen.act.engine import StoredImage

OLD, NEW, BASE, FOREIGN = (
    "web:0123456789abcdef",
    "web:fedcba9876543210",
    "base:00000000000000aa",
    "",
)


class FakeEngine:
    """Images with their layers; some are used by containers."""

    def __init__(self, *images: tuple[StoredImage, str], used: str = "") -> None:
        self._images = [image for image, _ in images]
        self._layers = {image.id: tuple(layers) for image, layers in images}
        self._used = used

    def images(self) -> Sequence[StoredImage]:
        return self._images

    def layers(self, image: str) -> Sequence[str]:
        return self._layers[image]

    def in_use(self) -> frozenset[str]:
        return frozenset(self._used.split())


def image(name: str, *references: str, key: str = "k") -> StoredImage:
    return StoredImage(id=name, references=frozenset(references), key=key, size=1)


def left(engine: FakeEngine, *names: str, current: Sequence[str] = ()) -> list[str]:
    return [one.id for one in leftovers(engine, names, current)]  # type: ignore[arg-type]


def test_what_differs_in_its_labels_alone_does_not_stand_on_it() -> None:
    engine = FakeEngine((image("old", OLD), "ab"), (image("new", NEW, "web:local"), "ab"))
    assert left(engine) == ["old"]


def test_what_has_lost_its_tags_goes() -> None:
    engine = FakeEngine(
        (image("old", OLD), "ab"), (image("nameless"), "ac"), (image("new", NEW, "web:local"), "ad")
    )
    assert left(engine) == ["old", "nameless"]


def test_what_imagegen_did_not_build_stays() -> None:
    assert left(FakeEngine((image("theirs", OLD, key=""), "ab"))) == []


def test_what_a_container_was_made_from_stays() -> None:
    assert left(FakeEngine((image("old", OLD), "ab"), used="other old")) == []


def test_what_is_up_to_date_stays_also_without_a_tag() -> None:
    assert left(FakeEngine((image("old", OLD), "ab")), current=["old"]) == []


def test_what_something_stands_on_stays() -> None:
    engine = FakeEngine(
        (image("base", BASE), "ab"), (image("new", "web:local"), "abc"), (image("old", OLD), "ax")
    )
    assert left(engine) == ["old"]


def test_a_base_goes_with_the_last_image_on_it() -> None:
    engine = FakeEngine((image("base", BASE), "ab"), (image("old", OLD), "abc"))
    assert left(engine) == ["base", "old"]


@pytest.mark.parametrize(("name", "found"), [("web", ["old"]), ("base", ["base"]), ("we", [])])
def test_of_one_blueprint_only_its_own_go(name: str, found: list[str]) -> None:
    engine = FakeEngine((image("base", BASE), "ax"), (image("old", OLD), "ab"), (image("x"), "z"))
    assert left(engine, name) == found
