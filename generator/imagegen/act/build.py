"""Building plans: only what is missing, all in one solve, tags only when all have succeeded."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imagegen.act.engine import KEY_LABEL, Engine, Progress, StoredImage, TargetResult
from imagegen.act.folder import lay
from imagegen.errors import BuildFailed
from imagegen.plan import Plan
from imagegen.render import bake_file, context
from imagegen.render.bake import Target, target_name
from imagegen.tree import Tree, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What became of one variant. `size` is in bytes, `seconds` what building it took.

    `state`: built now; tagged (it was there, names were missing); unchanged.
    """

    variant: str
    state: Literal["built", "tagged", "unchanged"]
    references: tuple[str, ...]
    id: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Work:
    """A plan with its files and the key that they give it."""

    plan: Plan
    tree: Tree
    key: str

    @property
    def staging(self) -> str:
        """Where bake leaves the image until all have succeeded, and where it is found again."""
        return f"{self.plan.image}:{self.key[:16]}"

    @property
    def target(self) -> str:
        return target_name(self.plan.image, self.plan.variant)


def build(
    plans: Sequence[Plan], engine: Engine, progress: Progress, *, force: bool = False
) -> tuple[Built, ...]:
    """Build what the engine does not have yet, then set the tags.

    Raises BuildFailed with the end of each failed variant's own log; then no tag has moved, and
    what did succeed is found again the next time.
    """
    stored = engine.images()
    bases = {name: image.id for image in stored for name in image.references}
    work = [_work(plan, bases.get(plan.base, "")) for plan in plans]
    known = {image.key: image for image in stored if image.key}
    missing = [item for item in work if force or item.key not in known]
    results: Mapping[str, TargetResult] = {}
    if missing:
        results = _bake(missing, engine, progress)
        stored = engine.images()
        known = {image.key: image for image in stored if image.key} | {
            item.key: image
            for item in missing
            for image in stored
            if item.staging in image.references
        }
    return tuple(_tagged(item, known[item.key], stored, results, engine) for item in work)


def _work(plan: Plan, base: str) -> _Work:
    tree = context(plan)
    key = hashlib.sha256(f"{digest(tree)} {base}".encode()).hexdigest()
    return _Work(plan, tree, key)


def _bake(work: Sequence[_Work], engine: Engine, progress: Progress) -> Mapping[str, TargetResult]:
    with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
        targets = []
        for item in work:
            place = Path(folder) / item.target
            lay(item.tree, place)
            targets.append(
                Target(
                    name=item.target,
                    context=str(place),
                    tags=(item.staging,),
                    labels={KEY_LABEL: item.key},
                )
            )
        results = engine.bake(bake_file(targets), targets, progress)
    failed = [result for result in results.values() if result.failure]
    if failed:
        raise BuildFailed("\n".join(map(_failure, failed)))
    return results


def _failure(result: TargetResult) -> str:
    log = "".join(f"\n    | {line}" for line in result.log)
    return f"{result.name} did not build: {result.failure}{log}"


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
        variant=item.plan.variant,
        state="built" if result else "tagged" if moved else "unchanged",
        references=item.plan.references,
        id=image.id,
        size=image.size,
        seconds=result.seconds if result else 0.0,
    )
