"""What foreign bases hold, as far as an engine on this machine knows."""

from functools import cache

from imagegen.errors import EngineError
from imagegen.language.families import System


@cache
def look(reference: str) -> System | None:
    """Look into an image; None if no engine answers, or if it is not here: nothing is pulled."""
    from imagegen.act.docker import DockerEngine  # noqa: PLC0415 -- most bases tell by their name

    try:
        return DockerEngine().system(reference)
    except EngineError:
        return None
