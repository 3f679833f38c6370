"""Services: their order, and how they are found."""

import re
import warnings
from collections.abc import Iterator

from imagegen.errors import Problem, quoted
from imagegen.read.near import hint, listing
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.circles import circles


def order(c: Checked) -> Iterator[Problem | None]:
    services = c.blueprint.services
    known = c.declared("services")
    for name, service in services.items():
        for number, other in enumerate(service.after):
            if other not in known:
                message = f"there is no service {quoted(other)}{hint(other, known - {name})}"
                yield c.wrong(("services", name, "after", number), message)
    for circle in circles({name: service.after for name, service in services.items()}):
        first, second = circle[:2]
        place = ("services", first, "after", services[first].after.index(second))
        yield c.wrong(place, f"services wait in a circle: {listing(circle, ' → ')}")


def expressions(c: Checked) -> Iterator[Problem | None]:
    """Python's expressions are near enough to extended ones, but for what only Python knows."""
    for name, service in c.blueprint.services.items():
        if service.match is not None:
            place = ("services", name, "match")
            unknown = (f[0] for f in _ESCAPED.finditer(service.match) if f[0] in _PYTHONS)
            if foreign := next(unknown, None):
                message = f"extended regular expressions have no {foreign}; a digit is [0-9]"
                yield c.wrong(place, message)
            try:
                with warnings.catch_warnings(action="ignore"):  # [[:space:]] is all right
                    re.compile(service.match)
            except (re.error, OverflowError, RecursionError) as error:
                yield c.wrong(place, f"is no regular expression: {error}")


_ESCAPED = re.compile(r"\\.|\(\?")
_PYTHONS = (r"\d", r"\D", "(?")
