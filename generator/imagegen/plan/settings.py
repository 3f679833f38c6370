"""What a container is told: variables, configuration, and what the engine gives it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from imagegen.language import references
from imagegen.language.blueprint import Blueprint
from imagegen.language.config import Config as DeclaredConfig
from imagegen.language.container import Container
from imagegen.language.scalars import size_in_bytes
from imagegen.plan.order import ordered
from imagegen.plan.running import Config, Download, Resources, Variable
from imagegen.read.config import defaults_of

FILE_MODE = "0600"
"""Of a file that holds the value of a variable."""


def variables(b: Blueprint, user: str | None) -> tuple[Variable, ...]:
    """Decide about every variable that is declared, by name."""
    return tuple(
        Variable(
            name=name,
            default=v.default,
            pattern=v.pattern,
            required=v.required,
            secret=v.secret,
            description=v.description,
            to=v.to,
            owner=v.owner or user or "root",
            mode=v.mode or FILE_MODE,
        )
        for name, v in sorted(b.env.items())
    )


def environment(b: Blueprint) -> dict[str, str]:
    """List what the image sets, each variable after those that it names; else by name.

    An ENV instruction sees what the ones before it have set, so only the order makes `${NAME}`
    mean the blueprint's own variable. One that names itself means the base's.
    """
    values = dict(sorted(_defaults(b)))
    named = {
        name: {other for other in references.named(value) if other in values and other != name}
        for name, value in values.items()
    }
    return {name: values[name] for name in ordered(named)}


def _defaults(b: Blueprint) -> Iterator[tuple[str, str]]:
    for name, v in b.env.items():
        if v.default is not None and not v.secret:
            yield name, v.default
    if b.container.timezone:
        yield "TZ", b.container.timezone
    if b.container.locale:
        yield "LANG", b.container.locale


def config(declared: DeclaredConfig, folder: Path) -> Config | None:
    """Decide about the configuration; None where the blueprint says nothing of one."""
    if not declared.model_fields_set:
        return None
    schema = declared.schema_
    return Config(
        defaults=defaults_of(declared, folder),
        variable=declared.env,
        schema=None if schema is None else folder / schema,
    )


def downloads(b: Blueprint) -> tuple[Download, ...]:
    return tuple(
        Download(
            name=name,
            url=d.fetch,
            checksum=d.checksum,
            headers=_sorted(d.headers),
            netrc=d.netrc,
            to=d.to,
            owner=d.owner,
            mode=d.mode,
            unpack=d.unpack,
            strip=d.strip,
            refresh=d.refresh,
        )
        for name, d in sorted(b.downloads.items())
    )


def resources(declared: Container) -> Resources:
    dropped = tuple(c.removeprefix("-") for c in declared.capabilities if c.startswith("-"))
    return Resources(
        read_only=declared.read_only,
        capabilities=tuple(c for c in declared.capabilities if not c.startswith("-")),
        dropped_capabilities=dropped,
        tmpfs=declared.tmpfs,
        shm_size=_bytes(declared.shm_size),
        memory=_bytes(declared.memory),
        cpus=declared.cpus,
        ulimits=_sorted(declared.ulimits),
        sysctls=_sorted(declared.sysctls),
    )


def _sorted(values: Mapping[str, str]) -> Mapping[str, str]:
    return dict(sorted(values.items()))


def _bytes(size: str | None) -> int | None:
    return None if size is None else size_in_bytes(size)
