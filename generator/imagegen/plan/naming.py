"""What images and variants are called: names, tags and labels, and which of them would clash."""

import re
from collections.abc import Iterable, Sequence

from imagegen.errors import BlueprintError, Problem, quoted
from imagegen.language.blueprint import Blueprint
from imagegen.plan.chain import with_bases
from imagegen.plan.event import Event
from imagegen.plan.model import Plan
from imagegen.plan.tags import LEGAL, LOCAL_TAG, UnknownFact, event_tags, foreseen, named
from imagegen.read import Variant
from imagegen.read.document import Node

BASE_NAME = "org.opencontainers.image.base.name"
"""Label: what it is built on. Of an own base it depends on the event, as the tags do."""


def slug(axes: Iterable[str] | dict[str, str]) -> str:
    """Name a variant by its values: fit for folders, build targets and people."""
    values = axes.values() if isinstance(axes, dict) else axes
    name = "-".join(re.sub(r"[^A-Za-z0-9_.-]+", "-", value) for value in values) or "default"
    return re.sub(r"^[.-]", "_", name)


def labels_of(variant: Variant, stop_budget: int) -> dict[str, str]:
    """Write the OCI labels and our own; those of git are filled in later."""
    b = variant.blueprint
    image = b.image
    opencontainers = {
        "title": image.title or image.name,
        "description": image.description,
        "version": image.version,
        "authors": image.authors,
        "vendor": image.vendor,
        "licenses": image.licenses,
        "url": image.url,
        "source": image.source,
        "documentation": image.documentation,
    }
    found = {
        f"org.opencontainers.image.{key}": value
        for key, value in opencontainers.items()
        if value is not None
    }
    if image.base.image:
        found[BASE_NAME] = image.base.image
    found["io.imagegen.variant"] = " ".join(f"{k}={v}" for k, v in variant.axes.items())
    found["io.imagegen.stop-budget"] = str(stop_budget)
    return dict(sorted((found | image.labels).items()))


def repositories(b: Blueprint, *, released: bool) -> tuple[str, ...]:
    """Name the image for each registry; what no event released keeps to this machine."""
    if not released or not b.image.registries:
        return (b.image.name,)
    return tuple(f"{registry}/{b.image.name}" for registry in b.image.registries)


def names_of_event(variant: Variant, event: Event) -> tuple[str, ...]:
    try:
        return event_tags(variant.blueprint.tags, event, fixed_names(variant))
    except UnknownFact as unknown:
        place = variant.document.get("tags") or variant.document
        raise BlueprintError([place.problem(str(unknown), key=True)]) from None


def fixed_names(variant: Variant) -> set[str]:
    """List the tags of [tags] that hold the version of the image: they never move."""
    return {
        one.name
        for one in named(variant.blueprint.tags)
        if "image.version" in _raw(variant.document.nearest(one.path))
    }


def _raw(node: Node) -> str:
    return node.raw() if isinstance(node.value, str) else ""


def suffixed_tags(variant: Variant, names: Sequence[str]) -> tuple[str, ...]:
    """Add the suffix of the variant; the default variant gets the bare tags too."""
    suffixed = [name + variant.blueprint.matrix.suffix for name in names]
    return tuple(dict.fromkeys([*suffixed, *(names if _is_default(variant) else ())]))


def local_tags(variant: Variant) -> tuple[str, ...]:
    """Name what no event released; without a suffix the variant's own name tells them apart."""
    if variant.blueprint.matrix.suffix or not variant.axes:
        return suffixed_tags(variant, (LOCAL_TAG,))
    return (f"{LOCAL_TAG}-{slug(variant.axes)}", *((LOCAL_TAG,) if _is_default(variant) else ()))


def _is_default(variant: Variant) -> bool:
    default = dict(variant.blueprint.matrix.default)
    return bool(default) and default == dict(variant.axes)


def unforeseeable(variants: Sequence[Variant]) -> Iterable[Problem]:
    """Find tags that will lack what they name when their event comes."""
    for variant in variants:
        for rule in foreseen(variant.blueprint.tags):
            if rule.lacks:
                yield variant.document.nearest(rule.named.path).problem(rule.lacks)


def clashes(variants: Sequence[Variant], plans: Sequence[Plan]) -> Iterable[Problem]:
    """Find names that two variants share, and tags that no registry would take.

    Now, and when the events come that [tags] has rules for; each once.
    """
    holders: dict[tuple[str, str, str], Plan] = {}
    told: set[object] = set()
    for variant, planned in zip(variants, plans, strict=True):
        matrix = variant.document.get("matrix") or variant.document
        place = matrix.get("suffix") or variant.document.get("tags") or matrix
        for occasion, tag, node in _all_tags(variant, planned, place):
            other = holders.setdefault((planned.image, occasion, tag), planned)
            if other is not planned and (other.variant, planned.variant) not in told:
                told.add((other.variant, planned.variant))
                yield place.problem(
                    f"the variants {other.variant} and {planned.variant} would both be tagged "
                    f'"{tag}"{occasion}; give matrix.suffix the name of each axis',
                    key=True,
                )
            if not LEGAL.fullmatch(tag) and (planned.variant, node.path) not in told:
                told.add((planned.variant, node.path))
                yield node.problem(
                    f"{quoted(tag)} is no legal tag: letters, digits, _ . and -, 128 at most, "
                    "and no . or - first",
                    key=node is place,
                )
        first = holders.setdefault((planned.image, "", f"variant {planned.variant}"), planned)
        if first is not planned:
            message = f'two combinations of axes would both be called "{planned.variant}"'
            yield (matrix.get("axes") or matrix).problem(message, key=True)


def _all_tags(variant: Variant, planned: Plan, place: Node) -> Iterable[tuple[str, str, Node]]:
    """Give the tags of now and of every event to come: when, what, and where it is written."""
    yield from (("", tag, place) for tag in planned.tags)
    for rule in foreseen(variant.blueprint.tags):
        node = variant.document.nearest(rule.named.path)
        for tag in suffixed_tags(variant, (rule.example,)):
            is_written = node.path == rule.named.path
            yield f" for {rule.named.occasion}", tag, node if is_written else place


def confusions(variants: Sequence[Variant], plans: Sequence[Plan]) -> Iterable[Problem]:
    """Find images that have the full name of an own base."""
    for variant, planned in zip(variants, plans, strict=True):
        for base in with_bases([planned])[:-1]:
            if both := set(planned.references) & set(base.references):
                place = variant.document.get("image", "name") or variant.document
                yield place.problem(
                    f'a base of this image has the name "{min(both)}" too; call it otherwise'
                )
