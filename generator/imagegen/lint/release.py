"""Rules about the tags that images get."""

from collections.abc import Iterator

from imagegen.errors import quoted
from imagegen.lint.finding import Found
from imagegen.lint.subject import Subject
from imagegen.plan.naming import fixed_names
from imagegen.plan.tags import rivals


def _moved_twice(s: Subject) -> Iterator[Found]:
    for later, earlier in rivals(s.blueprint.tags, fixed_names(s.variant)):
        message = f"{earlier.occasion} moves {quoted(later.name)} too"
        yield s.found("IG801", later.path, message)


CHECKS = (_moved_twice,)
