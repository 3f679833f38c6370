"""What an engine says when it refuses, in words that help."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import DockerException
from requests.exceptions import RequestException

from imagegen.errors import EngineError

REFUSALS = (DockerException, RequestException)

_CONTAINER = re.compile(r'container name "/([\w.-]+)"')
_CURES = {
    "is already in use by container": "remove it (docker rm -f {name}), or choose another --name",
    "port is already allocated": "another container has the port; stop it, or publish another",
    "address already in use": "something on this machine has the port; publish another",
    "permission denied": "your user may not use the engine: join the group docker, or use sudo",
}


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the SDK raises into an EngineError that says why, and what helps."""
    try:
        yield
    except REFUSALS as error:
        why = reason(error)
        raise EngineError(f"the Docker engine refused: {why}{_cure(why)}") from None


def reason(error: Exception) -> str:
    """Find the sentence that helps in an error of the SDK, which wraps several others."""
    explanation = getattr(error, "explanation", None)
    if explanation:
        return str(explanation)
    deepest: BaseException = error
    while deepest.__cause__ or deepest.__context__:
        deepest = deepest.__cause__ or deepest.__context__ or deepest
    return getattr(deepest, "strerror", None) or str(deepest)


def _cure(why: str) -> str:
    """Say what helps with the refusals that everybody meets."""
    for words, cure in _CURES.items():
        if words in why:
            name = _CONTAINER.search(why)
            return f"\n    {cure.format(name=name[1] if name else 'NAME')}"
    return ""
