"""Steps as they are built: sources, what is lent to the command, and what is not pinned."""

from collections.abc import Iterator, Sequence

from imagegen.errors import BlueprintError, Problem
from imagegen.language.secrets import Secret as DeclaredSecret
from imagegen.language.steps import Step as Declared
from imagegen.language.steps import file_of
from imagegen.plan.host import secret_file
from imagegen.plan.model import Cloned, Fetched, Secret
from imagegen.read import Variant


def fetched(step: Declared) -> Fetched | None:
    if step.fetch is None:
        return None
    return Fetched(
        url=step.fetch,
        file=file_of(step.fetch) or "file",
        sha256=step.checksum.partition(":")[2].lower() if step.checksum else None,
        headers=dict(sorted(step.headers.items())),
        netrc=step.netrc,
        unpack=step.unpack,
        strip=step.strip,
    )


def cloned(step: Declared) -> Cloned | None:
    return None if step.git is None else Cloned(url=step.git, ref=step.ref, netrc=step.netrc)


def secrets(variant: Variant) -> tuple[Secret, ...]:
    return tuple(
        _secret(name, secret, variant) for name, secret in sorted(variant.blueprint.secrets.items())
    )


def _secret(name: str, declared: DeclaredSecret, variant: Variant) -> Secret:
    key = "env" if declared.file is None else "file"
    node = variant.document.nearest(("secrets", name, key))
    return Secret(
        name=name,
        file=None if declared.file is None else secret_file(declared.file, node),
        env=declared.env,
        declared=node.problem(""),
    )


def refuse_unpinned(variants: Sequence[Variant]) -> None:
    """Refuse to build what may be another thing tomorrow. Raises BlueprintError with every step."""
    problems = [problem for variant in variants for problem in _unpinned(variant)]
    if problems:
        raise BlueprintError(problems)


def _unpinned(variant: Variant) -> Iterator[Problem]:
    if variant.base:
        yield from _unpinned(variant.base)
    for number, step in enumerate(variant.blueprint.steps):
        if step.fetch and not step.checksum:
            message = (
                'is built only with a checksum; add checksum = "sha256:…", which '
                "`curl -L ADDRESS | sha256sum` tells"
            )
            yield variant.document.nearest(("steps", number, "fetch")).problem(message)
        if step.git and not step.ref:
            message = (
                'is built only with a ref; add ref = "…", a tag or all 40 digits of a commit, as '
                "`git ls-remote ADDRESS` lists them"
            )
            yield variant.document.nearest(("steps", number, "git")).problem(message)
