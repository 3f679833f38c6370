"""What is installed: what is asked for, and what the runtime needs for it."""

from collections.abc import Iterable

from imagegen.language.blueprint import Blueprint
from imagegen.plan.model import Plan, Service


def packages(
    b: Blueprint, services: Iterable[Service], parent: Plan | None, *, timed: bool
) -> tuple[str, ...]:
    """List what is asked for and what the runtime needs for it, each once; the base has its own."""
    there = {*parent.packages, *parent.recommended} if parent else set()
    while parent and (parent := parent.parent):
        there |= {*parent.packages, *parent.recommended}
    probes = [service.health for service in services if service.health]
    web = [probe.http for probe in probes if probe.http]
    needed = {
        "runit": bool(b.services) or timed,
        "cron": timed,
        "jq": b.config.defaults is not None or any(probe.jq for probe in probes),
        "curl": bool(web),
        "ca-certificates": any(address.startswith("https:") for address in web),
    }
    asked = set(b.packages.apt.install)
    named = {package.partition("=")[0] for package in asked}
    ours = {name for name, wanted in needed.items() if wanted and name not in named | there}
    return tuple(sorted(ours if b.packages.apt.recommends else asked | ours))
