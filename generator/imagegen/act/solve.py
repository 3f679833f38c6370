"""Following one BuildKit solve by the events of `--progress rawjson`."""

import base64
import codecs
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imagegen.act.engine import Progress, TargetResult
from imagegen.errors import shortened

LOG_LINES = 25
_LONGEST = 160


@dataclass
class _Vertex:
    """A step of the solve, as far as it is known."""

    target: str | None = None
    name: str = ""
    started: datetime | None = None
    completed: datetime | None = None
    error: str = ""
    told: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    partial: bytes = b""

    @property
    def failed(self) -> bool:
        """A failing target cancels its siblings; those did not fail themselves."""
        return bool(self.error) and not self.error.endswith("context canceled")


class Solve:
    """Collects what happens to each target. Several targets share steps; the first is told of."""

    def __init__(self, targets: Sequence[str], progress: Progress) -> None:
        """Follow a solve of these targets, and report its steps as they begin and end."""
        self._targets = list(targets)
        self._progress = progress
        self._vertexes: dict[str, _Vertex] = {}
        self._times: dict[str | None, list[datetime]] = {}
        self._pending = ""
        self._rest: list[str] = []
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder = json.JSONDecoder()

    @property
    def rest(self) -> str:
        """What was said that is no event: warnings, or the words of a build that did not begin."""
        return "".join([*self._rest, self._pending])

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the stream: JSON objects one after the other, and lines of words."""
        self._pending += self._bytes.decode(chunk)
        while text := self._pending.lstrip():
            if text[0] != "{":
                line, end, self._pending = text.partition("\n")
                if not end:
                    self._pending = line
                    return
                self._rest.append(line + end)
                continue
            try:
                event, length = self._decoder.raw_decode(text)
            except ValueError:
                self._pending = text
                return
            self._pending = text[length:]
            self._take(event)
        self._pending = ""

    def _take(self, event: Mapping[str, Any]) -> None:
        for said in event.get("vertexes") or ():
            self._vertex(said)
        for said in event.get("logs") or ():
            vertex = self._vertexes.setdefault(said["vertex"], _Vertex())
            self._log(vertex, base64.b64decode(said["data"]))

    def _vertex(self, said: Mapping[str, Any]) -> None:
        target, name = self._named(said["name"])
        times = {key: _time(said.get(key)) for key in ("started", "completed")}
        self._times.setdefault(target, []).extend(time for time in times.values() if time)
        vertex = self._vertexes.setdefault(said["digest"], _Vertex())
        if not vertex.name:
            vertex.target, vertex.name = target, name
        vertex.started = times["started"] or vertex.started
        vertex.completed = times["completed"] or vertex.completed
        vertex.error = said.get("error") or vertex.error
        if said.get("cached"):
            self._tell(vertex, "cached")
        elif vertex.failed:
            self._tell(vertex, "failed")
        elif vertex.error:
            self._tell(vertex, "cancelled")
        elif vertex.completed and vertex.started:
            self._tell(vertex, f"{(vertex.completed - vertex.started).total_seconds():.1f} s")
        elif vertex.started:
            self._tell(vertex, "")

    def _tell(self, vertex: _Vertex, ended: str) -> None:
        """Tell of a numbered step once that it begins, and once how it ended."""
        if not vertex.target or not vertex.name[:1].isdigit():
            return
        if ended not in vertex.told and not any(vertex.told):
            vertex.told.append(ended)
            self._progress(vertex.target, short(vertex.name), ended)

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
        return target, f"{step} {' '.join(found['what'].split())}"

    @staticmethod
    def _log(vertex: _Vertex, data: bytes) -> None:
        *lines, vertex.partial = (vertex.partial + data).split(b"\n")
        vertex.log += map(_line, lines)
        del vertex.log[:-LOG_LINES]

    def results(self) -> Mapping[str, TargetResult]:
        """Sum up each target: how long its own steps took, and its failure if it failed itself."""
        return {target: self._result(target) for target in self._targets}

    def _result(self, target: str) -> TargetResult:
        own = [vertex for vertex in self._vertexes.values() if vertex.target == target]
        times = self._times.get(target, [])
        took = (max(times) - min(times)).total_seconds() if times else 0.0
        first = next((vertex for vertex in own if vertex.failed), None)
        if first is None:
            return TargetResult(name=target, seconds=took)
        log = [*first.log, *([_line(first.partial)] if first.partial else [])]
        return TargetResult(
            name=target,
            seconds=took,
            # What fits two lines; all of it is in the Dockerfile.
            failure=f"{shortened(short(first.name), _LONGEST)}: {_why(first.error)}",
            log=tuple(log[-LOG_LINES:]),
        )


def short(step: str) -> str:
    """Leave out of a step what does not say what it is for."""
    for pattern, instead in _NOISE:
        step = re.sub(pattern, instead, step)
    return step


_NOISE = (
    (r"(?<=RUN )(?:--mount=\S+ )+", ""),
    (r"(?<=RUN )set -eu; ", ""),
    (r"(?<=RUN )if \[ -s /run/secrets/\S+ \]; then \. \S+; fi; ", ""),
    (r"(?<=RUN )(?:export \w+=\S+; )+", ""),
    (r"(?<=RUN )HOME=\S+ (?:timeout -k \d+ \d+ )?setpriv (?:--re[ug]id=\S+ )+--init-groups ", ""),
    (r"(?<=FROM )docker\.io/library/", ""),
)


def _why(error: str) -> str:
    """Leave out of an error the command, which the name of the step holds."""
    return re.sub(r'(?s)^process ".*" did not complete successfully: ', "", error)


def _line(raw: bytes) -> str:
    """Read a line as a terminal would leave it, where progress goes back to its beginning."""
    return raw.decode(errors="replace").rstrip("\r").rpartition("\r")[2]


def _time(value: str | None) -> datetime | None:
    """Read Go's time, whose nanoseconds Python does not take."""
    if not value or value.startswith("0001-"):
        return None
    found = re.fullmatch(r"(.*?)(\.[0-9]+)?(Z|[+-][0-9:]+)", value)
    if not found:
        return None
    fraction = (found[2] or ".0")[:7].ljust(7, "0")
    return datetime.fromisoformat(f"{found[1]}{fraction}{found[3].replace('Z', '+00:00')}")
