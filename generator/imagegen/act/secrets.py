"""Secrets on their way from this machine to the builder: by name, never by value."""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from imagegen.errors import BlueprintError, visible
from imagegen.plan.chain import with_bases
from imagegen.plan.model import Plan, Secret


def refuse_missing(plans: Iterable[Plan]) -> None:
    """Refuse to build without what steps need. Raises BlueprintError with every secret."""
    problems = [
        replace(secret.declared, message=f"{secret.declared.message}{why}")
        for plan in plans
        for secret in plan.step_secrets
        if (why := _missing(secret))
    ]
    if problems:
        raise BlueprintError(problems)


def _missing(secret: Secret) -> str | None:
    if secret.env is not None:
        is_set = bool(os.environ.get(secret.env))
        return None if is_set else f"the variable {secret.env} is not set, or empty"
    assert secret.file  # noqa: S101 -- the language wants one of the two
    shown = visible(str(secret.file))
    if not secret.file.is_file():
        return f"there is no file {shown} on this machine"
    return None if os.access(secret.file, os.R_OK) else f"{shown} may not be read"


def given(plan: Plan) -> Iterator[str]:
    """Name what the builder gets for a plan, in buildx's words, which are those of a CSV line."""
    for secret in plan.step_secrets:
        where = f"src={secret.file}" if secret.file else f"env={secret.env}"
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([f"id={secret.name}", where])
        yield line.getvalue()


def described(plans: Iterable[Plan]) -> tuple[str, ...]:
    """Say for people which secrets the plans and their bases take from where."""
    found: dict[str, None] = {}
    for plan in with_bases(plans):
        for secret in plan.step_secrets:
            where = f"file {secret.file}" if secret.file else f"variable {secret.env}"
            found[f"{secret.name} ({where})"] = None
    return tuple(found)
