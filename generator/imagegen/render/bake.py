"""The bake file: all variants as expanded targets for one `docker buildx bake`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One image to build. `tags` are references, `context` a folder."""

    name: str
    context: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]


def target_name(*parts: str) -> str:
    """Name a target: bake takes letters, digits, _ and - only, and 1.2 is not 1-2."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(parts).replace("_", "__"))


def bake_file(targets: Sequence[Target]) -> str:
    """Write the file. Strings are escaped, for bake would expand ${…} and %{…} in them."""
    content = {
        "group": {"default": {"targets": [target.name for target in targets]}},
        "target": {
            target.name: {
                "context": _literal(target.context),
                "dockerfile": "Dockerfile",
                "labels": {key: _literal(value) for key, value in sorted(target.labels.items())},
                "output": ["type=docker"],
                "tags": [_literal(tag) for tag in target.tags],
            }
            for target in targets
        },
    }
    return json.dumps(content, indent=2) + "\n"


def _literal(value: str) -> str:
    return value.replace("${", "$${").replace("%{", "%%{")
