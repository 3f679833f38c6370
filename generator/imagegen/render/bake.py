"""The bake file: all variants as expanded targets for one `docker buildx bake`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One image to build. `tags` are references, `context` a folder.

    `platform` is that of the machines it is for, if not this one's. `bases` are references in its
    Dockerfile that other targets of the same solve build; `secrets` are given to the builder in
    buildx's own words, as in "id=token,src=/home/me/token".
    """

    name: str
    context: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    bases: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    platform: str = ""


def target_name(image: str, variant: str) -> str:
    """Name a target: bake takes letters, digits, _ and - only, and 1.2 is not 1-2.

    Dashes of the image are doubled, so that a-b of c is not a of b-c.
    """
    name = f"{image.replace('-', '--')}-{variant}".replace("_", "__")
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def levels(targets: Sequence[Target]) -> list[list[Target]]:
    """Split targets so that each comes after the bases that it needs."""
    left = {target.name: target for target in targets}
    rounds: list[list[Target]] = []
    while left:
        ready = [t for t in left.values() if not any(base in left for base in t.bases.values())]
        rounds.append(ready)
        for target in ready:
            del left[target.name]
    return rounds


def bake_file(targets: Sequence[Target]) -> str:
    """Write the file. Strings are escaped, for bake would expand ${…} and %{…} in them."""
    content = {
        "group": {"default": {"targets": [target.name for target in targets]}},
        "target": {target.name: _target(target) for target in targets},
    }
    return json.dumps(content, indent=2) + "\n"


def _target(target: Target) -> dict[str, Any]:
    contexts = {reference: f"target:{name}" for reference, name in target.bases.items()}
    return {
        "context": _literal(target.context),
        **({"contexts": contexts} if contexts else {}),
        "dockerfile": "Dockerfile",
        "labels": {key: _literal(value) for key, value in sorted(target.labels.items())},
        "output": ["type=docker"],
        **({"platforms": [target.platform]} if target.platform else {}),
        **({"secret": [_literal(secret) for secret in target.secrets]} if target.secrets else {}),
        "tags": [_literal(tag) for tag in target.tags],
    }


def _literal(value: str) -> str:
    return value.replace("${", "$${").replace("%{", "%%{")
