"""The systems that the language was made for, written in it: each checks and renders.

Own files are small stand-ins. Three of the systems run on a base with yum, which is not served:
they stand here on Debian, and as they were in `refused/`, with what is said of them.
"""

from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.plan import plan
from imagegen.read import read
from imagegen.render.chain import rendered

SYSTEMS = Path(__file__).parents[1] / "systems"
PARTS = {"whaleware.toml", "simonsobs.toml"}
IMAGES = {
    "asterisk": 4,
    "camcops": 1,
    "looker": 2,
    "ocs": 1,
    "ocs-lakeshore372": 1,
    "overwatch": 3,
    "overwatch-base": 3,
    "wombatdialer": 1,
}
"""Each image with the number of its variants."""

FAMILY = (
    "image.base.family: the family redhat is not served yet; served: debian, phusion, as in "
    '"debian:bookworm-slim"'
)
YUM = "packages.yum: is not supported yet (served: packages.apt, for debian, phusion; pip; npm)"


def blueprints(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in folder.rglob("*.toml") if path.name not in PARTS}


def test_all_systems_are_here() -> None:
    everywhere = blueprints(SYSTEMS).keys()
    assert everywhere == IMAGES.keys()
    assert blueprints(SYSTEMS / "refused").keys() == {"asterisk", "wombatdialer"}


@pytest.mark.parametrize("name", IMAGES)
def test_a_system_checks_and_renders(name: str) -> None:
    served = [p for p in SYSTEMS.rglob(f"{name}.toml") if p.parent.name != "refused"]
    plans = plan(read(served[0]))
    assert len(plans) == IMAGES[name]
    contexts = rendered(plans)
    assert {id(one.plan) for one in contexts} >= {id(one) for one in plans}
    again = rendered(plan(read(served[0])))
    assert [one.digest for one in again] == [one.digest for one in contexts]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wombatdialer", [FAMILY, YUM]),
        ("asterisk", [f"override[0].{YUM}", f"override[1].{YUM}", YUM, FAMILY]),
    ],
)
def test_what_is_not_served_is_told_where_it_is_written(name: str, expected: list[str]) -> None:
    with pytest.raises(BlueprintError) as caught:
        read(SYSTEMS / "refused" / f"{name}.toml")
    assert sorted(problem.message for problem in caught.value.problems) == sorted(expected)
