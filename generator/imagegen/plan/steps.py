"""Steps as they are built: sources, what is lent to the command, and what is not pinned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from imagegen.errors import BlueprintError, Problem
from imagegen.language.secrets import Secret as DeclaredSecret
from imagegen.language.steps import Step as Declared
from imagegen.language.steps import file_of
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
        Secret(
            name=name,
            file=_file(variant, name),
            env=secret.env,
            declared=variant.document.nearest(("secrets", name, _key(secret))).problem(""),
        )
        for name, secret in sorted(variant.blueprint.secrets.items())
    )


def _key(secret: DeclaredSecret) -> str:
    return "env" if secret.file is None else "file"


def _file(variant: Variant, name: str) -> Path | None:
    """Find the file, from the blueprint that names it or from the home folder."""
    file = variant.blueprint.secrets[name].file
    if file is None:
        return None
    if file.startswith("~/"):
        return Path.home() / file.removeprefix("~/")
    node = variant.document.nearest(("secrets", name, "file"))
    return node.source.path.resolve().parent / file


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
