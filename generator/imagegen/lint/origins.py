"""Which key of the blueprint a rendered line comes from."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from imagegen.lint.subject import Subject
from imagegen.read.locate import KeyPath
from imagegen.render.places import in_context

_STEP = "# Step "


def origin(subject: Subject, path: PurePosixPath) -> KeyPath | None:
    """Find the command, or the text, that became a file of the context."""
    match path.parts:
        case ("rootfs", "etc", "imagegen", "services", name, "run", _):
            return "services", name, "run"
        case ("rootfs", "etc", "imagegen", "services", name, part, _):
            return "services", name, part, "run"
        case ("rootfs", "etc", "imagegen", "jobs", name, _):
            return "jobs", name, "run"
        case ("steps", name, _):
            return _step(subject, name)
        case ("files", *_):
            for placed in subject.plan.placed:
                if path == PurePosixPath("files", in_context(placed.path)):
                    return "files", placed.path, "text"
    return None


def origin_in_dockerfile(subject: Subject, lines: Sequence[str], number: int) -> KeyPath | None:
    """Find the step that a line of the Dockerfile belongs to, by the comment above it."""
    above = (line for line in reversed(lines[:number]) if line.startswith("# "))
    comment = next(above, "")
    if not comment.startswith(_STEP):
        return None
    return _step(subject, re.split("[.:]", comment.removeprefix(_STEP), maxsplit=1)[0])


def _step(subject: Subject, name: str) -> KeyPath | None:
    for number, step in enumerate(subject.plan.steps):
        if step.name == name:
            return "steps", number, "run"
    return None
