"""What a rule, or another linter, has found."""

from dataclasses import dataclass

from imagegen.errors import Problem
from imagegen.lint.catalogue import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding in one variant. `rendered` is its place in the context where no file has it."""

    id: str
    severity: Severity
    title: str
    cure: str
    docs: str
    problem: Problem
    rendered: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The same finding in all its variants; `ignored` is the reason if it does not count."""

    found: Found
    variants: tuple[str, ...]
    ignored: str | None

    def counts(self, *, strict: bool = False) -> bool:
        return self.ignored is None and (strict or self.found.severity != "info")
