"""Following one BuildKit solve by the events of `--progress rawjson`."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imagegen.act.engine import Progress, TargetResult

LOG_LINES = 25


@dataclass
class _Vertex:
    """A step of the solve, as far as it is known."""

    target: str | None = None
    name: str = ""
    started: datetime | None = None
    completed: datetime | None = None
    error: str = ""
    told: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    partial: str = ""


class Solve:
    """Collects what happens to each target. Several targets share steps; the first is told of."""

    def __init__(self, targets: Sequence[str], progress: Progress) -> None:
        """Follow a solve of these targets, and report its steps as they begin and end."""
        self._targets = list(targets)
        self._progress = progress
        self._vertexes: dict[str, _Vertex] = {}
        self._pending = ""
        self._decoder = json.JSONDecoder()

    @property
    def rest(self) -> str:
        """What was said that is no event: the words of a build that could not begin."""
        return self._pending

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the stream, which is JSON objects one after the other."""
        self._pending += chunk.decode(errors="replace")
        while text := self._pending.lstrip():
            try:
                event, end = self._decoder.raw_decode(text)
            except ValueError:
                self._pending = text
                return
            self._pending = text[end:]
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        for said in event.get("vertexes") or ():
            self._vertex(said)
        for said in event.get("logs") or ():
            vertex = self._vertexes.setdefault(said["vertex"], _Vertex())
            self._log(vertex, base64.b64decode(said["data"]).decode(errors="replace"))

    def _vertex(self, said: Mapping[str, Any]) -> None:
        vertex = self._vertexes.setdefault(said["digest"], _Vertex())
        vertex.target, vertex.name = self._named(said["name"])
        vertex.started = _time(said.get("started")) or vertex.started
        vertex.completed = _time(said.get("completed")) or vertex.completed
        vertex.error = said.get("error") or vertex.error
        if not vertex.target or not vertex.name[:1].isdigit():
            return
        if said.get("cached"):
            self._tell(vertex, f"{vertex.name} (cached)")
        elif vertex.completed and vertex.started and not vertex.error:
            took = (vertex.completed - vertex.started).total_seconds()
            self._tell(vertex, f"{vertex.name} ({took:.1f} s)")

    def _tell(self, vertex: _Vertex, line: str) -> None:
        if vertex.target and vertex.name not in vertex.told:
            vertex.told.add(vertex.name)
            self._progress(vertex.target, line)

    def _named(self, name: str) -> tuple[str | None, str]:
        """Split "[app-py3 2/4] RUN x" into target and step; a lone target is not named."""
        found = re.fullmatch(
            r"\[(?:(?P<target>\S+) )?(?P<step>[^\]]+)\] ?(?P<what>.*)", name, re.DOTALL
        )
        if not found:
            return None, name
        target = found["target"] if found["target"] in self._targets else None
        if target is None and len(self._targets) == 1:
            target = self._targets[0]
        step = found["step"].split(" ")[-1] if "/" in found["step"] else found["step"]
        return target, f"{step} {' '.join(found['what'].split())}".replace("\\ ", "")

    @staticmethod
    def _log(vertex: _Vertex, data: str) -> None:
        *lines, vertex.partial = (vertex.partial + data).split("\n")
        vertex.log += [line.rstrip("\r") for line in lines]
        del vertex.log[:-LOG_LINES]

    def results(self) -> Mapping[str, TargetResult]:
        """Sum up each target: how long its own steps took, and its failure if it failed itself."""
        return {target: self._result(target) for target in self._targets}

    def _result(self, target: str) -> TargetResult:
        own = [vertex for vertex in self._vertexes.values() if vertex.target == target]
        started = [vertex.started for vertex in own if vertex.started]
        completed = [vertex.completed for vertex in own if vertex.completed]
        took = (max(completed) - min(started)).total_seconds() if started and completed else 0.0
        # A failing target cancels its siblings; those did not fail themselves.
        failed = [v for v in own if v.error and not v.error.endswith("context canceled")]
        if not failed:
            return TargetResult(name=target, seconds=took)
        first = failed[0]
        log = [*first.log, *([first.partial] if first.partial else [])]
        return TargetResult(
            name=target,
            seconds=took,
            failure=f"{first.name}: {first.error}",
            log=tuple(log[-LOG_LINES:]),
        )


def _time(value: str | None) -> datetime | None:
    """Read Go's time, whose nanoseconds Python does not take."""
    if not value or value.startswith("0001-"):
        return None
    found = re.fullmatch(r"(.*?)(\.[0-9]+)?(Z|[+-][0-9:]+)", value)
    if not found:
        return None
    fraction = (found[2] or ".0")[:7].ljust(7, "0")
    return datetime.fromisoformat(f"{found[1]}{fraction}{found[3].replace('Z', '+00:00')}")
