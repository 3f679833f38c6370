"""What is installed: what is asked for, and what the runtime needs for it."""

from collections.abc import Iterable

from imagegen.language.blueprint import Blueprint
from imagegen.plan.model import Plan
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
    there = {*THERE[family]}
    while parent:
        there |= {*parent.packages, *parent.recommended}
        parent = parent.parent
    probes = [service.health for service in services if service.health]
    web = [probe.http for probe in probes if probe.http]
    needed = {
        "runit": any(service.is_ours for service in b.services.values()) or timed,
        "cron": timed,
        "jq": bool(b.config.model_fields_set) or any(probe.jq for probe in probes),
        "tzdata": b.container.timezone is not None,
        "curl": bool(web),
        "ca-certificates": any(address.startswith("https:") for address in web),
    }
    asked = set(b.packages.apt.install)
    named = {package.partition("=")[0] for package in asked}
    ours = {name for name, wanted in needed.items() if wanted and name not in named | there}
    return tuple(sorted(ours if b.packages.apt.recommends else asked | ours))
