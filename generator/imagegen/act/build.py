"""Building plans: only what is missing, all in one solve, tags only when all have succeeded."""

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imagegen.act.engine import KEY_LABEL, Engine, Progress, StoredImage, TargetResult
from imagegen.act.folder import laid, lay
from imagegen.act.network import told
from imagegen.act.secrets import given, refuse_missing
from imagegen.errors import BuildFailed, ImagegenError
from imagegen.plan import Plan
from imagegen.render import Rendered, rendered
from imagegen.render.bake import Target, target_name
from imagegen.render.network import DIRECT, Network
from imagegen.tree import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What became of one variant of an image. `size` is in bytes, `seconds` what building took.

    `state`: built now; tagged (it was there, names were missing); unchanged.
    """

    image: str
    variant: str
    state: Literal["built", "tagged", "unchanged"]
    references: tuple[str, ...]
    id: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Work:
    """A rendered plan and the key that its files, its own bases and the foreign one give it."""

    rendered: Rendered
    key: str
    base: "_Work | None"

    @property
    def plan(self) -> Plan:
        return self.rendered.plan

    @property
    def staging(self) -> str:
        """Where bake leaves the image until all have succeeded, and where it is found again."""
        return self.rendered.reference

    @property
    def target(self) -> str:
        return target_name(self.plan.image, self.plan.variant)


def build(
    plans: Sequence[Plan],
    engine: Engine,
    progress: Progress,
    *,
    network: Network = DIRECT,
    force: bool = False,
) -> tuple[Built, ...]:
    """Build what the engine does not have yet, own bases included, then set the tags.

    `network` is how build steps reach theirs; it has no part in what is built.
    Raises BlueprintError if a secret is missing that a build needs, and BuildFailed with the end
    of each failed variant's own log; then no tag has moved, and what did succeed is found again
    the next time.
    """
    stored = engine.images()
    work = _work(plans, stored)
    known = _known(work, stored)
    missing = [item for item in work if force or item.key not in known]
    results: Mapping[str, TargetResult] = {}
    if missing:
        refuse_missing(item.plan for item in missing)
        _stage(work, missing, known, engine)
        results = _bake(missing, engine, progress, network)
        stored = engine.images()
        known = _known(work, stored)
    return tuple(_tagged(item, known[item.key], stored, results, engine) for item in work)


def found(plans: Sequence[Plan], engine: Engine) -> tuple[StoredImage | None, ...]:
    """Look up the image of each plan; None where it is not built, or not up to date."""
    stored = engine.images()
    work = _work(plans, stored)
    known = _known(work, stored)
    keys = {id(item.plan): item.key for item in work}
    return tuple(known.get(keys[id(plan)]) for plan in plans)


def _work(plans: Sequence[Plan], stored: Sequence[StoredImage]) -> list[_Work]:
    ids = {name: image.id for image in stored for name in image.references}
    done: dict[str, _Work] = {}
    for one in rendered(plans):
        base = done[one.base.reference] if one.base else None
        below = base.key if base else ids.get(one.plan.base, "")
        where = f" {platform}" if (platform := only_platform(one.plan)) else ""
        key = hashlib.sha256(f"{one.digest} {below}{where}".encode()).hexdigest()
        done[one.reference] = _Work(one, key, base)
    return list(done.values())


def only_platform(plan: Plan) -> str:
    """Name the one platform to build for; of several, and of none, it is the engine's own.

    The image store of Docker holds one platform of a name.
    """
    return plan.platforms[0] if len(plan.platforms) == 1 else ""


def _known(work: Sequence[_Work], stored: Sequence[StoredImage]) -> dict[str, StoredImage]:
    """Know images by key; of several with one key, the one that has the staging name."""
    known = {image.key: image for image in stored if image.key}
    holders = {name: image for image in stored for name in image.references}
    for item in work:
        holder = holders.get(item.staging)
        if holder and holder.key == item.key:
            known[item.key] = holder
    return known


def _stage(
    work: Sequence[_Work],
    missing: Sequence[_Work],
    known: Mapping[str, StoredImage],
    engine: Engine,
) -> None:
    """Name the bases that are there already as the contexts on them do in FROM."""
    building = {item.staging for item in missing}
    for item in work:
        if item.base and item.staging in building and item.base.staging not in building:
            image = known[item.base.key]
            if item.base.staging not in image.references:
                engine.tag(image.id, item.base.staging)


def _bake(
    work: Sequence[_Work], engine: Engine, progress: Progress, network: Network
) -> Mapping[str, TargetResult]:
    building = {item.staging: item.target for item in work}
    with tempfile.TemporaryDirectory(prefix="imagegen-") as folder, told(network) as way:
        targets = []
        for item in work:
            place = Path(folder) / item.target
            lay(item.rendered.tree, place)
            if digest(laid(place)) != item.rendered.digest:
                raise ImagegenError(
                    f"{item.target}: own files were changed while they were read; build again"
                )
            below = building.get(item.base.staging) if item.base else None
            targets.append(
                Target(
                    name=item.target,
                    context=str(place),
                    tags=(item.staging,),
                    labels={**item.plan.event_labels, KEY_LABEL: item.key},
                    platform=only_platform(item.plan),
                    bases={item.base.staging: below} if item.base and below else {},
                    secrets=(*given(item.plan), *way),
                )
            )
        results = engine.bake(targets, progress)
    failures = [
        _failure(f"{item.plan.image} {item.plan.variant}", result)
        for item in work
        if (result := results.get(item.target)) and result.failure
    ]
    if failures:
        raise BuildFailed(network.covered("\n".join(failures)))
    return results


def _failure(name: str, result: TargetResult) -> str:
    log = "".join(f"\n    | {line}" for line in result.log)
    return f"{name} did not build: {result.failure}{log}{_cure(result)}"


_UNTRUSTED = re.compile(
    "CERTIFICATE_VERIFY_FAILED|[Cc]ertificate verif|certificate problem|SELF_SIGNED_CERT"
    "|self[- ]signed certificate|unable to get local issuer|UNABLE_TO_(?:GET_ISSUER|VERIFY)"
)


def _cure(result: TargetResult) -> str:
    """Say what helps with the failures whose own words say little."""
    if any(map(_UNTRUSTED.search, result.log)):
        return (
            "\n    a certificate is not trusted: if this network has a CA of its own, give it to "
            "build steps with --ca-bundle FILE (docs/network.md)"
        )
    failure = result.failure or ""
    if failure.endswith("exit code: 124"):
        return "\n    124 is how `timeout` ends: a step took longer than it may"
    if "max depth exceeded" in failure:
        return (
            "\n    Docker stacks 127 layers at most; each step and each entry of [files] is one: "
            "lay a folder of yours instead of many files"
        )
    if "load metadata for" not in failure:
        return ""
    return (
        "\n    the base image can't be had: see image.base in the blueprint. Is the name right? "
        "Does its registry answer? Where none does, `docker load` or `docker import` it"
    )


def _tagged(
    item: _Work,
    image: StoredImage,
    stored: Sequence[StoredImage],
    results: Mapping[str, TargetResult],
    engine: Engine,
) -> Built:
    """Set the names that do not point at the image yet."""
    holders = {name: holder.id for holder in stored for name in holder.references}
    moved = [name for name in item.plan.references if holders.get(name) != image.id]
    for name in moved:
        engine.tag(image.id, name)
    result = results.get(item.target)
    return Built(
        image=item.plan.image,
        variant=item.plan.variant,
        state="built" if result else "tagged" if moved else "unchanged",
        references=item.plan.references,
        id=image.id,
        size=image.size,
        seconds=result.seconds if result else 0.0,
    )
