"""${NAME}: how a text names variables, and $${, which stands for a plain ${."""

import re
from collections.abc import Iterator

VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"
_PARTS = re.compile(rf"(\$\$\{{|\$\{{{VARIABLE}\}})")


def parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Part a text into what stands as it is, and references: each with the variable, or None."""
    for number, part in enumerate(_PARTS.split(text)):
        if part == "$${":
            yield "${", None
        elif number % 2:
            yield part, part[2:-1]
        elif part:
            yield part, None


def named(text: str) -> list[str]:
    """List the variables that a text names."""
    return [name for _, name in parts(text) if name is not None]
