"""All rules over all variants, each finding once."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from imagegen.language.lint import IDS
from imagegen.lint import image, release, running, secrets, steps
from imagegen.lint.catalogue import RULES
from imagegen.lint.finding import Finding, Found
from imagegen.lint.subject import Subject

Check = Callable[[Subject], Iterator[Found]]
CHECKS: tuple[Check, ...] = (
    *image.CHECKS,
    *secrets.CHECKS,
    *running.CHECKS,
    *steps.CHECKS,
    *release.CHECKS,
)

_SEVERITIES = ("error", "warning", "info")


def found(all_of_them: Sequence[Subject]) -> Iterator[tuple[Subject, Found]]:
    """Look at every variant with every rule of our own."""
    for subject in all_of_them:
        for check in CHECKS:
            yield from ((subject, one) for one in check(subject))


def lint(
    all_of_them: Sequence[Subject], also: Iterable[tuple[Subject, Found]] = ()
) -> tuple[Finding, ...]:
    """Put together what our rules find, and what other linters found, in reading order."""
    everything = [*found(all_of_them), *also]
    used = {(_file(s), one.id) for s, one in everything if s.reason(one) is not None}
    everything += _unused(all_of_them, used, {one.id for _, one in everything})
    groups: dict[tuple[object, ...], tuple[Found, str | None, dict[str, None]]] = {}
    for subject, one in everything:
        reason = subject.reason(one)
        _, _, labels = groups.setdefault((*_same(one), reason), (one, reason, {}))
        labels[subject.label] = None
    findings = (
        Finding(found=one, variants=tuple(labels), ignored=reason)
        for one, reason, labels in groups.values()
    )
    return tuple(sorted(findings, key=_order))


def _same(one: Found) -> tuple[object, ...]:
    p = one.problem
    place = (one.rendered, p.text) if one.rendered else (p.file, p.line, p.column)
    return (one.id, p.message, *place)


def _order(finding: Finding) -> tuple[object, ...]:
    one = finding.found
    severity = _SEVERITIES.index(one.severity)
    p = one.problem
    return severity, one.rendered is not None, p.file, p.line, p.column, one.id, p.message


def _file(subject: Subject) -> str:
    return subject.root.source.name


def _unused(
    all_of_them: Sequence[Subject], used: set[tuple[str, str]], seen: set[str]
) -> Iterator[tuple[Subject, Found]]:
    """Find ignored rules of our own that hide nothing; of other linters we can't know."""
    for subject in all_of_them:
        for rule in subject.blueprint.lint.ignore:
            hides = (_file(subject), rule) in used or (subject.variant.base and rule in seen)
            if rule in IDS and rule in RULES and rule != "IG001" and not hides:
                message = "nothing is found that this would hide"
                place = ("lint", "ignore", rule)
                yield subject, subject.found("IG001", place, message, key=True)
