"""Commands, wherever they stand in a blueprint."""

from collections.abc import Iterator

from imagegen.language import Blueprint
from imagegen.language.shapes import Command
from imagegen.read.locate import KeyPath


def commands(b: Blueprint) -> Iterator[tuple[KeyPath, Command]]:
    """Go over every command, with its place."""
    for number, step in enumerate(b.steps):
        yield ("steps", number), step
    for name, job in b.jobs.items():
        yield ("jobs", name), job
    for name, hook in b.lifecycle.hooks.items():
        yield ("lifecycle", name), hook
    for name, service in b.services.items():
        path = ("services", name)
        yield path, service
        for key in ("start", "stop", "reload", "health"):
            if part := getattr(service, key):
                yield (*path, key), part
    for name, test in b.tests.items():
        yield ("tests", name), test
    if b.ci.test:
        yield ("ci", "test"), b.ci.test
