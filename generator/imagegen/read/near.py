"""What somebody probably meant who wrote a name that is not known."""

import difflib
from collections.abc import Callable, Iterable
from itertools import islice

_MOST = 200
"""Names that are looked at: comparing is slow, and nobody has that many by hand."""

_ROOM = 160
_LITTLE_ROOM = 100
_NEAR = 0.65


def nearest(name: str, known: Iterable[str], least: float = _NEAR) -> str | None:
    """Find the known name that differs least; small letters, - and _ make no difference."""
    plain = {_plain(k): k for k in islice(known, _MOST)}
    near = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=least)
    return plain[near[0]] if near else None


def hint(name: str, known: Iterable[str], write: Callable[[str], str] = str) -> str:
    """End a complaint: with the nearest name, or else with all that are known."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"; did you mean {write(near)}?"
    known = listing(map(write, names), room=_LITTLE_ROOM)
    return f"; known: {known}" if known else "; none is known here"


def listing(names: Iterable[str], between: str = ", ", *, room: int = _ROOM) -> str:
    """List names, as many as fit into a message."""
    left = list(names)
    shown: list[str] = []
    while left and (room := room - len(left[0]) - len(between)) > 0:
        shown.append(left.pop(0))
    return between.join([*shown, f"… ({len(left)} more)"] if left else shown)


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-")
