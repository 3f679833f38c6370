"""What the commands share that build: progress, and the table of what became of each variant."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from imagegen.act.build import Built, build
from imagegen.act.engine import Engine
from imagegen.act.network import network
from imagegen.act.secrets import described
from imagegen.cli.output import count, short_id, size, table
from imagegen.cli.progress import Progress
from imagegen.plan import Plan
from imagegen.plan.chain import with_bases
from imagegen.read.settings import read_settings, settings_path
from imagegen.render.bake import target_name


def build_shown(
    plans: Sequence[Plan],
    engine: Engine,
    *,
    ca_bundle: Path | None,
    force: bool = False,
    quiet: bool = False,
) -> tuple[Built, ...]:
    """Build with live progress on stderr."""
    way = network(read_settings(settings_path(os.environ)), ca_bundle)
    several = any(plan.parent for plan in plans)
    names = {
        target_name(one.image, one.variant): f"{one.image} {one.variant}"
        if several
        else one.variant
        for one in with_bases(plans)
    }
    if not quiet and (secrets := described(plans)):
        typer.echo(f"secrets lent to steps: {', '.join(secrets)}", err=True)
    with Progress(names, quiet=quiet) as progress:
        return build(plans, engine, progress, network=way, force=force)


def show(built: Sequence[Built]) -> None:
    """Print the table of the result."""
    several = len({one.image for one in built}) > 1
    table(
        (*(["IMAGE"] if several else []), "VARIANT", "STATE", "TAGS", "ID", "SIZE", "TIME"),
        [
            (
                *([one.image] if several else []),
                one.variant,
                one.state,
                ", ".join(one.references),
                short_id(one.id),
                size(one.size),
                f"{one.seconds:.1f} s" if one.state == "built" else "-",
            )
            for one in built
        ],
    )
    if all(one.state == "unchanged" for one in built):
        typer.echo(f"nothing to do: {count(len(built), 'variant')} up to date")
