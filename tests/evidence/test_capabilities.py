"""What docs/capabilities.md promises is proved: by tests that ran, in this very run of `./check`.

No test of that run was skipped, either, but for what a machine can't do at all.

`./check` leaves the reports of its tests in .venv/reports and runs this last.
"""

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "capabilities.md").read_text()
REPORTS = ROOT / ".venv" / "reports"
DUE = (
    "K1",
    *(f"K{number}" for number in range(3, 10)),
    "K12",
    *(f"K{number}" for number in range(14, 19)),
    "K33",
)
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_\w+)`")


def proofs() -> list[tuple[str, str, str]]:
    """List each capability with the file and the name of each test that the page names for it."""
    found = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        capability = section.split()[0]
        found += [(capability, file, name) for file, name in TEST.findall(section)]
    return found


def outcomes() -> dict[tuple[str, str], list[str]]:
    """Read what became of each test: one word for each of its cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for report in REPORTS.glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 -- pytest wrote it
            file = case.get("classname", "").replace(".", "/") + ".py"
            name = case.get("name", "").partition("[")[0]
            bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            found.setdefault((file, name), []).append(bad[0] if bad else "passed")
    return found


OUTCOMES = outcomes()


def test_every_capability_has_proofs() -> None:
    assert sorted({capability for capability, _, _ in proofs()}) == sorted(DUE)


@pytest.mark.parametrize(("capability", "file", "name"), proofs())
def test_the_proof_ran_and_passed(capability: str, file: str, name: str) -> None:
    came = OUTCOMES.get((file, name))
    assert came, f"{capability}: {file}::{name} did not run; ./check runs it"
    assert set(came) == {"passed"}, f"{capability}: {file}::{name}: {came}"


def skipped() -> list[tuple[str, str]]:
    """List the tests that did not run, each with the reason that was given."""
    found = []
    for report in REPORTS.glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 -- pytest wrote it
            found += [(str(case.get("name")), str(s.get("message"))) for s in case.iter("skipped")]
    return found


def test_nothing_was_skipped() -> None:
    """CI runs as root on a machine that has all: there, nothing is left out."""
    hindrances = {
        "only root can become somebody else": os.getuid() != 0,
        "there is no taplo for Linux on ARM": os.uname().machine == "aarch64",
    }
    assert OUTCOMES, "no reports: ./check leaves them, and runs this last"
    assert [(name, why) for name, why in skipped() if not hindrances.get(why)] == []
