"""Following a solve: what is told while it runs, and what is known when it is over.

The streams in recorded/ are those of a real `docker buildx bake --progress rawjson` (buildx 0.13),
without what says nothing of targets and steps.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from imagegen.act.solve import LOG_LINES, Solve, short

RECORDED = Path(__file__).parent / "recorded"
TWO = (RECORDED / "two-targets.rawjson").read_bytes()
LONE = (RECORDED / "lone-target.rawjson").read_bytes()

DIGEST = "sha256:1"


class Told(list[tuple[str, str, str]]):
    """Remembers the progress: target, step, how it ended."""

    def __call__(self, target: str, step: str, ended: str = "") -> None:
        self.append((target, step, ended))

    def of(self, target: str) -> list[tuple[str, str]]:
        return [(step, ended) for told, step, ended in self if told == target]


def followed(stream: bytes, *targets: str, piece: int = 65536) -> tuple[Solve, Told]:
    told = Told()
    solve = Solve(targets, told)
    for start in range(0, len(stream), piece):
        solve.feed(stream[start : start + piece])
    return solve, told


def vertex(name: str, **changes: Any) -> bytes:  # noqa: ANN401 -- JSON
    said = {"digest": DIGEST, "name": name, "started": "2026-01-01T00:00:00Z", **changes}
    return json.dumps({"vertexes": [said]}).encode() + b"\n"


def log(data: bytes) -> bytes:
    said = {"vertex": DIGEST, "data": base64.b64encode(data).decode()}
    return json.dumps({"logs": [said]}).encode() + b"\n"


# --- a recorded build of two targets, one of which fails ------------------------------------------


def test_a_failed_target_has_its_own_log_and_the_whole_command() -> None:
    solve, _ = followed(TWO, "app-py3", "app-slow")
    failed = solve.results()["app-py3"]
    assert failed.failure is not None
    assert failed.failure.startswith("3/3 RUN sleep 1; echo 'first line'; printf ")
    assert failed.failure.endswith('test "bad" != bad: exit code: 1')
    assert failed.log == ("first line", "100%", "nö, das ging schief €")


def test_a_cancelled_sibling_is_no_failure() -> None:
    solve, told = followed(TWO, "app-py3", "app-slow")
    assert solve.results()["app-slow"].failure is None
    assert told.of("app-slow")[-1] == ("3/3 RUN sleep 3; echo done slow", "cancelled")
    assert told.of("app-py3")[-1][1] == "failed"


def test_a_target_takes_from_its_first_step_to_its_last() -> None:
    solve, _ = followed(TWO, "app-py3", "app-slow")
    seconds = {name: round(result.seconds, 2) for name, result in solve.results().items()}
    assert seconds == {"app-py3": 1.53, "app-slow": 1.65}


def test_each_step_is_told_when_it_begins_and_when_it_ends() -> None:
    _, told = followed(TWO, "app-py3", "app-slow")
    echo = '2/3 RUN echo "größe → ok \\ a\\ b"; echo two'
    assert told.of("app-py3")[:4] == [
        ("1/3 FROM debian:bookworm-slim", "0.0 s"),
        (echo, ""),
        (echo, "0.3 s"),
        (told.of("app-py3")[3][0], ""),
    ]


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_the_stream_may_be_cut_anywhere(piece: int) -> None:
    whole, told = followed(TWO, "app-py3", "app-slow")
    cut, told_cut = followed(TWO, "app-py3", "app-slow", piece=piece)
    assert cut.results() == whole.results()
    assert told_cut == told
    assert cut.rest == whole.rest


def test_words_after_the_events_are_kept() -> None:
    solve, _ = followed(TWO, "app-py3", "app-slow")
    assert solve.rest.startswith("Bad:7\n----")
    assert solve.rest.endswith("exit code: 1\n")


def test_a_lone_target_is_not_named_in_the_stream() -> None:
    solve, told = followed(LONE, "app-slow")
    assert told.of("app-slow") == [
        ("1/3 FROM debian:bookworm-slim", "0.0 s"),
        ('2/3 RUN echo "größe → ok \\ a\\ b"; echo two', "cached"),
        ("3/3 RUN sleep 3; echo done slow", ""),
        ("3/3 RUN sleep 3; echo done slow", "3.2 s"),
    ]
    assert solve.results()["app-slow"].failure is None
    assert solve.results()["app-slow"].seconds > 3


# --- what other builds say ------------------------------------------------------------------------


def test_words_before_and_between_events_do_not_end_the_following() -> None:
    stream = b"WARNING: old plugin\n" + vertex("[a 1/1] RUN x") + b"another word\n"
    solve, told = followed(
        stream + vertex("[a 1/1] RUN x", error="exit code: 1"), "a", "b", piece=7
    )
    assert solve.results()["a"].failure == "1/1 RUN x: exit code: 1"
    assert told.of("a") == [("1/1 RUN x", ""), ("1/1 RUN x", "failed")]
    assert solve.rest == "WARNING: old plugin\nanother word\n"


@pytest.mark.parametrize(
    "said", ["ERROR: unknown flag: --progress rawjson", "[1, 2]", '"a"\n', "{"]
)
def test_words_alone_are_kept(said: str) -> None:
    solve, told = followed(said.encode(), "a")
    assert solve.rest == said
    assert told == []


def test_words_that_are_no_utf8_are_kept_as_far_as_they_can_be_read() -> None:
    solve, _ = followed(b"caf\xe9 and \xe2\x82\xac\n", "a", piece=1)
    assert solve.rest == "caf\ufffd and €\n"


def test_a_base_that_is_not_there_fails_its_target() -> None:
    name = "[b internal] load metadata for docker.io/library/nope:1"
    solve, told = followed(vertex(name, error="nope:1: not found"), "a", "b")
    failure = "internal load metadata for docker.io/library/nope:1: nope:1: not found"
    assert solve.results()["b"].failure == failure
    assert solve.results()["a"].failure is None
    assert told == []


def test_a_log_ends_with_what_was_said_last_also_without_a_line_break() -> None:
    lines = b"".join(b"%d\n" % n for n in range(100))
    stream = vertex("[a 1/1] RUN x") + log(lines) + log(b"caf\xc3") + log(b"\xa9")
    solve, _ = followed(stream + vertex("[a 1/1] RUN x", error="exit code: 1"), "a", "b")
    kept = solve.results()["a"].log
    assert len(kept) == LOG_LINES
    assert kept[-2:] == ("99", "café")


def test_a_shared_step_is_told_of_once() -> None:
    stream = vertex("[a 1/2] RUN x") + vertex("[a 1/2] RUN x", cached=True) * 2
    _, told = followed(stream, "a", "b")
    assert told == [("a", "1/2 RUN x", ""), ("a", "1/2 RUN x", "cached")]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2026-01-01T00:00:01.5Z", 1.5),
        ("2026-01-01T00:00:01.123456789Z", 1.123456),
        ("2026-01-01T01:00:01+01:00", 1),
        ("2026-01-01T00:00:01.25-00:00", 1.25),
        ("0001-01-01T00:00:00Z", 0),
        ("yesterday", 0),
    ],
)
def test_go_s_times_are_read(said: str, seconds: float) -> None:
    solve, _ = followed(vertex("[a 1/1] RUN x", completed=said), "a")
    assert solve.results()["a"].seconds == seconds


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("2/5 RUN --mount=type=cache,target=/x --mount=type=bind,source=a set -eu; make", "make"),
        ("2/5 RUN set -eu; export A=1; export B=2; make all", "make all"),
        ("2/5 RUN set -eu; HOME=/h setpriv --reuid=5 --regid=5 --init-groups id", "id"),
        (
            "2/5 RUN set -eu; if [ -s /run/secrets/n ]; then . /run/secrets/n; fi; apt-get update",
            "apt-get update",
        ),
        (
            "2/5 RUN docker run --mount=type=bind,source=a x",
            "docker run --mount=type=bind,source=a x",
        ),
    ],
)
def test_what_is_shown_of_a_step_is_what_it_is_for(step: str, shown: str) -> None:
    assert short(step) == f"2/5 RUN {shown}"
