"""What is installed: what is asked for, and what the runtime needs for it."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from imagegen.language.blueprint import Blueprint
from imagegen.language.fetch import unpackers
from imagegen.language.steps import file_of
from imagegen.plan.chain import with_bases
from imagegen.plan.declared import Declared
from imagegen.plan.model import Plan, Python, Repository
from imagegen.plan.running import Service

THERE = {
    "debian": frozenset[str](),
    "phusion": frozenset({"ca-certificates", "cron", "curl", "runit"}),
}
"""What each family has of what the runtime needs (phusion: image/prepare.sh, utilities.sh)."""


def packages(
    b: Blueprint, services: Iterable[Service], parent: Plan | None, family: str, *, timed: bool
) -> tuple[str, ...]:
    """List what is asked for and what the runtime needs for it, each once; the base has its own."""
    there = THERE[family] | _there(parent)
    probes = [service.health for service in services if service.health]
    web = [probe.http for probe in probes if probe.http]
    needed = {
        "runit": any(service.is_ours for service in b.services.values())
        or bool(b.lifecycle.hooks)
        or timed,
        "cron": timed,
        "jq": bool(b.config.model_fields_set)
        or any(probe.jq for probe in probes)
        or any(content.render for content in b.files.values()),
        "tzdata": b.container.timezone is not None,
        "curl": bool(web or b.downloads),
        "ca-certificates": bool(b.downloads)
        or any(address.startswith("https:") for address in web),
        **{
            package: True
            for download in b.downloads.values()
            if download.unpack
            for package in unpackers(file_of(download.fetch))
        },
    }
    asked = set(b.packages.apt.install)
    named = {package.partition("=")[0] for package in asked}
    ours = {name for name, wanted in needed.items() if wanted and name not in named | there}
    return tuple(sorted(ours if b.packages.apt.recommends else asked | ours))


def packages_first(b: Blueprint, parent: Plan | None, family: str) -> tuple[str, ...]:
    """List what must be there before apt can ask the repositories: trust, and release packages.

    What a release package sets up is not known; nearly always it is an https address.
    """
    repositories = b.packages.apt.repositories.values()
    named = {r.package for r in repositories if r.package and ":" not in r.package}
    trusts = any(r.package or (r.url or "").startswith("https:") for r in repositories)
    trust = {"ca-certificates"} if trusts else set()
    return tuple(sorted(named | trust - THERE[family] - _there(parent)))


def _there(parent: Plan | None) -> set[str]:
    """List what the own bases have brought."""
    bases = with_bases([parent] if parent else [])
    return {n for one in bases for n in (*one.packages_first, *one.packages, *one.recommended)}


def apt_repositories(b: Blueprint, own: Declared) -> tuple[Repository, ...]:
    return tuple(
        Repository(
            name=name,
            url=declared.url,
            suites=declared.suites,
            components=declared.components
            or (() if all(suite.endswith("/") for suite in declared.suites) else ("main",)),
            key=own.file(declared.key),
            package=declared.package,
        )
        for name, declared in sorted(b.packages.apt.repositories.items())
    )


def python(b: Blueprint, own: Declared) -> Python | None:
    pip = b.packages.pip
    if not (pip.install or pip.requirements or pip.venv):
        return None
    files = [file for name in pip.requirements if (file := own.file(name))]
    above = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    return Python(
        install=tuple(sorted(pip.install)),
        requirements=tuple((PurePosixPath(file.relative_to(above)), file) for file in files),
        venv=pip.venv.rstrip("/") if pip.venv else None,
        build_packages=tuple(sorted(pip.build_packages)),
    )
