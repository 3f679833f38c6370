"""RUN lines: mounts, and shell that fails when one of its lines does."""

from dataclasses import dataclass

WRAP = " \\\n        "
"""Goes on with a shell line of a RUN."""


@dataclass(frozen=True, slots=True)
class Run:
    """A RUN line: mounts, and shell lines that each must succeed."""

    lines: tuple[str, ...]
    mounts: tuple[str, ...] = ()


def strict(*lines: str, mounts: tuple[str, ...] = ()) -> Run:
    return Run(("set -eu", *lines), mounts)


def simple(*lines: str) -> Run | None:
    """Join lines of one command each, none or more."""
    return strict(*lines) if len(lines) > 1 else Run(lines) if lines else None


def body(run: Run) -> str:
    """Write a RUN line's mounts and shell, one a line."""
    mounts = "".join(f"{mount} \\\n    " for mount in run.mounts)
    return mounts + "; \\\n    ".join(run.lines)
