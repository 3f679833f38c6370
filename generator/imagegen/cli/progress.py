"""What a running build shows: each step when it ended, and on a terminal what runs meanwhile."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from typing import Self

import typer

from imagegen.cli.output import styled
from imagegen.errors import visible

_COLOURS = {"failed": "red", "cancelled": "yellow", "cached": "green"}
_TICK = 0.5
_TOOK = 9
_FALLBACK = (120, 24)
_CLEAR = "\r\x1b[K"


class Progress:
    """Prints to stderr, one line a step: whose, how it ended, which. `names` are for people."""

    def __init__(self, names: Mapping[str, str], *, quiet: bool = False) -> None:
        """Show nothing if quiet."""
        self._names = names
        self._room = max(map(len, names.values()), default=0)
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._running: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._live:
            self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        with self._lock:
            self._write("")

    def __call__(self, target: str, step: str, ended: str = "") -> None:
        if self._quiet:
            return
        with self._lock:
            if not ended:
                self._running[target, step] = time.monotonic()
            else:
                self._running.pop((target, step), None)
                self._write("")
                typer.echo(self._line(target, ended, step, _COLOURS.get(ended)), err=True)
            self._show()

    def _line(self, target: str, took: str, step: str, colour: str | None = None) -> str:
        """Write a line no wider than the terminal; where there is none, no wider than bearable."""
        name = self._names.get(target, target).ljust(self._room)
        step = visible(step)
        took = took.rjust(_TOOK)
        left = shutil.get_terminal_size(_FALLBACK).columns - len(name) - _TOOK - 5
        cut = step if len(step) <= left else step[: max(left - 1, 0)] + "…"
        return f"{styled(name, fg='cyan')}  {styled(took, fg=colour)}  {cut}"

    def _tick(self) -> None:
        while not self._end.wait(_TICK):
            with self._lock:
                self._show()

    def _show(self) -> None:
        """Write what runs longest, and how much else, below the lines."""
        if not self._running:
            return
        (target, step), since = next(iter(self._running.items()))
        more = f"(+{len(self._running) - 1}) " if len(self._running) > 1 else ""
        self._write(self._line(target, f"{time.monotonic() - since:.0f} s …", f"{more}{step}"))

    def _write(self, line: str) -> None:
        if self._live:
            sys.stderr.write(_CLEAR + line)
            sys.stderr.flush()
