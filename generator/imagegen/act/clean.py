"""What old builds left behind: images of imagegen that have no tag any more.

A build leaves each image under the digest of its content; when the tags have moved on, that name
is all that an old one has.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from imagegen.act.engine import Engine, StoredImage
from imagegen.render.chain import SHORT

_STAGING = re.compile(rf"(?P<name>.+):[0-9a-f]{{{SHORT}}}")


def leftovers(
    engine: Engine, names: Collection[str] = (), current: Collection[str] = ()
) -> tuple[StoredImage, ...]:
    """Find images that imagegen built and nobody uses, of the given names or of all.

    An image is in use if it has a tag of its own, a container was made from it, or it is among
    `current`, by id; so is every image that one of those stands on.
    """
    stored = engine.images()
    used = {*engine.in_use(), *current}
    old = [image for image in stored if image.key and image.id not in used and _is_old(image)]
    if names:
        old = [image for image in old if set(names) & set(_names(image))]
    ids = {image.id for image in old}
    kept = [engine.layers(image.id) for image in stored if image.key and image.id not in ids]
    return tuple(image for image in old if not _carries(engine.layers(image.id), kept))


def _is_old(image: StoredImage) -> bool:
    return all(_STAGING.fullmatch(reference) for reference in image.references)


def _names(image: StoredImage) -> Iterator[str]:
    for reference in image.references:
        if found := _STAGING.fullmatch(reference):
            yield found["name"]


def _carries(layers: Sequence[str], kept: Sequence[Sequence[str]]) -> bool:
    """Tell whether one of the kept images has these layers and more: it stands on this one."""
    length = len(layers)
    return any(len(one) > length and list(one[:length]) == list(layers) for one in kept)
